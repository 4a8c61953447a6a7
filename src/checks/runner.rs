//! [`Plan`] → [`Report`]: what does DuckDB say?

use super::plan::{Check, Effort, Plan, Proof, Tables};
use super::report::{Report, Total, Violation};
use super::sql::table;
use crate::error::{Error, Result};
use duckdb::Connection;
use std::collections::HashSet;
use std::ops::RangeInclusive;

const EXAMPLES: usize = 5;

/// The years that `dim_date` covers; rules for the time zone are rendered for them.
pub(super) fn years(connection: &Connection, tables: &Tables) -> Result<RangeInclusive<i32>> {
    let dates = table(&tables.facts, "dim_date");
    let sql = format!("SELECT coalesce(min(year(date)), 1), coalesce(max(year(date)), 0) FROM {dates}");
    let (first, last) = connection
        .query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .map_err(|error| failed("dim_date: years", error))?;
    let year =
        |year: i64| i32::try_from(year).map_err(|_| Error::bug(format!("dim_date has the year {year}")));
    Ok(year(first)?..=year(last)?)
}

/// Asks the proofs, then what they leave open.
pub(super) fn walk(connection: &Connection, plan: &Plan, effort: Effort) -> Result<Report> {
    for statement in &plan.prepare {
        connection.execute_batch(statement).map_err(|error| failed("preparation", error))?;
    }
    let mut report = Report { checks: plan.checks.len(), ..Report::default() };
    let mut proved = HashSet::new();
    for proof in &plan.proofs {
        ask_proof(connection, proof, &mut proved, &mut report)?;
    }
    for check in &plan.checks {
        if effort == Effort::Proofs && proved.contains(check.name.as_str()) {
            report.proved += 1;
        } else {
            report.violations.extend(ask(connection, check)?);
        }
    }
    Ok(report)
}

fn ask_proof<'a>(
    connection: &Connection,
    proof: &'a Proof,
    proved: &mut HashSet<&'a str>,
    report: &mut Report,
) -> Result<()> {
    let (holds, totals) = connection
        .query_row(&proof.sql, [], |row| {
            let holds = (0..proof.checks.len()).map(|i| row.get::<_, Option<bool>>(i));
            let texts =
                (0..2 * proof.totals.len()).map(|i| row.get::<_, Option<String>>(proof.checks.len() + i));
            Ok((holds.collect::<duckdb::Result<Vec<_>>>()?, texts.collect::<duckdb::Result<Vec<_>>>()?))
        })
        .map_err(|error| failed(&proof.checks.join(", "), error))?;
    proved.extend(
        proof
            .checks
            .iter()
            .zip(holds)
            .filter(|(_, holds)| *holds == Some(true))
            .map(|(name, _)| name.as_str()),
    );
    report.totals.extend(proof.totals.iter().zip(totals.chunks_exact(2)).map(|(name, pair)| Total {
        name: name.clone(),
        log: pair.first().cloned().flatten(),
        table: pair.get(1).cloned().flatten(),
    }));
    Ok(())
}

fn ask(connection: &Connection, check: &Check) -> Result<Option<Violation>> {
    // Not `count(*) OVER ()`: DuckDB 1.5.5 now and then fails on it when threads race (duckdb#25713).
    let sql = format!(
        "WITH example AS MATERIALIZED ({})
SELECT (SELECT count(*) FROM example), example::VARCHAR AS text FROM example ORDER BY text LIMIT {EXAMPLES}",
        check.sql
    );
    let rows = || -> duckdb::Result<Vec<(u64, Option<String>)>> {
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, u64>(0)?, row.get(1)?)))?;
        rows.collect()
    };
    let rows = rows().map_err(|error| failed(&check.name, error))?;
    Ok(rows.first().map(|(count, _)| Violation {
        check: check.name.clone(),
        count: *count,
        examples: rows.iter().filter_map(|(_, text)| text.clone()).collect(),
    }))
}

/// A query of ours that DuckDB refuses is our mistake, except where the machine gives out or a sum does not
/// fit into 38 digits: then nobody can say that the amounts balance.
pub(super) fn failed(name: &str, error: duckdb::Error) -> Error {
    let text = error.to_string();
    let message = format!("the check `{name}` could not be asked: {text}");
    let starts = |signs: &[&str]| signs.iter().any(|sign| text.starts_with(sign));
    let failed = if starts(&["Out of Memory Error", "IO Error"]) {
        Error::operator(message).next("give it more memory with --memory, or room on the disk")
    } else if starts(&["Out of Range Error", "Conversion Error"]) {
        Error::data(message)
            .next("an amount or a sum of amounts does not fit its type: widen it in the pipeline")
    } else {
        Error::bug(message)
    };
    failed.because(error)
}
