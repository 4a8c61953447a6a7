//! What `dim_date` says of a day: its columns, and the short names that a question has for them.

use super::{Calendar, ValueType};
use ValueType::{Boolean, Date, Integer, Text};

/// What a question calls a span of the calendar, and the columns that tell one such span from all others.
const LEVELS: [(&str, &[&str]); 7] = [
    ("day", &["date"]),
    ("week", &["iso_year", "iso_week"]),
    ("month", &["year_month"]),
    ("quarter", &["year", "quarter"]),
    ("year", &["year"]),
    ("fiscal_quarter", &["fiscal_year", "fiscal_quarter"]),
    ("fiscal_month", &["fiscal_year", "fiscal_month"]),
];

/// Columns whose name is that of a span, or might be taken for one: what a question calls them.
const PARTS: [(&str, &str); 5] = [
    ("month_of_year", "month"),
    ("quarter_of_year", "quarter"),
    ("week_of_year", "iso_week"),
    ("fiscal_month_of_year", "fiscal_month"),
    ("fiscal_quarter_of_year", "fiscal_quarter"),
];

/// What is the same for all days of a month.
const OF_MONTH: [&str; 8] =
    ["year_month", "year", "quarter", "month", "month_name", "fiscal_year", "fiscal_quarter", "fiscal_month"];

impl Calendar {
    /// The columns of `dim_date` but its key, with their types.
    #[must_use]
    pub fn columns(&self) -> Vec<(&'static str, ValueType)> {
        let mut columns = vec![
            ("date", Date),
            ("year", Integer),
            ("quarter", Integer),
            ("month", Integer),
            ("month_name", Text),
            ("year_month", Text),
            ("day_of_month", Integer),
            ("day_of_year", Integer),
            ("iso_year", Integer),
            ("iso_week", Integer),
            ("day_of_week", Integer),
            ("day_name", Text),
            ("is_weekend", Boolean),
        ];
        if self.fiscal_year_starts.is_some() {
            let fiscal = ["fiscal_year", "fiscal_quarter", "fiscal_month"];
            columns.extend(fiscal.map(|column| (column, Integer)));
        }
        if !self.holidays.is_empty() {
            columns.extend([("is_holiday", Boolean), ("holiday_name", Text)]);
        }
        columns
    }

    /// The columns that a question means by `date.<name>`: one, or the two that tell a span; none if there is no such name.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<(&'static str, ValueType)> {
        let name = name.to_lowercase();
        let level = LEVELS.iter().find(|(level, _)| *level == name).map(|(_, columns)| columns.to_vec());
        let part = || PARTS.iter().find(|(part, _)| *part == name).map(|(_, column)| vec![*column]);
        let wanted = level.or_else(part).unwrap_or_else(|| vec![name.as_str()]);
        let all = self.columns();
        let found =
            wanted.iter().filter_map(|wanted| all.iter().find(|(column, _)| column == wanted).copied());
        found.collect()
    }

    /// Every name that a question has for something of a day.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let short = LEVELS.iter().map(|(level, _)| *level).chain(PARTS.iter().map(|(part, _)| *part));
        let mut names: Vec<&str> = short.filter(|name| !self.named(name).is_empty()).collect();
        for (column, _) in self.columns() {
            if !names.contains(&column) {
                names.push(column);
            }
        }
        names
    }
}

/// What a question calls this column of `dim_date` when it means it alone.
#[must_use]
pub fn name_of(column: &str) -> &str {
    let is_alone = |name: &str| LEVELS.iter().all(|(level, columns)| *level != name || *columns == [column]);
    let part = PARTS.iter().find(|(_, of)| *of == column).map(|(part, _)| *part);
    if is_alone(column) { column } else { part.unwrap_or(column) }
}

/// Whether the value of one column of `dim_date` decides that of another.
#[must_use]
pub fn decides(column: &str, other: &str) -> bool {
    column == other || column == "date" || column == "year_month" && OF_MONTH.contains(&other)
}
