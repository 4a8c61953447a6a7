//! `[log.pii]` as written.

use super::read::{Read, Value};
use super::{At, Problems};
use schemars::JsonSchema;

/// Fields that nothing behind the door may hold in clear, by name, wherever they stand in a line.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PiiSpec {
    /// The environment variable that holds the key, 16 bytes at least. The key of a log cannot change.
    #[schemars(required)]
    pub key_env: Option<At<String>>,
    /// Fields whose values are replaced by a keyed hash, `pii:` and 64 hexadecimal digits: equal values stay equal.
    pub hash: Option<Vec<At<String>>>,
    /// Fields that are left out.
    pub drop: Option<Vec<At<String>>>,
}

impl Read for PiiSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("[log.pii]", problems)?;
        let spec = Self {
            key_env: table.required("key_env", problems),
            hash: table.optional("hash", problems),
            drop: table.optional("drop", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}
