//! `[views.<name>]` → views: each a question, or a text of SQL, under a name that no other table has.

use super::column::Ground;
use super::{names, question};
use crate::model::view::ROW_COUNT;
use crate::model::{Definition, Question, View};
use crate::spec::{At, Problems, Spec, ViewSpec};
use std::io;

/// Reads the file of a view, by the view's name and the file's.
pub(super) type ReadSql<'a> = dyn Fn(&str, &str) -> io::Result<String> + 'a;

/// All views of a pipeline, in the order of declaration.
pub(super) fn compile(
    spec: &Spec,
    ground: Ground<'_>,
    read: &ReadSql<'_>,
    text: &str,
    problems: &mut Problems,
) -> Vec<View> {
    let mut taken = names::Names::default();
    let views = spec.views.iter().filter_map(|(name, written)| {
        names::check_table("the view", name, problems);
        taken.claim("the view", name, problems);
        check_prefix(name, problems);
        let definition =
            problems.within(name.span, |problems| definition(name, written, ground, read, text, problems))?;
        View::new(&name.value, definition).ok()
    });
    views.collect()
}

/// Facts and dimensions are known by how their names begin.
fn check_prefix(name: &At<String>, problems: &mut Problems) {
    let lower = name.value.to_lowercase();
    let taken = ["fact_", "dim_", "obt_"].into_iter().find(|prefix| lower.starts_with(prefix));
    if let Some(prefix) = taken {
        problems.add(
            name.span,
            format!("the view `{}` begins with `{prefix}`", name.value),
            "such names are those of other tables: choose another",
        );
    }
}

fn definition(
    name: &At<String>,
    written: &ViewSpec,
    ground: Ground<'_>,
    read: &ReadSql<'_>,
    text: &str,
    problems: &mut Problems,
) -> Option<Definition> {
    let Some(file) = &written.sql else {
        if written.measures.is_empty() {
            let message = format!("the view `{}` has neither measures nor SQL", name.value);
            problems.absent(name.span, message, "name `measures`, or a file: sql = \"name.sql\"");
            return None;
        }
        let question = question::one(&written.question(name), ground, text, problems)?;
        check_columns(name, &question, problems)?;
        return Some(Definition::Declared(question));
    };
    let others = written.measures.iter().chain(&written.by);
    if let Some(other) = others.chain(&written.filter).chain(&written.fact).next() {
        problems.add(
            other.span,
            format!("the view `{}` has both SQL and this", name.value),
            "a view is declared, or written in SQL: leave one out",
        );
        return None;
    }
    match read(&name.value, &file.value) {
        Ok(sql) => Some(Definition::Sql(sql)),
        Err(error) => {
            let message = format!("the SQL in `{}` cannot be read: {error}", file.value);
            problems.add(file.span, message, "the path starts from the pipeline file's folder");
            None
        }
    }
}

/// What the view holds besides what was asked for needs names too.
fn check_columns(name: &At<String>, question: &Question, problems: &mut Problems) -> Option<()> {
    let held = question.held();
    for (index, column) in held.iter().enumerate() {
        names::check_column("the column", &name.with(column.name.clone()), problems);
        if held.iter().take(index).any(|earlier| earlier.name.eq_ignore_ascii_case(&column.name)) {
            let message = format!("the view `{}` would have two columns `{}`", name.value, column.name);
            let hint = if column.name == ROW_COUNT {
                "every view counts the rows of its groups under that name: rename the other"
            } else {
                "an average is held as `<name>_sum` and `<name>_count`: rename the other"
            };
            problems.add(name.span, message, hint);
            return None;
        }
    }
    Some(())
}
