//! SQL text → [`Question`]s, which are known to read and do nothing else.
//!
//! Three walls stand behind each other:
//!
//! 1. Only a text that DuckDB's own parser calls a SELECT becomes a question, and it is judged before
//!    anything is bound or run: `json_serialize_sql` parses, and serializes nothing but SELECTs (with
//!    them FROM, VALUES, TABLE, DESCRIBE, SUMMARIZE, SHOW and PIVOT ... IN). DuckDB's grammar allows
//!    nothing but SELECTs inside a SELECT.
//!    EXPLAIN is added by ourselves in front of a text that has been judged to be a SELECT.
//! 2. A SELECT may still call functions that write: `FROM enable_profiling(save_location := ...)` writes
//!    a file, `FROM enable_peg_parser()` swaps the parser. So the functions that stand in a FROM clause
//!    must be among those that are known to read, and a few others must not occur at all.
//! 3. The connection can open no file but those of the release, can load no extension, and its settings
//!    are locked (see [`session`](super::session)). That alone would not do: a COPY without a temporary
//!    file could overwrite a file that it may read.

use duckdb::{Connection, params};

use super::fault;
use super::statements::{first_word, skip_blanks, split};
use crate::error::{Error, Result};

/// One statement that reads and does nothing else.
#[derive(Debug, Clone)]
pub struct Question {
    pub(super) sql: String,
    /// The answer is a plan: text to be shown line by line.
    pub(super) is_plan: bool,
}

impl Question {
    /// Whether the answer is a plan and no rows of tables.
    #[must_use]
    pub fn is_a_plan(&self) -> bool {
        self.is_plan
    }
}

/// The functions that may stand in a FROM clause. All of them read: rows out of thin air, the catalog,
/// or files, which are only those of the release.
const TABLE_FUNCTIONS: &[&str] = &[
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_databases",
    "duckdb_extensions",
    "duckdb_functions",
    "duckdb_keywords",
    "duckdb_memory",
    "duckdb_schemas",
    "duckdb_settings",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "generate_subscripts",
    "histogram",
    "histogram_values",
    "json_each",
    "json_tree",
    "parquet_bloom_probe",
    "parquet_file_metadata",
    "parquet_full_metadata",
    "parquet_kv_metadata",
    "parquet_metadata",
    "parquet_scan",
    "parquet_schema",
    "pragma_collations",
    "pragma_platform",
    "pragma_show",
    "pragma_table_info",
    "pragma_version",
    "query_table",
    "range",
    "read_parquet",
    "repeat",
    "repeat_row",
    "summary",
    "test_all_types",
    "unnest",
];

/// Functions that may stand nowhere: one writes into DuckDB's log, the other plans a text unseen by us.
const REFUSED_FUNCTIONS: &[&str] = &["write_log", "json_serialize_plan"];

/// Takes a text apart into questions. An error names the first statement that is none; nothing has been
/// bound or run by then.
pub(super) fn questions(connection: &Connection, text: &str) -> Result<Vec<Question>> {
    if text.contains('\0') {
        return Err(Error::author("the SQL text holds a NUL character"));
    }
    let mut questions = Vec::new();
    for statement in split(text) {
        questions.extend(question(connection, statement)?);
    }
    Ok(questions)
}

/// What one statement asks; `None` if it is only a comment.
fn question(connection: &Connection, statement: &str) -> Result<Option<Question>> {
    let (word, rest) = first_word(statement);
    if word == "EXPLAIN" {
        return explained(connection, rest).map(Some);
    }
    match judge(connection, statement)? {
        Verdict::Reads => Ok(Some(Question { sql: statement.to_owned(), is_plan: false })),
        Verdict::Empty => Ok(None),
        Verdict::Other => Err(refused(&word, statement)),
    }
}

/// `EXPLAIN [ANALYZE | (options)] select`. What is run is composed here, of a SELECT judged on its own.
fn explained(connection: &Connection, rest: &str) -> Result<Question> {
    let (word, after_word) = first_word(rest);
    let (option, select) = match word.as_str() {
        "ANALYZE" | "ANALYSE" => (" ANALYZE", skip_blanks(after_word)),
        _ => ("", skip_blanks(rest)),
    };
    let mut candidates = vec![(option.to_owned(), select)];
    if option.is_empty()
        && let Some((options, select)) = explain_options(select)
    {
        candidates.insert(0, (format!(" ({options})"), select));
    }
    let mut refusal = None;
    for (option, select) in candidates {
        match judge(connection, select) {
            Ok(Verdict::Reads) => {
                return Ok(Question { sql: format!("EXPLAIN{option} {select}"), is_plan: true });
            }
            Ok(Verdict::Empty) => refusal = Some(Error::author("EXPLAIN of nothing")),
            Ok(Verdict::Other) => refusal = Some(refused(&first_word(select).0, select)),
            Err(error) => refusal = Some(error),
        }
    }
    Err(refusal.unwrap_or_else(|| Error::author("EXPLAIN of nothing")))
}

/// `(ANALYZE, FORMAT json) select` → the words in the parentheses and the rest.
fn explain_options(text: &str) -> Option<(&str, &str)> {
    let (options, rest) = text.strip_prefix('(')?.split_once(')')?;
    let are_words = options.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '_'));
    let select = skip_blanks(rest);
    (are_words && !select.is_empty()).then_some((options, select))
}

