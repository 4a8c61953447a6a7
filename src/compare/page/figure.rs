//! A figure → the element that shows it, with its value and its place in the JSON.

use crate::compare::report::{Ratio, Spread};
use crate::compare::text::{bytes, duration, grouped, ratio};

/// Text that no browser takes for markup.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Where a figure is shown: HTML has an element for values, SVG has not.
#[derive(Debug, Clone, Copy)]
pub enum In {
    Html,
    Svg,
}

impl In {
    fn shown(self, value: &str, text: &str, place: &str) -> String {
        match self {
            Self::Html => format!("<data value=\"{value}\" data-json=\"{place}\">{text}</data>"),
            Self::Svg => format!("<tspan data-value=\"{value}\" data-json=\"{place}\">{text}</tspan>"),
        }
    }

    pub fn count(self, number: u64, place: &str) -> String {
        self.shown(&number.to_string(), &grouped(number), place)
    }

    pub fn bytes(self, number: u64, place: &str) -> String {
        self.shown(&number.to_string(), &bytes(number), place)
    }

    pub fn duration(self, us: u64, place: &str) -> String {
        self.shown(&us.to_string(), &duration(us), place)
    }

    pub fn ratio(self, number: f64, place: &str) -> String {
        self.shown(&number.to_string(), &ratio(number), place)
    }

    /// The median with its quartiles.
    pub fn spread(self, spread: &Spread, place: &str) -> String {
        format!(
            "{} <small>{} – {}</small>",
            self.duration(spread.median_us, &format!("{place}/median_us")),
            self.duration(spread.lower_us, &format!("{place}/lower_us")),
            self.duration(spread.upper_us, &format!("{place}/upper_us"))
        )
    }

    /// The same of a ratio.
    pub fn ratios(self, ratio: &Ratio, place: &str) -> String {
        format!(
            "{} <small>{} – {}</small>",
            self.ratio(ratio.median, &format!("{place}/median")),
            self.ratio(ratio.lower, &format!("{place}/lower")),
            self.ratio(ratio.upper, &format!("{place}/upper"))
        )
    }
}
