//! Cases in Markdown that a person can read: under a heading a log, and questions with the tables that answer them.

use super::rows::Rows;

/// What stands under one heading.
#[derive(Debug, Default)]
pub struct Case {
    pub heading: String,
    /// The lines of its block of ```` ```log ````, if it has one.
    pub log: Vec<String>,
    /// Each block of ```` ```sql ````, with the table behind it.
    pub questions: Vec<(String, Rows)>,
}

/// The cases of a text: headings with a log or a question.
pub fn read(text: &str) -> Vec<Case> {
    let mut cases = vec![Case::default()];
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim().to_owned();
            cases.push(Case { heading, ..Case::default() });
        }
        let case = cases.last_mut().unwrap();
        let mut block = || -> Vec<String> {
            lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect()
        };
        match line {
            "```log" => case.log.extend(block()),
            "```sql" => {
                let sql = block().join("\n");
                while lines.next_if(|line| line.is_empty()).is_some() {}
                let table: Vec<&str> =
                    std::iter::from_fn(|| lines.next_if(|line| line.starts_with('|'))).collect();
                case.questions.push((sql, Rows::markdown(&table)));
            }
            _ => {}
        }
    }
    cases.retain(|case| !case.log.is_empty() || !case.questions.is_empty());
    cases
}
