//! Layouts: joining the snowflake gives the star back, row for row (DESIGN 24).

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use duckdb::Connection;
use proptest::prelude::*;
use starlog::layout::{COMMENT, Layout, Table, fact_schema, tables, wide_sql};
use starlog::model::{Attribute, Dimension, Entity, KeyColumn, Model, PlainLevel, Tracking, ValueType};
use starlog::warehouse::encode;
use std::path::Path;
use std::sync::Arc;

/// A row of an entity as `history` would hand it on: its own values, and the row of its parent.
#[derive(Debug, Clone)]
struct Row {
    values: Vec<Option<String>>,
    parent: Option<usize>,
}

/// A dimension with `entities` entities and plain levels of these numbers of columns, bottom up.
fn dimension(entities: usize, plain: &[usize]) -> Dimension {
    let mut all: Vec<Entity> = (0..entities)
        .map(|index| Entity {
            name: format!("level{index}"),
            key: vec![KeyColumn { name: format!("id{index}"), value_type: ValueType::Text }],
            attributes: vec![
                attribute(&format!("name{index}"), Tracking::History),
                attribute(&format!("note{index}"), Tracking::Previous),
            ],
            parent_tracking: Tracking::History,
            events: vec![],
        })
        .collect();
    let last = all.last_mut().unwrap();
    let mut plain_levels = vec![];
    for (level, columns) in plain.iter().enumerate() {
        let first = last.attributes.len();
        for column in 0..*columns {
            let tracking = if column == 0 { Tracking::History } else { Tracking::Previous };
            last.attributes.push(attribute(&format!("plain{level}_{column}"), tracking));
        }
        plain_levels.push(PlainLevel {
            name: format!("rung{level}"),
            attributes: (first..first + columns).collect(),
        });
    }
    Dimension { name: "level0".to_owned(), entities: all, plain_levels }
}

fn attribute(name: &str, tracking: Tracking) -> Attribute {
    Attribute { name: name.to_owned(), value_type: ValueType::Text, tracking }
}

/// The columns of an entity, as values stand in a [`Row`].
fn own_columns(entity: &Entity) -> Vec<String> {
    let mut names: Vec<String> = entity.key.iter().map(|column| column.name.clone()).collect();
    for attribute in &entity.attributes {
        names.push(attribute.name.clone());
        if attribute.tracking == Tracking::Previous {
            names.push(format!("previous_{}", attribute.name));
        }
    }
    names
}

/// The wide batches of all entities, from rows bottom up; keys are 3, 6, 9 …
fn batches(dimension: &Dimension, rows: &[Vec<Row>]) -> Vec<RecordBatch> {
    (0..rows.len()).map(|level| wide_batch(dimension, rows, level)).collect()
}

fn wide_batch(dimension: &Dimension, rows: &[Vec<Row>], level: usize) -> RecordBatch {
    let count = rows[level].len() as i64;
    let keys: Vec<i64> = [-2, -1].into_iter().chain((1..=count).map(|row| row * 3)).collect();
    let mut columns: Vec<(String, ArrayRef, bool)> =
        vec![(format!("{}_key", dimension.entities[level].name), Arc::new(Int64Array::from(keys)), false)];
    let mut ancestors: Vec<Option<usize>> = (0..rows[level].len()).map(Some).collect();
    for (entity, rows) in dimension.entities.iter().zip(rows).skip(level) {
        for (index, name) in own_columns(entity).into_iter().enumerate() {
            let values = ancestors.iter().map(|row| row.and_then(|row| rows[row].values[index].clone()));
            let values: StringArray = [None, None].into_iter().chain(values).collect();
            columns.push((name, Arc::new(values), true));
        }
        ancestors = ancestors.iter().map(|row| row.and_then(|row| rows[row].parent)).collect();
    }
    for name in ["valid_from", "valid_to"] {
        let instants = [None, None].into_iter().chain((1..=count).map(Some));
        columns.push((name.to_owned(), Arc::new(instants.collect::<TimestampMicrosecondArray>()), true));
    }
    for name in ["is_current", "is_inferred"] {
        let flags = [None, None].into_iter().chain((0..count).map(|row| Some(row % 2 == 0)));
        columns.push((name.to_owned(), Arc::new(flags.collect::<BooleanArray>()), true));
    }
    if level + 1 < dimension.entities.len() {
        let parents = rows[level].iter().map(|row| row.parent.map_or(-2, |parent| (parent as i64 + 1) * 3));
        let parents: Vec<i64> = [-2, -1].into_iter().chain(parents).collect();
        columns.push(("_parent_key".to_owned(), Arc::new(Int64Array::from(parents)), false));
    }
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

/// A database with the tables of a layout in a schema of its name, read from Parquet.
fn load(connection: &Connection, layout: Layout, tables: &[Table]) {
    let dir = tempfile::tempdir().unwrap();
    connection.execute_batch(&format!("CREATE SCHEMA \"{layout}\"")).unwrap();
    for Table { name, sorted_by, batch } in tables {
        let path = dir.path().join(name);
        std::fs::write(&path, encode(batch, sorted_by).unwrap().bytes).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE \"{layout}\".\"{name}\" AS FROM read_parquet('{}')",
                path.display()
            ))
            .unwrap();
    }
}

