//! `[calendar]` as written.

use super::read::{Read, Value};
use super::{At, Problems};
use schemars::JsonSchema;

/// How an instant becomes a calendar day, and what the date dimension says of it.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CalendarSpec {
    /// The time zone whose days count, such as `Europe/Oslo`. `UTC` where it is left out.
    pub time_zone: Option<At<String>>,
    /// The first month of the fiscal year, 1 to 12.
    #[schemars(range(min = 1, max = 12))]
    pub fiscal_year_starts: Option<At<i64>>,
    /// A file of holidays, relative to the pipeline file: one `date,name` a line.
    pub holidays: Option<At<String>>,
}

impl Read for CalendarSpec {
    fn read(value: Value<'_>, problems: &mut Problems) -> Option<Self> {
        let mut table = value.open("[calendar]", problems)?;
        let spec = Self {
            time_zone: table.optional("time_zone", problems),
            fiscal_year_starts: table.optional("fiscal_year_starts", problems),
            holidays: table.optional("holidays", problems),
        };
        table.finish(problems);
        Some(spec)
    }
}
