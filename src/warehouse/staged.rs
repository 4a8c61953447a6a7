//! Tables → a staged release: files that no reader sees yet.
//!
//! A file is encoded in memory first. If the current release holds the same bytes under the same name,
//! the new release gets a second name for that file and nothing is written; a file that both layouts
//! share is written once. A partition that `history` says is kept is not even read.

use super::manifest::{
    Column, DataFile, LogEnd, Manifest, Pipeline, Relations, TableEntry, ViewEntry, root_hash,
};
use super::parquet::{Encoded, encode};
use super::sums::Sums;
use super::{FORMAT_VERSION, Release, Writer};
use crate::error::{Error, Result};
use crate::history::{FactTable, Findings, PartitionKey};
use crate::layout::{Layout, Table, fact_schema};
use crate::model::Model;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A release in the making. Dropped before [`Staged::publish`], it leaves only what the next writer clears.
pub struct Staged<'writer> {
    pub(super) writer: &'writer Writer,
    /// Sorted, each once.
    layouts: Vec<Layout>,
    pub(super) number: u64,
    pipeline: Pipeline,
    log: LogEnd,
    relations: Relations,
    previous: Option<Release>,
    parts: Mutex<BTreeMap<(Layout, String), Part>>,
    views: Mutex<BTreeMap<String, ViewEntry>>,
    members: Mutex<BTreeMap<String, DataFile>>,
    findings: Findings,
}

/// How the files of a fact table look, decided before the first is written.
#[derive(Debug, Clone)]
pub struct FactPlan {
    /// `fact_<name>`.
    pub name: String,
    /// With a comment on each field, see [`crate::layout::fact_schema`].
    pub schema: SchemaRef,
    pub sorted_by: Vec<String>,
    /// The measures whose sums are the table's control totals.
    pub additive: Vec<String>,
}

impl FactPlan {
    /// The plan of a fact that `history` has made.
    ///
    /// # Errors
    ///
    /// A column that the model does not explain is a bug.
    pub fn of(model: &Model, fact: &dyn FactTable) -> Result<Self> {
        Ok(Self {
            name: fact.name().to_owned(),
            schema: fact_schema(model, fact.name(), &fact.schema())?,
            sorted_by: fact.sorted_by(),
            additive: fact.additive(),
        })
    }
}

/// What is known of a table so far.
struct Part {
    columns: Vec<Column>,
    sorted_by: Vec<String>,
    sums: Sums,
    files: Vec<DataFile>,
}

impl Writer {
    /// Begins the next release: tables of this pipeline (name and hash) up to this end of its log.
    ///
    /// # Errors
    ///
    /// The pointer is broken, or the disk fails.
    pub fn begin(
        &self,
        pipeline: Pipeline,
        log: LogEnd,
        layouts: &[Layout],
        relations: Relations,
        findings: Findings,
    ) -> Result<Staged<'_>> {
        let mut layouts = layouts.to_vec();
        layouts.sort_unstable();
        layouts.dedup();
        let number = self.next_number()?;
        let previous = self.warehouse().current()?;
        let staged = Staged {
            writer: self,
            layouts,
            number,
            pipeline,
            log,
            relations,
            previous,
            parts: Mutex::default(),
            views: Mutex::default(),
            members: Mutex::default(),
            findings,
        };
        let dir = staged.dir();
        if fs::symlink_metadata(&dir).is_ok() {
            self.disk.remove_dir_all(&dir).map_err(|error| Error::io("remove", &dir, error))?;
        }
        self.disk.create_dir_all(&dir).map_err(|error| Error::io("create", &dir, error))?;
        Ok(staged)
    }
}