enum Verdict {
    Reads,
    Empty,
    Other,
}

/// Lets DuckDB parse a text, and looks at what came out. Nothing is bound.
fn judge(connection: &Connection, statement: &str) -> Result<Verdict> {
    let parsed = Parsed::of(connection, statement)?;
    match parsed.error_type.as_deref() {
        None => {}
        Some("not implemented") => return Ok(Verdict::Other),
        Some(_) => return Err(parsed.syntax_error(statement)),
    }
    match parsed.statements {
        0 => return Ok(Verdict::Empty),
        1 => {}
        _ => return Err(Error::author("several statements where one was expected")),
    }
    for function in &parsed.table_functions {
        if !TABLE_FUNCTIONS.contains(&function.to_lowercase().as_str()) {
            return Err(Error::author(format!("the function {function} is refused in a FROM clause"))
                .next("a query reads the tables of the release; SHOW ALL TABLES names them"));
        }
    }
    for function in &parsed.functions {
        if REFUSED_FUNCTIONS.contains(&function.to_lowercase().as_str()) {
            return Err(
                Error::author(format!("the function {function} is refused")).next("a query may only read")
            );
        }
    }
    Ok(Verdict::Reads)
}

/// What DuckDB's parser says of a text.
#[derive(Default)]
struct Parsed {
    statements: usize,
    error_type: Option<String>,
    error_message: String,
    error_position: Option<usize>,
    table_functions: Vec<String>,
    functions: Vec<String>,
}

const PARSE: &str = "
    WITH parsed AS MATERIALIZED (SELECT json_serialize_sql(?::VARCHAR) AS tree)
    SELECT 'statements', json_array_length(tree, '$.statements')::VARCHAR FROM parsed
    UNION ALL SELECT 'error', tree->>'$.error' FROM parsed
    UNION ALL SELECT 'error_type', tree->>'$.error_type' FROM parsed
    UNION ALL SELECT 'error_message', tree->>'$.error_message' FROM parsed
    UNION ALL SELECT 'error_position', tree->>'$.position' FROM parsed
    UNION ALL SELECT 'table_function', unnest(tree->>'$..function.function_name') FROM parsed
    UNION ALL SELECT 'function', unnest(tree->>'$..function_name') FROM parsed";

impl Parsed {
    fn of(connection: &Connection, statement: &str) -> Result<Self> {
        let ours = |error: duckdb::Error| fault::of_ours("parse", &error);
        let mut query = connection.prepare(PARSE).map_err(ours)?;
        let mut rows = query.query(params![statement]).map_err(ours)?;
        let mut parsed = Self::default();
        let mut is_error = None;
        while let Some(row) = rows.next().map_err(ours)? {
            let what: String = row.get(0).map_err(ours)?;
            let Some(value) = row.get::<_, Option<String>>(1).map_err(ours)? else { continue };
            match what.as_str() {
                "statements" => parsed.statements = value.parse().unwrap_or(usize::MAX),
                "error" => is_error = Some(value != "false"),
                "error_type" => parsed.error_type = Some(value),
                "error_message" => parsed.error_message = value,
                "error_position" => parsed.error_position = value.parse().ok(),
                "table_function" => parsed.table_functions.push(value),
                _ => parsed.functions.push(value),
            }
        }
        // Whatever cannot be read off the tree counts as an error.
        if is_error != Some(false) && parsed.error_type.is_none() {
            parsed.error_type = Some("unknown".to_owned());
        }
        Ok(parsed)
    }

    /// The parser's message, with the line at fault and a mark below the place.
    fn syntax_error(&self, statement: &str) -> Error {
        let place = self
            .error_position
            .filter(|position| statement.is_char_boundary(*position))
            .map(|position| {
                let (before, after) = statement.split_at(position);
                let line_number = before.matches('\n').count() + 1;
                let line_start = before.rsplit('\n').next().unwrap_or_default();
                let line_end = after.split('\n').next().unwrap_or_default();
                let label = format!("line {line_number}: ");
                let indent = " ".repeat(label.len() + line_start.chars().count());
                format!("\n{label}{line_start}{line_end}\n{indent}^")
            })
            .unwrap_or_default();
        Error::author(format!("{}{place}", self.error_message))
    }
}

fn refused(word: &str, statement: &str) -> Error {
    if has_pivot(statement) {
        return Error::author("a PIVOT without a list of its values is refused")
            .next("name the values: PIVOT t ON month IN (1, 2, 3) USING sum(amount)");
    }
    // A WITH or a FROM may begin a statement that writes.
    let what = match word {
        "" | "WITH" | "FROM" | "SELECT" => "this statement",
        word => word,
    };
    let error = Error::author(format!("{what} is refused: a query may only read"));
    match word {
        "COPY" | "EXPORT" => {
            error.next("to write the answer to a file: starlog query --format csv 'SELECT ...' > answer.csv")
        }
        "PRAGMA" | "CALL" => {
            error.next("ask the catalog: DESCRIBE, SUMMARIZE, SHOW ALL TABLES, duckdb_columns()")
        }
        _ => error.next("ask with SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN"),
    }
}

fn has_pivot(statement: &str) -> bool {
    let reads = matches!(first_word(statement).0.as_str(), "PIVOT" | "SELECT" | "FROM" | "WITH" | "");
    reads && statement.to_ascii_uppercase().contains("PIVOT")
}
