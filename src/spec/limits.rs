//! `[log.limits]` as written.

use super::read::{Read, Value};
use super::{At, Problems};
use schemars::JsonSchema;

/// What a line may be, and a file: beyond these, the one is a reject, and the other fails.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LimitsSpec {
    /// The length of a line; of a longer one only the beginning is kept. 67108864 (64 MiB) where it is left out.
    #[schemars(range(min = 64, max = 1_073_741_824))]
    pub line_bytes: Option<At<i64>>,
    /// How deep objects and lists may stand in each other. 128 where it is left out.
    #[schemars(range(min = 2, max = 512))]
    pub depth: Option<At<i64>>,
    /// The members of one object. 4096 where it is left out.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub fields: Option<At<i64>>,
    /// The lines of one CSV record, whose cells may hold line ends: of more, a quote lacks its end. 1000 where it is left out.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub record_lines: Option<At<i64>>,
    /// The length of a key. 4096 where it is left out.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub key_bytes: Option<At<i64>>,
    /// How many times larger a compressed file of more than 256 MiB may become. 500 where it is left out.
    #[schemars(range(min = 2, max = 1_000_000))]
    pub decompression_ratio: Option<At<i64>>,
}

impl Read for LimitsSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("[log.limits]", problems)?;
        let spec = Self {
            line_bytes: table.optional("line_bytes", problems),
            depth: table.optional("depth", problems),
            fields: table.optional("fields", problems),
            record_lines: table.optional("record_lines", problems),
            key_bytes: table.optional("key_bytes", problems),
            decompression_ratio: table.optional("decompression_ratio", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}
