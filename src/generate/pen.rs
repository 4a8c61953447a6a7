//! Writes one event as one line of JSON, byte by byte: a serializer would take most of the time.
//!
//! Never escapes: texts come from `names`, where they stand as JSON wants them.

/// An instant of the day at hand, in milliseconds since its midnight, UTC.
pub type Millis = u32;

/// Milliseconds in a minute.
pub const MINUTE: Millis = 60_000;
/// Milliseconds in an hour.
pub const HOUR: Millis = 60 * MINUTE;
/// Milliseconds in a day.
pub const DAY: Millis = 24 * HOUR;

/// The line being written, and what the next envelope says.
pub struct Pen {
    line: String,
    date: String,
    time: Millis,
    /// The number of the last event.
    seq: u64,
    event_type: Option<&'static str>,
}

impl Pen {
    pub fn new() -> Self {
        Self { line: String::with_capacity(4096), date: String::new(), time: 0, seq: 0, event_type: None }
    }

    /// Turns to a day, as `2023-01-01`.
    pub fn turn_to(&mut self, date: &str) {
        date.clone_into(&mut self.date);
    }

    /// Sets the instant of the next event and forgets the last one.
    pub fn at(&mut self, time: Millis) {
        self.time = time;
        self.event_type = None;
        self.line.clear();
    }

    /// The type of the event that was written since `at`, if one was, and its line with its end.
    pub fn written(&self) -> Option<(&'static str, &str)> {
        self.event_type.map(|event_type| (event_type, self.line.as_str()))
    }

    /// Begins an event: its envelope up to the payload's brace.
    pub fn begin(&mut self, event_type: &'static str) -> &mut Self {
        self.seq += 1;
        self.event_type = Some(event_type);
        let (seq, time) = (self.seq, self.time);
        self.raw("{\"seq\":").digits(seq, 1).raw(",\"event_type\":\"").raw(event_type);
        self.raw("\",\"version\":1,\"timestamp\":\"");
        self.line.push_str(&self.date);
        let (hours, minutes) = (time / HOUR, time / MINUTE % 60);
        let (seconds, millis) = (time / 1000 % 60, time % 1000);
        self.raw("T").digits(u64::from(hours), 2).raw(":").digits(u64::from(minutes), 2);
        self.raw(":").digits(u64::from(seconds), 2).raw(".").digits(u64::from(millis), 3);
        self.raw("Z\",\"payload\":{")
    }

    /// Ends the event.
    pub fn end(&mut self) {
        self.raw("}}\n");
    }

    /// `"name":"value"`
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name).raw("\"").raw(value).raw("\"")
    }

    /// `"name":"P10001"`
    pub fn id(&mut self, name: &str, letters: &str, number: u64) -> &mut Self {
        self.key(name).raw("\"").raw(letters).digits(number, 1).raw("\"")
    }

    /// `"name":"2023-01-01"`, the day at hand.
    pub fn today(&mut self, name: &str) -> &mut Self {
        self.begin_text(name);
        self.line.push_str(&self.date);
        self.end_text()
    }

    /// `"name":null`
    pub fn null(&mut self, name: &str) -> &mut Self {
        self.key(name).raw("null")
    }

    /// `"name":12`
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.key(name).digits(value, 1)
    }

    /// `"name":"12.34"`: money is text, so that nobody reads it as a float.
    pub fn money(&mut self, name: &str, cents: u64) -> &mut Self {
        self.key(name).raw("\"").digits(cents / 100, 1).raw(".").digits(cents % 100, 2).raw("\"")
    }

    /// `"name":[`
    pub fn open_list(&mut self, name: &str) -> &mut Self {
        self.key(name).raw("[")
    }

    /// `{`, after a comma if it is not the first.
    pub fn open_item(&mut self) -> &mut Self {
        let first = self.line.ends_with('[');
        self.raw(if first { "{" } else { ",{" })
    }

    /// `}`
    pub fn close_item(&mut self) -> &mut Self {
        self.raw("}")
    }

    /// `]`
    pub fn close_list(&mut self) -> &mut Self {
        self.raw("]")
    }

    fn key(&mut self, name: &str) -> &mut Self {
        let first = self.line.ends_with('{');
        self.raw(if first { "\"" } else { ",\"" }).raw(name).raw("\":")
    }

    /// Text inside a value that was begun by hand.
    pub fn raw(&mut self, text: &str) -> &mut Self {
        self.line.push_str(text);
        self
    }

    /// A number with at least so many digits.
    pub fn digits(&mut self, mut number: u64, at_least: usize) -> &mut Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        while number > 0 || digits.len() - start < at_least {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.line.extend(digits[start..].iter().copied().map(char::from));
        self
    }

    /// Begins a text value that is put together from `raw` and `digits`, up to `end_text`.
    pub fn begin_text(&mut self, name: &str) -> &mut Self {
        self.key(name).raw("\"")
    }

    /// Ends a text value.
    pub fn end_text(&mut self) -> &mut Self {
        self.raw("\"")
    }
}
