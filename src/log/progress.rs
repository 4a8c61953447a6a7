//! What a long step tells whoever waits for it. No interface of its own.

/// Is told how far an ingest has come.
pub trait Progress: Sync {
    /// `done` of `total` bytes of the files on disk have been read.
    fn bytes(&self, done: u64, total: u64);
}

/// Nobody waits.
impl Progress for () {
    fn bytes(&self, _done: u64, _total: u64) {}
}
