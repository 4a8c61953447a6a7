//! What a night touched → the same checks, asked of that alone (DESIGN 31): the headers that were replayed,
//! with their events; and that all other rows are as they were, and rightly so.

use super::plan::{Effort, Plan, Proof, Tables, named};
use super::report::Report;
use super::rows::{Ledger, role_key};
use super::runner::{self, failed};
use super::sql::{column, columns, equal, literal, name, names, present, table};
use super::views;
use crate::error::Result;
use crate::model::{Fact, Model, Role};
use crate::warehouse::Column;
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use duckdb::Connection;
use std::collections::BTreeSet;

/// What a night did, on a connection. The schemas hold fact tables under their names, and nothing else of them
/// than is said; a night without such files has them empty.
pub struct Night {
    /// The files in which rows of replayed headers lie.
    pub replayed: String,
    /// The files that were written.
    pub written: String,
    /// The files of the release before that those were made from.
    pub replaced: String,
    /// `dim_<dimension>` of the release before, as one wide relation each.
    pub before: String,
    /// In the order of the model's facts.
    pub scopes: Vec<Scope>,
}

/// What of a fact was replayed.
pub struct Scope {
    /// The natural keys of headers, under the names of the fact's.
    pub headers: RecordBatch,
    /// Each event type that the fact is bound to, once.
    pub events: Vec<Extract>,
}

