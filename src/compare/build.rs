//! (model, history, shape) → its tables as files, all written in the same way: the same sort, encoding and row groups.

use super::report::{ColumnFigures, TableFigures, TableKind};
use super::shape::Shape;
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::history::{FactTable, History, PartitionKey};
use crate::layout::{self, BigTable, Link};
use crate::model::{AsOf, Dimension, Model};
use crate::query::{self, SessionSpec, members_at, wide_view};
use crate::warehouse::{self, FactPlan, WideRelation, encode};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A shape as it lies on disk.
pub struct Built {
    /// In the order of their names, facts first.
    pub tables: Vec<TableFigures>,
    /// What a session over it is opened with.
    spec: SessionSpec,
    /// The dimensions, joined back: of what members are made that are asked for as of another time.
    wide: Vec<WideRelation>,
}

impl Built {
    /// What a session is opened with in which a question as of some time can be asked.
    pub fn session(&self, model: &Model, as_of: AsOf) -> SessionSpec {
        let mut spec = self.spec.clone();
        let members = match as_of {
            AsOf::Sold => return spec,
            AsOf::Now => members_at(&self.wide, "now", None),
            AsOf::Day(day) => {
                let instant = model.calendar.last_instant(day).map(|instant| instant.timestamp_micros());
                members_at(&self.wide, "as_of", instant)
            }
        };
        spec.views.extend(self.wide.iter().map(|wide| wide_view(wide, "star")));
        spec.views.extend(members);
        spec
    }
}

/// A shape before it is written.
pub struct Plan<'a> {
    shape: Shape,
    model: &'a Model,
    history: &'a History,
    ledgers: Vec<Ledger<'a>>,
}

/// The ledger of a fact, and how the shape stores it.
pub struct Ledger<'a> {
    pub table: &'a dyn FactTable,
    plan: FactPlan,
    big: Option<BigTable>,
}

/// A piece of the work, independent of the others.
enum Piece<'a> {
    Dimension(&'a Dimension, &'a [RecordBatch]),
    Dates,
    Partition(&'a Ledger<'a>, Option<usize>),
}

/// A file that was written.
struct File {
    table: String,
    kind: TableKind,
    schema: SchemaRef,
    key: Option<String>,
    path: PathBuf,
    rows: u64,
    bytes: u64,
}

/// The only file of a fact without rows.
const EMPTY: &str = "date_month=__HIVE_DEFAULT_PARTITION__/empty.parquet";

impl<'a> Plan<'a> {
    /// Decides what is to be written. The model has no facts but ledgers.
    pub fn new(shape: Shape, model: &'a Model, history: &'a History) -> Result<Self> {
        let wide = wide(model, history)?;
        let mut ledgers = Vec::new();
        for (fact, table) in model.facts.iter().zip(&history.facts) {
            let table = table.as_ref();
            let plan = FactPlan::of(model, table)?;
            let big = match shape {
                Shape::Layout(_) => None,
                Shape::BigTable => {
                    let sorted_by = plan.sorted_by.clone();
                    Some(BigTable::new(model, fact, &plan.schema, sorted_by, &wide, &history.dates)?)
                }
            };
            ledgers.push(Ledger { table, plan, big });
        }
        Ok(Self { shape, model, history, ledgers })
    }

    /// The ledgers, in the order of the model's facts.
    pub fn ledgers(&self) -> &[Ledger<'a>] {
        &self.ledgers
    }

    /// The tables of dimensions and dates; the one big table has none.
    pub fn tables(&self) -> Result<Vec<layout::Table>> {
        let mut tables = Vec::new();
        for piece in self.pieces() {
            tables.extend(self.tables_of(&piece)?);
        }
        Ok(tables)
    }

