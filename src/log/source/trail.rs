//! What consumed bytes leave behind, so that they are known again: hashes of their first and last 64 KiB.

/// The length of a window by which content is known.
pub const WINDOW_BYTES: usize = 64 << 10;

/// The trail of the bytes consumed so far.
#[derive(Debug, Clone)]
pub struct Trail {
    first: Vec<u8>,
    last: Vec<u8>,
    /// Of what this run has consumed.
    span: blake3::Hasher,
    span_bytes: u64,
}

impl Trail {
    /// The trail of earlier runs: the first and the last bytes that they consumed.
    pub fn new(first: Vec<u8>, last: Vec<u8>) -> Self {
        Self { first, last, span: blake3::Hasher::new(), span_bytes: 0 }
    }

    pub fn consume(&mut self, bytes: &[u8]) {
        self.span.update(bytes);
        self.span_bytes += bytes.len() as u64;
        self.remember(bytes);
    }

    /// Like consumed bytes of an earlier run.
    pub fn remember(&mut self, bytes: &[u8]) {
        let wanted = WINDOW_BYTES.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(bytes.get(..wanted).unwrap_or_default());
        if bytes.len() >= WINDOW_BYTES {
            self.last.clear();
            self.last.extend_from_slice(bytes.get(bytes.len() - WINDOW_BYTES..).unwrap_or_default());
        } else {
            self.last.extend_from_slice(bytes);
            let beyond = self.last.len().saturating_sub(WINDOW_BYTES);
            self.last.drain(..beyond);
        }
    }

    /// The hash of the first window.
    pub fn first(&self) -> String {
        hash(&self.first)
    }

    /// The hash of the last window.
    pub fn last(&self) -> String {
        hash(&self.last)
    }

    /// The hash of what this run has consumed, if it was anything.
    pub fn span(&self) -> Option<String> {
        (self.span_bytes > 0).then(|| self.span.finalize().to_hex().to_string())
    }
}

/// BLAKE3, as hexadecimal text.
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