/// All rows of a query, in the order of its first column.
fn answer(connection: &Connection, sql: &str) -> RecordBatch {
    let mut statement = connection.prepare(&format!("FROM ({sql}) ORDER BY 1")).unwrap();
    let batches: Vec<RecordBatch> = statement.query_arrow([]).unwrap().collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// Both layouts give the relation back that `history` made: the same columns, rows and values.
fn assert_round_trip(dimension: &Dimension, entities: &[RecordBatch]) {
    let wide = &entities[0];
    let kept: Vec<usize> = (0..wide.num_columns())
        .filter(|column| wide.schema().field(*column).name() != "_parent_key")
        .collect();
    let expected = wide.project(&kept).unwrap();
    let connection = Connection::open_in_memory().unwrap();
    for layout in Layout::ALL {
        load(&connection, layout, &tables(layout, dimension, entities).unwrap());
        let back = answer(&connection, &wide_sql(layout, dimension, &layout.to_string()));
        let names = |batch: &RecordBatch| {
            batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&back), names(&expected), "columns of {layout}");
        for (name, (back, expected)) in names(&back).iter().zip(back.columns().iter().zip(expected.columns()))
        {
            assert_eq!(back.to_data(), expected.to_data(), "column {name} of {layout}");
        }
    }
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn integers(batch: &RecordBatch, column: &str) -> Vec<i64> {
    batch.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec()
}

/// One entity with the plain levels city and state.
fn places(rows: &[[Option<&str>; 2]]) -> (Dimension, Vec<RecordBatch>) {
    let dimension = dimension(1, &[1, 1]);
    let rows = rows
        .iter()
        .enumerate()
        .map(|(row, [city, state])| Row {
            values: [Some(&*format!("m{row}")), Some("n"), None, None, *city, *state]
                .map(|value| value.map(str::to_owned))
                .to_vec(),
            parent: None,
        })
        .collect();
    let batches = batches(&dimension, &[rows]);
    (dimension, batches)
}

#[test]
fn layouts_are_named_and_told_apart() {
    assert_eq!(Layout::ALL.map(|layout| layout.to_string().parse::<Layout>().unwrap()), Layout::ALL);
    assert_eq!("galaxy".parse::<Layout>().unwrap_err().exit_code(), 2);
}

#[test]
fn plain_levels_are_told_apart_by_all_levels_above() {
    let (dimension, batches) = places(&[
        [Some("Springfield"), Some("Ohio")],     // key 3
        [Some("Springfield"), Some("Illinois")], // key 6
        [Some("Springfield"), Some("Ohio")],     // key 9
        [None, Some("Ohio")],                    // key 12: a city without a name, in Ohio
        [Some("Atlantis"), None],                // key 15: a city in no state
        [None, None],                            // key 18: nowhere
    ]);
    let snowflake = tables(Layout::Snowflake, &dimension, &batches).unwrap();
    let [member, city, state] = &snowflake[..] else { panic!("three tables") };

    assert_eq!(member.name, "dim_level0");
    assert_eq!(integers(&member.batch, "rung0_key"), [-2, -1, 3, 6, 3, 12, 15, -2]);
    assert!(member.batch.column_by_name("plain0_0").is_none(), "a plain level's column left its entity");

    assert_eq!(city.name, "dim_rung0");
    assert_eq!(integers(&city.batch, "rung0_key"), [-2, -1, 3, 6, 12, 15]);
    let springfield = || Some("Springfield".to_owned());
    assert_eq!(
        texts(&city.batch, "plain0_0"),
        [None, None, springfield(), springfield(), None, Some("Atlantis".to_owned())]
    );
    assert_eq!(integers(&city.batch, "rung1_key"), [-2, -1, 3, 6, 3, -2]);

    assert_eq!(state.name, "dim_rung1");
    assert_eq!(integers(&state.batch, "rung1_key"), [-2, -1, 3, 6]);
    assert_eq!(
        texts(&state.batch, "plain1_0"),
        [None, None, Some("Ohio".to_owned()), Some("Illinois".to_owned())]
    );
    assert_round_trip(&dimension, &batches);
}

#[test]
fn the_table_of_an_entity_holds_rows_without_children() {
    let dimension = dimension(2, &[]);
    let parents =
        ["a", "b"].map(|id| Row { values: vec![Some(id.to_owned()), None, None, None], parent: None });
    let child = Row { values: vec![Some("x".to_owned()), None, None, None], parent: Some(1) };
    let orphan = Row { values: vec![Some("y".to_owned()), None, None, None], parent: None };
    let batches = batches(&dimension, &[vec![child, orphan], parents.to_vec()]);
    let snowflake = tables(Layout::Snowflake, &dimension, &batches).unwrap();
    assert_eq!(integers(&snowflake[0].batch, "level1_key"), [-2, -1, 6, -2]);
    assert_eq!(integers(&snowflake[1].batch, "level1_key"), [-2, -1, 3, 6]);
    assert_round_trip(&dimension, &batches);
}

/// What `history` would hand on of a log without events: the reserved rows.
fn reserved_rows(dimension: &Dimension) -> Vec<RecordBatch> {
    let nulls = |value_type: ValueType| new_null_array(&value_type.arrow(), 2);
    let entity_columns = |entity: &Entity| -> Vec<(String, ArrayRef)> {
        let mut columns: Vec<(String, ArrayRef)> =
            entity.key.iter().map(|column| (column.name.clone(), nulls(column.value_type))).collect();
        for attribute in &entity.attributes {
            columns.push((attribute.name.clone(), nulls(attribute.value_type)));
            if attribute.tracking == Tracking::Previous {
                columns.push((format!("previous_{}", attribute.name), nulls(attribute.value_type)));
            }
        }
        columns
    };
    let reserved = || Arc::new(Int64Array::from(vec![-2, -1])) as ArrayRef;
    let batch = |level: usize| {
        let mut columns = vec![(format!("{}_key", dimension.entities[level].name), reserved())];
        columns.extend(dimension.entities[level..].iter().flat_map(entity_columns));
        for (name, value_type) in [
            ("valid_from", ValueType::Timestamp),
            ("valid_to", ValueType::Timestamp),
            ("is_current", ValueType::Boolean),
            ("is_inferred", ValueType::Boolean),
        ] {
            columns.push((name.to_owned(), nulls(value_type)));
        }
        if level + 1 < dimension.entities.len() {
            columns.push(("_parent_key".to_owned(), reserved()));
        }
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| {
            let nullable = array.null_count() > 0;
            (name, array, nullable)
        }))
        .unwrap()
    };
    (0..dimension.entities.len()).map(batch).collect()
}

