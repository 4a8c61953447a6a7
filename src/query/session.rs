//! [`SessionSpec`] → a DuckDB that knows the release and nothing else.

use duckdb::{Config, Connection};

use super::answer::Answer;
use super::read_only::{Question, questions};
use super::spec::SessionSpec;
use super::{fault, relations, sql};
use crate::error::Result;
use crate::stop::Stop;
use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// An open session. It stays on the files that it was opened with.
pub struct Session {
    pub(super) connection: Connection,
    /// What relations and columns mean, as statements that have not been made: they would take as long as all else.
    comments: RefCell<String>,
}

impl Session {
    /// Lends the connection itself to `checks`, which puts questions of its own with tables of its own. Where
    /// somebody asks to stop, the question at hand is broken off.
    pub(crate) fn until<T>(&self, stop: &Stop, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let handle = self.connection.interrupt_handle();
        let (done, is_done) = mpsc::channel::<()>();
        let worked = thread::scope(|scope| {
            scope.spawn(move || {
                while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    if stop.go_on().is_err() {
                        handle.interrupt();
                    }
                }
            });
            // Dropped at the end, also of a panic, which lets the other thread end.
            let _done = done;
            work(&self.connection)
        });
        stop.go_on()?;
        worked
    }

    /// Opens a session over these tables and views.
    ///
    /// # Errors
    ///
    /// A file is missing or broken, or a view's SQL is wrong.
    pub fn open(spec: &SessionSpec) -> Result<Self> {
        let connection = connect(spec)?;
        allow_files(&connection, spec)?;
        // One transaction is faster than one for each statement.
        connection.execute_batch("BEGIN").map_err(|error| fault::of_ours("be set up", &error))?;
        let mut comments = String::new();
        for table in &spec.tables {
            comments.push_str(&relations::open_table(&connection, table)?);
        }
        for view in &spec.views {
            comments.push_str(&relations::open_view(&connection, view)?);
        }
        connection.execute_batch("COMMIT").map_err(|error| fault::of_ours("be set up", &error))?;
        lock(&connection)?;
        Ok(Self { connection, comments: RefCell::new(comments) })
    }

    /// Takes a text apart into its statements, all of which only read.
    ///
    /// # Errors
    ///
    /// A statement cannot be parsed, or is refused because it could do something else than read.
    pub fn questions(&self, text: &str) -> Result<Vec<Question>> {
        self.comment_for(text)?;
        questions(&self.connection, text)
    }

    /// Comments can be seen through DuckDB's own tables alone: whoever names one of these finds them there.
    fn comment_for(&self, text: &str) -> Result<()> {
        const SEEN_THROUGH: [&str; 3] = ["duckdb_", "pg_", "information_schema"];
        let text = text.to_ascii_lowercase();
        if !SEEN_THROUGH.iter().any(|name| text.contains(name)) {
            return Ok(());
        }
        let comments = self.comments.take();
        self.connection
            .execute_batch(&comments)
            .map_err(|error| fault::of_ours("be given its comments", &error))
    }

    /// Asks one question. The answer comes in batches, while it is computed.
    ///
    /// # Errors
    ///
    /// The question names what does not exist, or fails while it is computed.
    pub fn ask(&self, question: &Question) -> Result<Answer<'_>> {
        Answer::open(&self.connection, question)
    }
}

/// How often somebody looks whether to stop.
const LOOK: Duration = Duration::from_millis(50);

/// An in-memory database that fetches nothing by itself.
fn connect(spec: &SessionSpec) -> Result<Connection> {
    let mut settings = vec![
        ("autoinstall_known_extensions", "false".to_owned()),
        ("autoload_known_extensions", "false".to_owned()),
        ("allow_community_extensions", "false".to_owned()),
        ("allow_persistent_secrets", "false".to_owned()),
    ];
    if let Some(threads) = spec.threads {
        settings.push(("threads", threads.max(1).to_string()));
    }
    if let Some(memory_bytes) = spec.memory_bytes {
        settings.push(("max_memory", format!("{memory_bytes}B")));
    }
    let spill = match &spec.spill_directory {
        Some(directory) => directory.to_str().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    settings.push(("temp_directory", spill));
    let mut config = Config::default();
    for (name, value) in settings {
        config = config.with(name, value).map_err(|error| fault::of_ours("be set up", &error))?;
    }
    let connection =
        Connection::open_in_memory_with_flags(config).map_err(|error| fault::of_start(&error))?;
    use_utc(&connection)?;
    Ok(connection)
}

/// Where DuckDB knows time zones at all, its own is that of the machine. Ours is UTC (DESIGN 1).
fn use_utc(connection: &Connection) -> Result<()> {
    let ours = |error: duckdb::Error| fault::of_ours("be set to UTC", &error);
    let knows_zones: bool = connection
        .query_row("SELECT count(*) > 0 FROM duckdb_settings() WHERE name = 'TimeZone'", [], |row| row.get(0))
        .map_err(ours)?;
    if knows_zones {
        connection.execute_batch("SET TimeZone = 'UTC'").map_err(ours)?;
    }
    Ok(())
}

fn allow_files(connection: &Connection, spec: &SessionSpec) -> Result<()> {
    let files = spec.tables.iter().flat_map(|table| &table.files);
    let paths = files.map(|file| sql::path(file)).collect::<Result<Vec<_>>>()?;
    connection
        .execute_batch(&format!("SET allowed_paths = {}", sql::list(&paths)))
        .map_err(|error| fault::of_ours("be given the release's files", &error))
}

/// From here on, no other file can be opened and no setting changed, this one included.
fn lock(connection: &Connection) -> Result<()> {
    connection
        .execute_batch("SET enable_external_access = false; SET lock_configuration = true")
        .map_err(|error| fault::of_ours("be locked", &error))
}
