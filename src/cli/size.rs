//! `2GB`, `512MiB` → bytes.

use std::str::FromStr;

/// A number of bytes, as a person writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub bytes: u64,
}

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
];

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "write a number and a unit, like 2GB, 1.5GB or 512MiB".to_owned();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = unit.trim().to_ascii_uppercase();
        let (_, unit_bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        if decimals.len() > 6 {
            return Err(wrong());
        }
        let whole: u128 = whole.parse().map_err(|_| wrong())?;
        let millionths: u128 = format!("{decimals:0<6}").parse().map_err(|_| wrong())?;
        let bytes = whole
            .checked_mul(1_000_000)
            .and_then(|whole| whole.checked_add(millionths))
            .and_then(|millionths| millionths.checked_mul(u128::from(*unit_bytes)))
            .and_then(|millionths| u64::try_from(millionths / 1_000_000).ok())
            .ok_or_else(|| "that is too much".to_owned())?;
        if bytes == 0 { Err("that is nothing".to_owned()) } else { Ok(Self { bytes }) }
    }
}
