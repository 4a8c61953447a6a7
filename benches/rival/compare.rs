//! What both published → is it the same, row by row?
//!
//! The two number their keys differently. So a dimension is compared without its key, and a fact with the key
//! that Starlog's dimension has for the version which the expert's fact points to.

use crate::Result;
use duckdb::Connection;
use std::path::Path;

const DIMENSIONS: [&str; 3] = ["product", "customer", "store"];
const FACTS: [&str; 2] = ["fact_orders", "fact_order_lines"];

pub fn run(warehouse: &Path, expert: &Path) -> Result<()> {
    let tables = Tables { connection: Connection::open_in_memory()? };
    for (schema, folder) in [("ours", warehouse.join("current/star")), ("theirs", expert.to_path_buf())] {
        tables.open(schema, &folder)?;
    }
    let mut is_same = true;
    for dimension in DIMENSIONS {
        is_same &= tables.compare_dimension(dimension)?;
    }
    is_same &= tables.compare("dim_date", "*", "*", "")?;
    for fact in FACTS {
        is_same &= tables.compare_fact(fact)?;
    }
    if is_same { Ok(()) } else { Err("the two did not publish the same tables".into()) }
}

struct Tables {
    connection: Connection,
}

impl Tables {
    fn open(&self, schema: &str, folder: &Path) -> Result<()> {
        self.connection.execute_batch(&format!("CREATE SCHEMA {schema}"))?;
        let dimensions = DIMENSIONS.map(|dimension| format!("dim_{dimension}"));
        let names = dimensions.iter().map(String::as_str).chain(["dim_date"]).chain(FACTS);
        for name in names {
            // A folder with a file in it, or in a folder for each month, or (the expert's dimensions) just a file.
            let (in_folder, file) = (folder.join(name), folder.join(format!("{name}.parquet")));
            let files = if file.is_file() { file } else { in_folder.join("**/*.parquet") };
            let files = files.to_string_lossy().replace('\'', "''");
            let read = format!("FROM read_parquet('{files}', hive_partitioning = false)");
            self.connection.execute_batch(&format!("CREATE VIEW {schema}.{name} AS {read}"))?;
        }
        Ok(())
    }

    fn compare_dimension(&self, name: &str) -> Result<bool> {
        let version = format!(
            "o.{name}_id IS NOT DISTINCT FROM t.{name}_id
            AND o.valid_from IS NOT DISTINCT FROM t.valid_from
            AND (o.{name}_id IS NOT NULL OR o.{name}_key = t.{name}_key)"
        );
        self.connection.execute_batch(&format!(
            "CREATE TABLE {name} AS SELECT t.{name}_key AS theirs, o.{name}_key AS ours
             FROM ours.dim_{name} o JOIN theirs.dim_{name} t ON {version}"
        ))?;
        let columns = format!("* EXCLUDE ({name}_key)");
        self.compare(&format!("dim_{name}"), &columns, &columns, "")
    }

    fn compare_fact(&self, name: &str) -> Result<bool> {
        let keys = DIMENSIONS.map(|dimension| format!("{dimension}.ours AS {dimension}_key"));
        let joins = DIMENSIONS
            .map(|dimension| format!(" LEFT JOIN {dimension} ON {dimension}.theirs = t.{dimension}_key"));
        self.compare(name, "*", &format!("t.* REPLACE ({})", keys.join(", ")), &joins.concat())
    }

    /// Compares names and types of columns, the number of rows, and the rows as bags.
    fn compare(&self, name: &str, ours: &str, theirs: &str, joins: &str) -> Result<bool> {
        let [our_columns, their_columns] = ["ours", "theirs"].map(|schema| {
            self.text(&format!(
                "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY column_index)
                 FROM duckdb_columns() WHERE schema_name = '{schema}' AND table_name = '{name}'"
            ))
        });
        let (our_columns, their_columns) = (our_columns?, their_columns?);
        if our_columns != their_columns {
            println!("  {name}: other columns\n    starlog  {our_columns}\n    expert   {their_columns}");
            return Ok(false);
        }
        let ours = format!("SELECT {ours} FROM ours.{name}");
        let theirs = format!("SELECT {theirs} FROM theirs.{name} t{joins}");
        let rows = self.text(&format!("SELECT format('{{:,}}', count(*)) FROM ({ours})"))?;
        let mut is_same = true;
        for (who, one, other) in [("starlog", &ours, &theirs), ("expert", &theirs, &ours)] {
            self.connection
                .execute_batch(&format!("CREATE OR REPLACE TABLE rest AS ({one}) EXCEPT ALL ({other})"))?;
            let only_here = self.text("SELECT count(*)::VARCHAR FROM rest")?;
            if only_here != "0" {
                println!("  {name}: {only_here} rows only {who} has, the first:");
                println!("    {}", self.text("SELECT rest::VARCHAR FROM rest ORDER BY ALL LIMIT 1")?);
                is_same = false;
            }
        }
        if is_same {
            println!("  {name:<18}{rows:>12} rows");
        }
        Ok(is_same)
    }

    fn text(&self, sql: &str) -> Result<String> {
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }
}