/// The table and each column with its comment, as a person reads them.
fn told(title: &str, schema: &Schema) -> String {
    let columns = schema.fields().iter().map(|field| {
        let comment = field.metadata().get(COMMENT).map_or("", String::as_str);
        assert!(comment.len() > 10, "{title} {}: {comment:?}", field.name());
        format!("    {}: {comment}\n", field.name())
    });
    format!("{title}\n{}", columns.collect::<String>())
}

fn shipped(pipeline: &str) -> Model {
    starlog::model::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(pipeline)).unwrap()
}

#[test]
fn every_column_of_a_dimension_has_a_comment() {
    let model = shipped("retail.toml");
    let mut text = String::new();
    for layout in Layout::ALL {
        for dimension in &model.dimensions {
            for table in tables(layout, dimension, &reserved_rows(dimension)).unwrap() {
                text.push_str(&told(&format!("{layout}.{}", table.name), &table.batch.schema()));
            }
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_column_of_a_fact_has_a_comment() {
    let model = shipped("retail.toml");
    let fact = &model.facts[0];
    let mut common: Vec<String> = fact.header.iter().map(|column| column.name.clone()).collect();
    common.extend(fact.columns.iter().map(|column| column.name.clone()));
    common.extend(fact.line.iter().map(|column| column.name.clone()));
    common.extend(fact.roles.iter().map(|role| format!("{}_key", role.name)));
    common.extend(fact.measures.iter().map(|measure| measure.name.clone()));
    let ledger = ["position", "item", "kind", "occurred_at", "date_key"].map(str::to_owned);
    let milestones =
        fact.milestones.iter().flat_map(|name| [format!("{name}_date_key"), format!("days_to_{name}")]);
    let left = fact.quantity.map(|quantity| format!("{}_left", fact.measures[quantity].name));
    let lines: Vec<String> = milestones.chain(left).chain(["status".to_owned()]).collect();

    let mut text = String::new();
    for (table, own) in [(&fact.name, ledger.to_vec()), (fact.lines_name.as_ref().unwrap(), lines)] {
        let table = format!("fact_{table}");
        let fields = common.iter().chain(&own).map(|name| Field::new(name, DataType::Int64, true));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        text.push_str(&told(&table, &fact_schema(&model, &table, &schema).unwrap()));
    }
    insta::assert_snapshot!(text);

    let stranger = Schema::new(vec![Field::new("stranger", DataType::Int64, true)]);
    assert_eq!(fact_schema(&model, "fact_orders", &stranger).unwrap_err().exit_code(), 4);
}

#[test]
fn dimensions_of_the_shipped_pipelines_are_given_back() {
    for pipeline in ["retail.toml", "online_retail.toml", "adventureworks.toml"] {
        for dimension in &shipped(pipeline).dimensions {
            assert_round_trip(dimension, &reserved_rows(dimension));
        }
    }
}

#[test]
fn rows_out_of_order_are_refused() {
    let (dimension, batches) = places(&[[Some("a"), None], [Some("b"), None]]);
    let without_reserved = batches[0].slice(2, 2);
    let error = tables(Layout::Snowflake, &dimension, &[without_reserved]).unwrap_err();
    assert_eq!(error.exit_code(), 4);
}

/// Few different values, so that rows meet.
fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some(String::new())),
        "[ab]".prop_map(Some),
        Just(Some("a\"'; \u{0}ü".to_owned()))
    ]
}

fn any_dimension() -> impl Strategy<Value = (Dimension, Vec<RecordBatch>)> {
    (1usize..=3, prop::collection::vec(1usize..=2, 0..=3)).prop_flat_map(|(entities, plain)| {
        let dimension = dimension(entities, &plain);
        let rows: Vec<_> = dimension
            .entities
            .iter()
            .map(|entity| {
                let values = prop::collection::vec(value(), own_columns(entity).len());
                let row = (values, prop::option::of(any::<prop::sample::Index>()));
                prop::collection::vec(row, 0..=12)
            })
            .collect();
        rows.prop_map(move |levels| {
            let rows: Vec<Vec<Row>> = (0..levels.len())
                .map(|level| {
                    let parents = levels.get(level + 1).map_or(0, Vec::len);
                    levels[level]
                        .iter()
                        .map(|(values, parent)| Row {
                            values: values.clone(),
                            parent: parent.filter(|_| parents > 0).map(|index| index.index(parents)),
                        })
                        .collect()
                })
                .collect();
            (dimension.clone(), batches(&dimension, &rows))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn joining_the_snowflake_gives_the_star((dimension, entities) in any_dimension()) {
        assert_round_trip(&dimension, &entities);
    }
}