/// The events of one type that were replayed.
pub struct Extract {
    /// The name of the type.
    pub event: String,
    /// All columns of the event store.
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

/// Rows that no replayed header has are those of the release before.
const STAYED: &str = "rows that the night did not replay are as they were";

/// Looks at what a night touched. What it objects to may hold all the same where an event names several headers of
/// which only some were replayed: then all must be looked at.
pub fn examine(connection: &Connection, model: &Model, tables: &Tables, night: &Night) -> Result<Report> {
    let years = runner::years(connection, tables)?;
    let mut plan = Plan::default();
    plan.dimensions(model, tables);
    for (fact, scope) in model.facts.iter().zip(&night.scopes) {
        let part = Tables {
            facts: format!("replayed {}", fact.name),
            log: format!("replayed {} log", fact.name),
            ..tables.clone()
        };
        let ledger = Ledger::new(model, fact, &part, years.clone());
        fill(connection, &ledger, scope)?;
        plan.prepare.extend(cut_out(&ledger, night));
        plan.fact(&ledger);
        stayed(&mut plan, &ledger, night);
        let whole = Ledger::new(model, fact, tables, years.clone());
        for role in &fact.roles {
            found_again(&mut plan, &whole, role, night);
        }
    }
    views::plan(&mut plan, model, tables, Some(&night.written))?;
    runner::walk(connection, &plan, Effort::Proofs)
}

/// Whether a check is one that a whole release does not have.
#[must_use]
pub fn is_of_nights(check: &str) -> bool {
    check.ends_with(STAYED) || check.ends_with(FOUND_AGAIN)
}

/// Hands over headers and events.
fn fill(connection: &Connection, ledger: &Ledger<'_>, scope: &Scope) -> Result<()> {
    let log = &ledger.tables.log;
    let schemas = [&ledger.tables.facts, log].map(|schema| format!("CREATE SCHEMA {}", name(schema)));
    execute(connection, &schemas.join(";\n"))?;
    if scope.headers.num_columns() > 0 {
        create(connection, HEADERS, &ledger.tables.facts, &scope.headers.schema())?;
        append(connection, HEADERS, &ledger.tables.facts, std::slice::from_ref(&scope.headers))?;
    }
    for Extract { event, schema, batches } in &scope.events {
        create(connection, event, log, schema)?;
        append(connection, event, log, batches)?;
    }
    Ok(())
}

/// Not the name of a fact table, which begins with `fact_`.
const HEADERS: &str = "headers";
const POSITIONS: &str = "positions";

fn create(connection: &Connection, relation: &str, schema: &str, columns: &Schema) -> Result<()> {
    let typed = columns.fields().iter().map(|field| {
        let column = Column::of(field)?;
        Ok(format!("{} {}", name(&column.name), column.sql_type))
    });
    let typed = typed.collect::<Result<Vec<_>>>()?;
    execute(connection, &format!("CREATE TABLE {} ({})", table(schema, relation), typed.join(", ")))
}

fn append(connection: &Connection, relation: &str, schema: &str, batches: &[RecordBatch]) -> Result<()> {
    let rows = batches.iter().filter(|batch| batch.num_rows() > 0);
    let handed_over = || -> duckdb::Result<()> {
        let mut appender = connection.appender_to_db(relation, schema)?;
        for batch in rows {
            appender.append_record_batch(batch.clone())?;
        }
        appender.flush()
    };
    handed_over().map_err(|error| failed(relation, error))
}

fn execute(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(|error| failed("what a night touched", error))
}

/// Creates the tables of a fact with the rows of the scope alone, and what the plan looks up beside them.
fn cut_out(ledger: &Ledger<'_>, night: &Night) -> Vec<String> {
    let schema = &ledger.tables.facts;
    let events: BTreeSet<String> = ledger.fact.events.iter().map(|binding| ledger.events(binding)).collect();
    let positions: Vec<String> =
        events.iter().map(|events| format!("SELECT _position AS position FROM {events}")).collect();
    let mut statements = vec![
        format!(
            "CREATE TABLE {} AS {}",
            table(schema, POSITIONS),
            if positions.is_empty() {
                "SELECT 0::BIGINT AS position".to_owned()
            } else {
                positions.join("\nUNION ALL\n")
            }
        ),
        format!("CREATE VIEW {} AS FROM main.dim_date", table(schema, "dim_date")),
    ];
    for fact_table in fact_tables(ledger.fact) {
        let rows = table(&night.replayed, &fact_table);
        let own = match ledger.header().as_slice() {
            [] => format!("SELECT f.* FROM {rows} AS f WHERE {}", is_replayed(ledger)),
            header => format!(
                "SELECT f.* FROM {rows} AS f SEMI JOIN {} AS h ON {}\nUNION ALL\nSELECT f.* FROM {rows} AS f WHERE NOT {} AND {}",
                table(schema, HEADERS),
                equal("f", "h", header),
                present("f", header),
                is_replayed(ledger),
            ),
        };
        statements.push(format!("CREATE TABLE {} AS {own}", table(schema, &fact_table)));
    }
    statements
}

/// The ledger, and the accumulating table if there is one.
fn fact_tables(fact: &Fact) -> impl Iterator<Item = String> {
    std::iter::once(&fact.name).chain(&fact.lines_name).map(|name| format!("fact_{name}"))
}

/// The row `f`, which has no header, comes from an event that was replayed.
fn is_replayed(ledger: &Ledger<'_>) -> String {
    format!("f.position IN (SELECT position FROM {})", table(&ledger.tables.facts, POSITIONS))
}

/// The rows of a table that are none of the scope's.
fn others(ledger: &Ledger<'_>, rows: &str) -> String {
    let header = ledger.header();
    if header.is_empty() {
        return format!("SELECT f.* FROM {rows} AS f WHERE NOT {}", is_replayed(ledger));
    }
    format!(
        "SELECT f.* FROM {rows} AS f ANTI JOIN {} AS h ON {} WHERE {} OR NOT {}",
        table(&ledger.tables.facts, HEADERS),
        equal("f", "h", &header),
        present("f", &header),
        is_replayed(ledger),
    )
}

/// The written files hold, besides the scope's rows, what the files held that they were made from.
fn stayed(plan: &mut Plan, ledger: &Ledger<'_>, night: &Night) {
    for fact_table in fact_tables(ledger.fact) {
        let now = others(ledger, &table(&night.written, &fact_table));
        let then = others(ledger, &table(&night.replaced, &fact_table));
        plan.check(
            &fact_table,
            STAYED,
            format!(
                "SELECT 'now' AS side, * FROM ({now} EXCEPT ALL {then})
UNION ALL
SELECT 'before' AS side, * FROM ({then} EXCEPT ALL {now})"
            ),
        );
        let print =
            |rows: &str| format!("(SELECT {{'rows': count(*), 'print': sum(hash(r))}} FROM ({rows}) AS r)");
        plan.proofs.push(Proof {
            sql: format!("SELECT {} IS NOT DISTINCT FROM {}", print(&now), print(&then)),
            checks: vec![named(&fact_table, STAYED)],
            totals: Vec::new(),
        });
    }
}

const FOUND_AGAIN: &str = "rows whose version is another one now were replayed";

/// A placed row whose key is no longer looked up at its instant must be in the scope.
fn found_again(plan: &mut Plan, ledger: &Ledger<'_>, role: &Role, night: &Night) {
    let lost = format!("lost {} {}", ledger.fact.name, role.name);
    plan.prepare.push(format!("CREATE TEMP TABLE {} AS {}", name(&lost), lost_spans(ledger, role, night)));
    // A constant when the question is planned, so that older files are not read.
    let since = literal(&lost);
    plan.prepare.push(format!("SET VARIABLE {} = (SELECT min(_from) FROM temp.{0})", name(&lost)));
    let part = Tables { facts: format!("replayed {}", ledger.fact.name), ..ledger.tables.clone() };
    let scope = Ledger::new(ledger.model, ledger.fact, &part, 1..=1);
    let key = column("f", &role_key(role));
    plan.check(
        &ledger.title,
        &format!("{}: {FOUND_AGAIN}", role_key(role)),
        format!(
            "WITH moved AS MATERIALIZED (
SELECT f.* FROM {} AS f
WHERE f.occurred_at >= getvariable({since}) AND {} AND EXISTS (
  FROM temp.{} AS l WHERE l._key = {key} AND f.occurred_at >= l._from AND f.occurred_at < l._until))
SELECT f.position, f.item, f.occurred_at, {key} FROM ({}) AS f",
            ledger.table,
            ledger.placing("f"),
            name(&lost),
            others(&scope, "moved"),
        ),
    );
}