    fn pieces(&self) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        if let Shape::Layout(_) = self.shape {
            let dimensions = self.model.dimensions.iter().zip(&self.history.dimensions);
            pieces.extend(dimensions.map(|(dimension, made)| Piece::Dimension(dimension, &made.entities)));
            pieces.push(Piece::Dates);
        }
        for ledger in &self.ledgers {
            let partitions = ledger.table.partitions().len();
            pieces.extend((0..partitions).map(|partition| Piece::Partition(ledger, Some(partition))));
            if partitions == 0 {
                pieces.push(Piece::Partition(ledger, None));
            }
        }
        // The longest first, each to whoever is free.
        pieces.sort_by_key(|piece| Reverse(piece.rows()));
        pieces
    }

    fn tables_of(&self, piece: &Piece<'_>) -> Result<Vec<layout::Table>> {
        match (piece, self.shape) {
            (Piece::Dimension(dimension, entities), Shape::Layout(layout)) => {
                layout::tables(layout, dimension, entities)
            }
            (Piece::Dates, _) => Ok(vec![layout::date_table(self.model, &self.history.dates)?]),
            _ => Ok(Vec::new()),
        }
    }

    fn wide(&self) -> Result<Vec<WideRelation>> {
        let Shape::Layout(layout) = self.shape else { return Ok(Vec::new()) };
        let made = self.model.dimensions.iter().zip(&self.history.dimensions);
        let wide = made.map(|(dimension, made)| {
            let table = layout::wide_table(dimension, &made.entities)?;
            let fields = table.batch.schema_ref().fields().iter();
            let key = dimension.entities.first().map_or(&[][..], |entity| &entity.key);
            Ok(WideRelation {
                name: table.name,
                natural_key: key.iter().map(|column| column.name.clone()).collect(),
                sql: layout::wide_sql(layout, dimension, "main"),
                columns: fields.map(|field| warehouse::Column::of(field)).collect::<Result<_>>()?,
            })
        });
        wide.collect()
    }

    /// Writes everything into a folder.
    pub fn write(&self, folder: &Path, disk: &Disk) -> Result<Built> {
        let files: Vec<Vec<File>> = self
            .pieces()
            .into_iter()
            .par_bridge()
            .map(|piece| {
                disk.go_on()?;
                self.write_piece(&piece, folder, disk)
            })
            .collect::<Result<_>>()?;
        self.built(files.into_iter().flatten().collect())
    }

    fn write_piece(&self, piece: &Piece<'_>, folder: &Path, disk: &Disk) -> Result<Vec<File>> {
        if let Piece::Partition(ledger, partition) = piece {
            let batch = ledger.rows(*partition)?;
            let file = partition.map_or_else(|| EMPTY.to_owned(), |at| ledger.file(at));
            let path = folder.join(ledger.name()).join(file);
            let file = place(TableKind::Fact, ledger.name(), None, &batch, ledger.sorted_by(), path, disk)?;
            return Ok(vec![file]);
        }
        let tables = self.tables_of(piece)?;
        let place = |table: &layout::Table| {
            let path = folder.join(&table.name).join(format!("{}.parquet", table.name));
            let key = table.sorted_by.first().cloned();
            place(TableKind::Dimension, &table.name, key, &table.batch, &table.sorted_by, path, disk)
        };
        tables.iter().map(place).collect()
    }

    fn built(&self, mut files: Vec<File>) -> Result<Built> {
        // The files of a table are read in the order of their days.
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let links = match self.shape {
            Shape::Layout(layout) => layout::links(layout, self.model),
            Shape::BigTable => Vec::new(),
        };
        let mut by_table: BTreeMap<(bool, String), Vec<File>> = BTreeMap::new();
        for file in files {
            let is_fact = file.kind == TableKind::Fact;
            by_table.entry((!is_fact, file.table.clone())).or_default().push(file);
        }
        let (mut tables, mut spec) = (Vec::new(), SessionSpec::default());
        for ((_, name), files) in by_table {
            let Some(first) = files.first() else { continue };
            let columns = columns(&first.schema, first.key.as_deref(), &name, &links)?;
            let partition =
                (first.kind == TableKind::Fact).then(|| column("date_month", Some("VARCHAR".to_owned())));
            tables.push(TableFigures {
                name: name.clone(),
                kind: first.kind,
                rows: files.iter().map(|file| file.rows).sum(),
                files: files.len() as u64,
                bytes: files.iter().map(|file| file.bytes).sum(),
                columns: columns.clone(),
            });
            spec.tables.push(query::Table {
                schema: "main".to_owned(),
                name,
                columns: columns.into_iter().map(|it| column(&it.name, Some(it.sql_type))).collect(),
                files: files.into_iter().map(|file| file.path).collect(),
                partition,
                ..query::Table::default()
            });
        }
        Ok(Built { tables, spec, wide: self.wide()? })
    }
}

