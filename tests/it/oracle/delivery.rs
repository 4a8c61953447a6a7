//! A log and the way in which it comes: in which nights, in which files, cut where. Lines keep their order.

use super::engine::beginning;
use super::random::Random;
use crate::log::gzip;
use std::fs;
use std::path::{Path, PathBuf};

/// A log is a row of these: so it is shrunk as one.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Line(String),
    /// A run takes in what there is.
    Night,
    /// A run takes in what there is when half of the next line has been written.
    TornNight,
    /// The next line begins a file.
    File,
    /// The file is given another name; lines go on to come to it.
    Rename,
    /// The file is packed; the next line begins another.
    Pack,
}

/// Cuts a log into so many nights at random.
pub fn cut(lines: &[String], nights: usize, random: &mut Random) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = lines.iter().cloned().map(Piece::Line).collect();
    let put = |pieces: &mut Vec<Piece>, random: &mut Random, piece: Piece| {
        let at = random.below(pieces.len() + 1);
        pieces.insert(at, piece);
    };
    for _ in 1..nights {
        let night = if random.percent(30) { Piece::TornNight } else { Piece::Night };
        put(&mut pieces, random, night);
    }
    for _ in 0..nights.min(lines.len()) {
        let piece = [Piece::File, Piece::File, Piece::Rename, Piece::Pack][random.below(4)].clone();
        put(&mut pieces, random, piece);
    }
    pieces
}

/// How many nights a log has: 1 to 64, mostly up to so many.
pub fn nights(mostly: usize, random: &mut Random) -> usize {
    match random.below(80) {
        0 => 1 + random.below(64),
        1..=3 => 1 + random.below(16),
        _ => 1 + random.below(mostly),
    }
}

/// The lines alone, in nights.
pub fn nights_of(pieces: &[Piece]) -> Vec<Vec<String>> {
    let mut nights = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Line(line) => nights.last_mut().expect("a night").push(line.clone()),
            Piece::Night | Piece::TornNight => nights.push(Vec::new()),
            Piece::File | Piece::Rename | Piece::Pack => {}
        }
    }
    nights
}

/// The lines alone.
pub fn lines_of(pieces: &[Piece]) -> Vec<String> {
    nights_of(pieces).concat()
}

/// For people, and for a test: a line of text each.
pub fn text_of(pieces: &[Piece]) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Line(line) => line.clone(),
        other => format!("-- {other:?}"),
    };
    pieces.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// Lets the log come into a folder of its own, and calls `night` for every night, the last one too.
pub fn deliver(pieces: &[Piece], folder: &Path, mut night: impl FnMut()) {
    let mut source = Source { folder: folder.to_owned(), number: 0, name: String::new(), bytes: Vec::new() };
    source.begin();
    let mut is_torn = false;
    for piece in pieces {
        match piece {
            Piece::Line(line) => {
                let line = format!("{line}\n").into_bytes();
                let (begin, end) = line.split_at(if is_torn { line.len() / 2 } else { 0 });
                source.bytes.extend(begin);
                if std::mem::take(&mut is_torn) {
                    source.write();
                    night();
                }
                source.bytes.extend(end);
            }
            Piece::Night => {
                source.write();
                night();
            }
            Piece::TornNight => is_torn = true,
            Piece::File => source.next(),
            Piece::Rename => source.rename(),
            Piece::Pack => source.pack(),
        }
    }
    source.write();
    night();
}

/// The file that lines go to.
struct Source {
    folder: PathBuf,
    number: usize,
    /// What stands behind the number in its name.
    name: String,
    bytes: Vec<u8>,
}

impl Source {
    fn path(&self, more: &str) -> PathBuf {
        self.folder.join(format!("{}{}.ndjson{more}", self.number, self.name))
    }

    fn write(&self) {
        fs::write(self.path(""), &self.bytes).expect("a file");
    }

    fn begin(&mut self) {
        self.number += 1;
        self.name.clear();
        self.bytes = beginning(self.number).into_bytes();
    }

    fn next(&mut self) {
        self.write();
        self.begin();
    }

    fn rename(&mut self) {
        let _ = fs::remove_file(self.path(""));
        self.name.push_str(".old");
    }

    fn pack(&mut self) {
        let _ = fs::remove_file(self.path(""));
        fs::write(self.path(".gz"), gzip(&self.bytes)).expect("a file");
        self.begin();
    }
}
