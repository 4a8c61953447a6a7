//! Gzip as it is found in the wild: several members end to end, zeros behind the last.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Read};

/// Bytes behind the last member.
#[derive(Debug)]
pub struct TrailingGarbage;

impl std::fmt::Display for TrailingGarbage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("bytes behind the end of the compressed data")
    }
}

impl std::error::Error for TrailingGarbage {}

/// The content of all members.
pub struct GzipMembers<R> {
    state: Option<State<R>>,
    members: usize,
}

enum State<R> {
    Inside(Box<GzDecoder<R>>),
    Between(R),
}

impl<R: BufRead> GzipMembers<R> {
    pub fn new(input: R) -> Self {
        Self { state: Some(State::Between(input)), members: 0 }
    }

    /// Whether another member begins here; at the end of the file, and at zeros up to it, none does.
    fn begins(&self, input: &mut R) -> io::Result<bool> {
        let mut zeros = false;
        loop {
            let bytes = input.fill_buf()?;
            let Some(&first) = bytes.first() else { return Ok(false) };
            match first {
                0 if self.members > 0 => {
                    let length = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len());
                    input.consume(length);
                    zeros = true;
                }
                0x1f if !zeros => return Ok(true),
                _ => return Err(io::Error::other(TrailingGarbage)),
            }
        }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state.take() {
                Some(State::Inside(mut decoder)) => {
                    let read = match decoder.read(buffer) {
                        // No header here: only its first byte looked like one.
                        Err(error)
                            if error.kind() == io::ErrorKind::InvalidInput
                                && self.members > 1
                                && decoder.header().is_none() =>
                        {
                            return Err(io::Error::other(TrailingGarbage));
                        }
                        other => other?,
                    };
                    if read > 0 {
                        self.state = Some(State::Inside(decoder));
                        return Ok(read);
                    }
                    self.state = Some(State::Between(decoder.into_inner()));
                }
                Some(State::Between(mut input)) => {
                    if !self.begins(&mut input)? {
                        self.state = Some(State::Between(input));
                        return Ok(0);
                    }
                    self.members += 1;
                    self.state = Some(State::Inside(Box::new(GzDecoder::new(input))));
                }
                None => return Err(io::Error::other("read on after an error")),
            }
        }
    }
}