impl Ledger<'_> {
    pub fn name(&self) -> &str {
        self.big.as_ref().map_or(&self.plan.name, |big| &big.name)
    }

    pub fn sorted_by(&self) -> &[String] {
        self.big.as_ref().map_or(&self.plan.sorted_by, |big| &big.sorted_by)
    }

    /// The rows of a partition, as they are stored.
    pub fn rows(&self, partition: Option<usize>) -> Result<RecordBatch> {
        let schema = &self.plan.schema;
        let batch = match partition {
            Some(at) => RecordBatch::try_new(schema.clone(), self.table.read(at)?.columns().to_vec())?,
            None => RecordBatch::new_empty(schema.clone()),
        };
        self.big.as_ref().map_or(Ok(batch.clone()), |big| big.rows(&batch))
    }

    /// Where a partition lies in the folder of its table.
    pub fn file(&self, partition: usize) -> String {
        let key: Option<&PartitionKey> = self.table.partitions().get(partition);
        key.map_or_else(String::new, |key| format!("{}/{}", key.directory(), key.file_name()))
    }
}

impl Piece<'_> {
    fn rows(&self) -> usize {
        match self {
            Self::Dimension(_, entities) => entities.iter().map(RecordBatch::num_rows).sum(),
            Self::Dates | Self::Partition(_, None) => 0,
            Self::Partition(ledger, Some(at)) => ledger.table.partition_rows(*at),
        }
    }
}

/// The wide relation of every dimension.
fn wide(model: &Model, history: &History) -> Result<Vec<RecordBatch>> {
    let made = model.dimensions.iter().zip(&history.dimensions);
    let wide = made.map(|(dimension, made)| {
        made.entities.first().cloned().ok_or_else(|| Error::bug(format!("{} has no entity", dimension.name)))
    });
    wide.collect()
}

fn place(
    kind: TableKind,
    table: &str,
    key: Option<String>,
    batch: &RecordBatch,
    sorted_by: &[String],
    path: PathBuf,
    disk: &Disk,
) -> Result<File> {
    let encoded = encode(batch, sorted_by)?;
    if let Some(parent) = path.parent() {
        disk.create_dir_all(parent).map_err(|error| Error::io("create", parent, error))?;
    }
    disk.write(&path, &encoded.bytes).map_err(|error| Error::io("write", &path, error))?;
    let (rows, bytes) = (encoded.rows, encoded.bytes.len() as u64);
    Ok(File { table: table.to_owned(), kind, schema: batch.schema(), key, path, rows, bytes })
}

fn columns(schema: &SchemaRef, key: Option<&str>, table: &str, links: &[Link]) -> Result<Vec<ColumnFigures>> {
    let figures = |field: &arrow::datatypes::FieldRef| {
        let warehouse::Column { name, sql_type, .. } = warehouse::Column::of(field)?;
        let leads_to = links.iter().find(|link| link.table == table && link.column == name);
        let (is_key, leads_to) = (key == Some(name.as_str()), leads_to.map(|link| link.to.clone()));
        Ok(ColumnFigures { name, sql_type, is_key, leads_to })
    };
    schema.fields().iter().map(figures).collect()
}

fn column(name: &str, sql_type: Option<String>) -> query::Column {
    query::Column { name: name.to_owned(), sql_type, comment: None }
}