/// By key: spans in which it was looked up in the release before, and is no more.
fn lost_spans(ledger: &Ledger<'_>, role: &Role, night: &Night) -> String {
    let dimension = &ledger.model.dimensions[role.dimension];
    let relation = format!("dim_{}", dimension.name);
    let key = name(&format!("{}_key", dimension.name));
    let natural = names(ledger.natural_key(role));
    let list = columns("d", &natural);
    let versions = |schema: &str| {
        let rows = table(schema, &relation);
        format!("SELECT d.{key} AS _key, {list}, d.valid_from FROM {rows} AS d WHERE d.{key} > 0")
    };
    let spans = |versions: &str| {
        format!(
            "SELECT d._key,
  CASE WHEN lag(d.valid_from) OVER versions IS NULL THEN TIMESTAMP '-infinity' ELSE d.valid_from END AS _from,
  coalesce(lead(d.valid_from) OVER versions, TIMESTAMP 'infinity') AS _until
FROM {versions} AS d SEMI JOIN changed AS c ON {}
WINDOW versions AS (PARTITION BY {list} ORDER BY d.valid_from)",
            equal("d", "c", &natural)
        )
    };
    format!(
        "WITH now AS ({}), old AS ({}),
changed AS (
SELECT DISTINCT {list} FROM ((FROM now EXCEPT FROM old) UNION ALL (FROM old EXCEPT FROM now)) AS d),
now_spans AS ({}),
old_spans AS ({})
SELECT o._key, o._from, coalesce(least(n._from, o._until), o._until) AS _until
FROM old_spans AS o LEFT JOIN now_spans AS n ON n._key = o._key WHERE n._from > o._from OR n._key IS NULL
UNION ALL
SELECT o._key, greatest(n._until, o._from), o._until
FROM old_spans AS o JOIN now_spans AS n ON n._key = o._key WHERE n._until < o._until",
        versions(&ledger.tables.wide),
        versions(&night.before),
        spans("now"),
        spans("old"),
    )
}