impl Staged<'_> {
    /// The layouts that it is built in.
    #[must_use]
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// Writes a table of one layout as one file.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn write_table(&self, layout: Layout, table: &Table) -> Result<()> {
        let encoded = encode(&table.batch, &table.sorted_by)?;
        let part = Part::new(&table.batch.schema(), &table.sorted_by)?;
        self.parts().insert((layout, table.name.clone()), part);
        let file = format!("{}.parquet", table.name);
        self.place(layout, &table.name, &file, &encoded, &Sums::default())
    }

    /// Announces a fact table, which may turn out to have no rows.
    ///
    /// # Errors
    ///
    /// A type that no table may hold is a bug.
    pub fn begin_fact(&self, plan: &FactPlan) -> Result<()> {
        for layout in &self.layouts {
            let part = Part::new(&plan.schema, &plan.sorted_by)?;
            self.parts().insert((*layout, plan.name.clone()), part);
        }
        Ok(())
    }

    /// Writes one partition of a fact, the same file in every layout. May be called from several
    /// threads, in any order.
    ///
    /// # Errors
    ///
    /// Rows of another schema are a bug; a sum that overflows is the data's; the disk fails.
    pub fn write_fact(&self, plan: &FactPlan, partition: PartitionKey, batch: &RecordBatch) -> Result<()> {
        self.write_part(plan, &format!("{}/{}", partition.directory(), partition.file_name()), batch)
    }

    /// Writes the only file of a fact that has no rows, so that whoever reads the folder finds the columns.
    /// The folder is the one that Hive, and with it every reader of partitions, knows for "no value".
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn write_empty_fact(&self, plan: &FactPlan) -> Result<()> {
        let rows = RecordBatch::new_empty(plan.schema.clone());
        self.write_part(plan, "date_month=__HIVE_DEFAULT_PARTITION__/empty.parquet", &rows)
    }

    fn write_part(&self, plan: &FactPlan, file: &str, batch: &RecordBatch) -> Result<()> {
        let sums = Sums::of(batch, &plan.additive)?;
        // Checks the types and takes the plan's fields for the batch's, comments and all.
        let batch = RecordBatch::try_new(plan.schema.clone(), batch.columns().to_vec())?;
        let encoded = encode(&batch, &plan.sorted_by)?;
        self.layouts.iter().try_for_each(|layout| self.place(*layout, &plan.name, file, &encoded, &sums))
    }

    /// Takes a partition of a fact over from the current release as it is.
    ///
    /// # Errors
    ///
    /// The current release does not have it; the disk fails.
    pub fn keep_fact(&self, plan: &FactPlan, partition: PartitionKey) -> Result<()> {
        let file = format!("{}/{}", partition.directory(), partition.file_name());
        let (original, known) = self.known(&plan.name, &file)?;
        has_length(&original, known.bytes)?;
        let sums = Sums::from_text(&known.sums)?;
        for layout in &self.layouts {
            let path = format!("{layout}/{}/{file}", plan.name);
            self.link_or_copy(&original, &path)?;
            self.enter(*layout, &plan.name, DataFile { path, ..known.clone() }, &sums)?;
        }
        Ok(())
    }

    /// Writes the members of an entity.
    ///
    /// # Errors
    ///
    /// The disk fails.
    pub fn write_members(&self, entity: &str, batch: &RecordBatch) -> Result<()> {
        let encoded = encode(batch, &[])?;
        let path = format!("members/{entity}.parquet");
        self.write_beside(&path, &encoded.bytes)?;
        let (rows, bytes, sums) = (encoded.rows, encoded.bytes.len() as u64, BTreeMap::new());
        let file = DataFile { path, rows, bytes, blake3: encoded.blake3, sums };
        self.members.lock().unwrap_or_else(PoisonError::into_inner).insert(entity.to_owned(), file);
        Ok(())
    }

    /// Writes a view as one file. `definition` is the hash of what the pipeline says of it; the sums of `additive` are
    /// its control totals.
    ///
    /// # Errors
    ///
    /// A sum that overflows is the data's; the disk fails.
    pub fn write_view(&self, table: &Table, definition: &str, additive: &[String]) -> Result<()> {
        let Table { name, sorted_by, batch } = table;
        let sums = Sums::of(batch, additive)?;
        let encoded = encode(batch, sorted_by)?;
        let path = view_path(name);
        self.write_beside(&path, &encoded.bytes)?;
        let (rows, bytes) = (encoded.rows, encoded.bytes.len() as u64);
        let file = DataFile { path, rows, bytes, blake3: encoded.blake3, sums: sums.to_text() };
        let mut part = Part::new(&batch.schema(), sorted_by)?;
        part.sums = sums;
        part.files.push(file);
        self.enter_view(name, ViewEntry { definition: definition.to_owned(), table: part.entry() });
        Ok(())
    }

    /// Takes a view over from the current release as it is.
    ///
    /// # Errors
    ///
    /// The current release does not have it; the disk fails.
    pub fn keep_view(&self, name: &str) -> Result<()> {
        let previous = self.previous.as_ref();
        let known = previous.and_then(|previous| Some((previous, previous.manifest().views.get(name)?)));
        let (previous, entry) =
            known.ok_or_else(|| Error::bug(format!("the current release has no view {name}")))?;
        for file in &entry.table.files {
            let original = previous.path(file);
            has_length(&original, file.bytes)?;
            self.link_or_copy(&original, &file.path)?;
        }
        self.enter_view(name, entry.clone());
        Ok(())
    }

    fn enter_view(&self, name: &str, entry: ViewEntry) {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), entry);
    }

    /// Writes a file that belongs to no layout, or gives the current release's a second name.
    pub(super) fn write_beside(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let target = self.dir().join(path);
        self.create_parent(&target)?;
        let previous = self.previous.as_ref().map(|previous| previous.dir().join(path));
        let is_linked = match previous {
            Some(previous) if has_bytes(&previous, bytes)? => self.link(&previous, &target)?,
            _ => false,
        };
        if is_linked {
            return Ok(());
        }
        self.writer.disk.write(&target, bytes).map_err(|error| Error::io("write", &target, error))
    }

    /// The release as it stands, for checks before it is published. Its folder moves when it is.
    ///
    /// # Errors
    ///
    /// A total that does not fit.
    pub fn candidate(&self) -> Result<Release> {
        Ok(Release::new(self.dir(), self.manifest()?, None))
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.writer.staging().join(format!("{:08}", self.number))
    }

    pub(super) fn manifest(&self) -> Result<Manifest> {
        let mut layouts: BTreeMap<String, BTreeMap<String, TableEntry>> =
            self.layouts.iter().map(|layout| (layout.to_string(), BTreeMap::new())).collect();
        for ((layout, name), part) in self.parts().iter() {
            layouts.entry(layout.to_string()).or_default().insert(name.clone(), part.entry());
        }
        let views = self.views.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut manifest = Manifest {
            format_version: FORMAT_VERSION,
            release: self.number,
            pipeline: self.pipeline.clone(),
            log_position: self.log.position,
            log_print: self.log.print,
            log_lines: self.log.lines,
            relations: self.relations.clone(),
            blake3: String::new(),
            layouts,
            views,
            members,
            findings: self.findings.clone(),
        };
        manifest.blake3 = root_hash(manifest.files());
        Ok(manifest)
    }

    /// Puts a file where it belongs, by a second name for one that is there or by writing it.
    fn place(&self, layout: Layout, table: &str, file: &str, encoded: &Encoded, sums: &Sums) -> Result<()> {
        let path_in = |layout: Layout| format!("{layout}/{table}/{file}");
        let path = self.dir().join(path_in(layout));
        self.create_parent(&path)?;
        let is_linked = match self.same_file(table, &path_in, encoded)? {
            Some(original) => self.link(&original, &path)?,
            None => false,
        };
        if !is_linked {
            self.writer
                .disk
                .write(&path, &encoded.bytes)
                .map_err(|error| Error::io("write", &path, error))?;
        }
        let file = DataFile {
            path: path_in(layout),
            rows: encoded.rows,
            bytes: encoded.bytes.len() as u64,
            blake3: encoded.blake3.clone(),
            sums: sums.to_text(),
        };
        self.enter(layout, table, file, sums)
    }

    /// Enters a file into its table.
    fn enter(&self, layout: Layout, table: &str, file: DataFile, sums: &Sums) -> Result<()> {
        let mut parts = self.parts();
        let part = parts
            .get_mut(&(layout, table.to_owned()))
            .ok_or_else(|| Error::bug(format!("table {table} was not announced")))?;
        part.sums.add(sums)?;
        part.files.push(file);
        Ok(())
    }

    fn create_parent(&self, path: &Path) -> Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        self.writer.disk.create_dir_all(parent).map_err(|error| Error::io("create", parent, error))
    }

    /// A file of a table that every layout shares, as the current release has it.
    fn known(&self, table: &str, file: &str) -> Result<(PathBuf, DataFile)> {
        let found = self.previous.as_ref().and_then(|previous| {
            let tables = previous.manifest().layouts.iter();
            let mut files = tables.filter_map(|(layout, tables)| {
                let path = format!("{layout}/{table}/{file}");
                tables.get(table)?.files.iter().find(|known| known.path == path)
            });
            files.next().map(|known| (previous.path(known), known.clone()))
        });
        found.ok_or_else(|| Error::bug(format!("the current release has no {table}/{file}")))
    }

    /// A second name for a file of the current release, or a copy where there can be none.
    fn link_or_copy(&self, original: &Path, path: &str) -> Result<()> {
        let path = self.dir().join(path);
        self.create_parent(&path)?;
        if self.link(original, &path)? {
            return Ok(());
        }
        let bytes = fs::read(original).map_err(|error| Error::io("read", original, error))?;
        self.writer.disk.write(&path, &bytes).map_err(|error| Error::io("write", &path, error))
    }

    /// A file with these bytes: this release's own in another layout, or the current release's.
    fn same_file(
        &self,
        table: &str,
        path_in: &impl Fn(Layout) -> String,
        encoded: &Encoded,
    ) -> Result<Option<PathBuf>> {
        for layout in &self.layouts {
            let path = path_in(*layout);
            let parts = self.parts();
            let files = parts.get(&(*layout, table.to_owned())).map_or(&[][..], |part| &part.files);
            if files.iter().any(|known| known.path == path && known.blake3 == encoded.blake3) {
                return Ok(Some(self.dir().join(path)));
            }
        }
        for layout in Layout::ALL {
            if let Some(previous) = &self.previous {
                let path = previous.dir().join(path_in(layout));
                if has_bytes(&path, &encoded.bytes)? {
                    return Ok(Some(path));
                }
            }
        }
        Ok(None)
    }

    /// Says whether the file has the second name now: a file system may allow no more or none.
    fn link(&self, original: &Path, link: &Path) -> Result<bool> {
        match self.writer.disk.hard_link(original, link) {
            Ok(()) => Ok(true),
            Err(error) if cannot_link(error.kind()) => Ok(false),
            Err(error) => Err(Error::io("link", link, error)),
        }
    }

    /// A thread that failed while it held the lock has ended the run; what it left is not published.
    fn parts(&self) -> MutexGuard<'_, BTreeMap<(Layout, String), Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Part {
    fn new(schema: &SchemaRef, sorted_by: &[String]) -> Result<Self> {
        let columns = schema.fields().iter().map(|field| Column::of(field)).collect::<Result<_>>()?;
        Ok(Self { columns, sorted_by: sorted_by.to_vec(), sums: Sums::default(), files: Vec::new() })
    }

    fn entry(&self) -> TableEntry {
        let mut files = self.files.clone();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        TableEntry {
            rows: files.iter().map(|file| file.rows).sum(),
            sums: self.sums.to_text(),
            sorted_by: self.sorted_by.clone(),
            columns: self.columns.clone(),
            files,
        }
    }
}

/// The only file of a view, in a release.
pub fn view_path(name: &str) -> String {
    format!("views/{name}/{name}.parquet")
}

/// Refuses to carry on a file that is not as long as it was when it was published.
fn has_length(path: &Path, bytes: u64) -> Result<()> {
    let metadata = fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
    if metadata.len() == bytes {
        return Ok(());
    }
    Err(Error::operator(format!("{} is not the file that was published", path.display()))
        .next("starlog rebuild PIPELINE makes it again from the log"))
}

/// Compares the bytes themselves, so that a file that has rotted or been tampered with is not carried on.
fn has_bytes(path: &Path, bytes: &[u8]) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() != bytes.len() as u64 => Ok(false),
        Ok(_) => Ok(fs::read(path).map_err(|error| Error::io("read", path, error))? == bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// File systems without hard links, files of another owner, and a file with as many names as it may have.
fn cannot_link(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::TooManyLinks | io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported)
}
