//! Source files → the event store and rejects: what happened?
//!
//! Data meets the files below in this order: `source` finds which bytes are new and cuts them into lines,
//! `format` tells what the lines are and brings those of other programs into the log's own form, `json` judges a line, `decode` types it, `commit` gives it its position or tells the duplicates and
//! conflicts apart (`ids`), `store` keeps it as Parquet, `head` makes all of it count at once. When a contract changes, `lift` brings the
//! events of before under it; `merge` puts small files together; `rejects` reads rejects again, `requeue` puts them back.
//!
//! Every line is accounted for: read = accepted + duplicate + rejected + blank + ignored (DESIGN 6).
//!
//! Never: change or drop a byte of what was read, take a line twice, depend on the number of threads,
//! or know what an event means: that is `history`.

mod account;
mod aside;
mod commit;
mod content;
mod decode;
mod event_log;
mod feed;
mod format;
mod glance;
mod head;
mod ids;
mod ingest;
mod inspect;
mod json;
mod lift;
mod merge;
mod pii;
mod position;
mod progress;
mod recast;
mod reject;
mod rejects;
mod requeue;
mod retype;
mod source;
mod store;
mod superseded;
mod survey;

pub use account::{Account, FileReport, FileState, IngestReport};
pub use aside::aside;
pub use event_log::EventLog;
pub use glance::{Extent, Glanced, Members, Value, counted, glance, hash, is_date, moment, plain_decimal};
pub use head::places;
pub use inspect::{SourceInspection, StoreInspection};
pub use json::Number;
pub use position::Position;
pub use progress::Progress;
pub use rejects::{Reject, RejectFile, reject_files};
pub use requeue::RequeueReport;
pub use source::{FileCode, FileFailure, Source, expand};
pub use store::schema::rejects as rejects_schema;
pub use store::{Piece, Scan, SegmentFile};
pub use superseded::superseded;
pub use survey::{Survey, survey};
