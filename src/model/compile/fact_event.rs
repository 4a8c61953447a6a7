//! `on.<event>` of a fact → the event as the fact sees it: its kind, its header and its line.

use super::binding::{Binding, Found};
use super::fact::{NO_HEADER, Scene};
use super::fact_keys::report_misplaced;
use crate::model::{FactEvent, FieldRef};
use crate::spec::{At, FactDoes, FactEventSpec, Problems};

/// One event of a fact, while it is compiled.
pub(super) struct Bound<'a> {
    pub scene: &'a Scene<'a>,
    pub binding: Binding<'a>,
    pub written: &'a FactEventSpec,
    pub does: FactDoes,
}

/// `None` after reporting why.
pub(super) fn compile(
    scene: &Scene<'_>,
    name: &At<String>,
    written: &FactEventSpec,
    problems: &mut Problems,
) -> Option<FactEvent> {
    let does = written.does.as_ref().map(|does| does.value);
    if let Some(does) = does {
        report_misplaced(name, does, written, problems);
    }
    let binding = Binding::open(scene.contracts, name, written.each.as_ref(), problems)?;
    let bound = Bound { scene, binding, written, does: does? };
    let header = bound.header(problems);
    let line = bound.line(problems);
    let roles = bound.roles(problems);
    let columns = bound.columns(problems);
    let measures = bound.measures(problems);
    let event = FactEvent {
        event: bound.binding.event,
        list: bound.binding.list,
        kind: bound.kind(problems).unwrap_or_default(),
        milestone: bound.milestone(problems),
        action: bound.action(header.as_deref(), line, &roles, &measures, problems),
        header: header.unwrap_or_default(),
        line: bound.keeps_line().then_some(line).flatten(),
        roles,
        columns,
        measures,
    };
    bound.check_measures(&event, problems);
    Some(event)
}

impl Bound<'_> {
    pub fn name(&self) -> &At<String> {
        self.binding.name
    }

    fn kind(&self, problems: &mut Problems) -> Option<String> {
        if self.does == FactDoes::Header {
            return None;
        }
        let Some(kind) = &self.written.kind else {
            let message = format!("`{}` needs a `kind`: what its rows are called", self.name().value);
            problems.absent(self.name().span, message, "add `kind = \"placed\"`, or another word");
            return None;
        };
        if kind.value.trim().is_empty() {
            problems.add(kind.span, "an empty `kind`", "name it: `kind = \"placed\"`");
        }
        Some(kind.value.clone())
    }

    fn milestone(&self, problems: &mut Problems) -> Option<usize> {
        let kind = self.written.kind.as_ref()?;
        let milestones = self.scene.milestones;
        let found = milestones.iter().position(|milestone| milestone.value == kind.value);
        if found.is_none() && self.does == FactDoes::Milestone {
            let message = format!("`{}` is none of the fact's milestones", kind.value);
            let known = milestones.iter().map(|milestone| milestone.value.as_str());
            problems.unknown(kind.span, message, &kind.value, known);
        }
        found
    }

    /// The header; `None` after reporting why. Empty: the event never names one.
    fn header(&self, problems: &mut Problems) -> Option<Vec<FieldRef>> {
        let columns = &self.scene.header;
        let written = self.written.header.as_ref();
        let name = &self.name().value;
        if columns.is_empty() {
            let is_first = |problems: &mut Problems| problems.first_of(self.scene.name.span, NO_HEADER);
            if self.does != FactDoes::Place && is_first(problems) {
                let message =
                    format!("`{name}` needs a header, and the fact `{}` has none", self.scene.name.value);
                problems.absent(
                    self.name().span,
                    message,
                    "declare one in the fact: `header = { id = \"text\" }`",
                );
            } else if let Some(written) = written.filter(|_| is_first(problems)) {
                let message = format!("the fact `{}` has no header", self.scene.name.value);
                problems.absent(
                    written.span(),
                    message,
                    "declare one in the fact: `header = { id = \"text\" }`",
                );
            }
            return None;
        }
        if written.is_some_and(|written| written.is_none()) {
            if self.does != FactDoes::Reverse {
                let message = format!("`{name}` must name a header: only a reversal can do without");
                problems.add(
                    written.map_or(self.name().span, |it| it.span()),
                    message,
                    "name the header's fields",
                );
            }
            return Some(Vec::new());
        }
        match self.binding.key("the header's column", columns, written, problems) {
            Found::Fields(fields) => {
                if self.does != FactDoes::Reverse {
                    self.check_present("the header", &fields, problems);
                }
                Some(fields)
            }
            Found::Wrong => None,
            Found::Absent(column) => {
                let message = format!("`{name}` has no field `{column}` to name the header by");
                let or =
                    if self.does == FactDoes::Reverse { "; `header = []` if it never names one" } else { "" };
                let hint =
                    format!("say which field: `header = \"field\"` ({}){or}", self.binding.nearest(&column));
                problems.absent(self.name().span, message, hint);
                None
            }
        }
    }

    fn line(&self, problems: &mut Problems) -> Option<FieldRef> {
        if self.does == FactDoes::Header {
            return None;
        }
        let written = self.written.line.as_ref();
        let Some(column) = &self.scene.line else {
            let is_first = |problems: &mut Problems| problems.first_of(self.scene.name.span, "no line");
            if let Some(written) = written.filter(|_| is_first(problems)) {
                let message = format!("the fact `{}` names no lines", self.scene.name.value);
                problems.absent(
                    written.span,
                    message,
                    "declare the column in the fact: `line = { line_no = \"integer\" }`",
                );
            }
            return None;
        };
        let field = self.binding.column("the line's column", column, written, problems);
        let needs_one = matches!(self.does, FactDoes::Place | FactDoes::Amend);
        if field.is_none() && written.is_none() && needs_one {
            let name = &column.name.value;
            let message = format!("`{}` has no field `{name}` to name the line by", self.name().value);
            let hint = format!("say which field: `line = \"field\"` ({})", self.binding.nearest(name));
            problems.absent(self.name().span, message, hint);
        }
        if let Some(field) = field.filter(|_| self.keeps_line()) {
            self.check_present("the line", &[field], problems);
        }
        field
    }

    /// A reversal that finds its lines by members names none, even where a field bears the column's name.
    fn keeps_line(&self) -> bool {
        self.written.matches.is_none() || self.does != FactDoes::Reverse
    }

    /// Reports fields that may be absent where a value is needed.
    fn check_present(&self, what: &str, fields: &[FieldRef], problems: &mut Problems) {
        for field in fields.iter().filter(|field| self.binding.is_optional(**field)) {
            let field = &self.binding.contracts.field(self.binding.event, *field).name;
            let message =
                format!("the field `{field}` names {what} for `{}`, but may be absent", self.name().value);
            problems.add(
                self.name().span,
                message,
                format!("leave out the `?` of `{field}`, or name another field"),
            );
        }
    }
}
