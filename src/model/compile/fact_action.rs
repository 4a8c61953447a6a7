//! `does`, `matches`, `takes`, `over_reversing`, `date_from` → what an event does to lines, and whether it can.

use super::fact_event::Bound;
use crate::model::{DateFrom, Expression, FactAction, FieldRef, OverReversing, ReversalTarget, Takes};
use crate::spec::{DateFromSpec, FactDoes, OverReversingSpec, Problems, TakesSpec};

impl Bound<'_> {
    pub(super) fn action(
        &self,
        header: Option<&[FieldRef]>,
        line: Option<FieldRef>,
        roles: &[Option<Vec<FieldRef>>],
        measures: &[Option<Expression>],
        problems: &mut Problems,
    ) -> FactAction {
        match self.does {
            FactDoes::Place => {
                self.check_items(header, line, problems);
                FactAction::Place { date_from: self.date_from(problems) }
            }
            FactDoes::Header => FactAction::Header,
            FactDoes::Amend => FactAction::Amend,
            FactDoes::Milestone => FactAction::Milestone,
            FactDoes::Reverse => {
                let target = self.target(line, roles, problems);
                if target == ReversalTarget::Header {
                    self.check_whole_header(header, measures, problems);
                }
                let takes = match self.written.takes.as_ref().map(|takes| takes.value) {
                    Some(TakesSpec::Placed) => Takes::Placed,
                    None | Some(TakesSpec::Left) => Takes::Left,
                };
                let over = match self.written.over_reversing.as_ref().map(|over| over.value) {
                    None | Some(OverReversingSpec::Book) => OverReversing::Book,
                    Some(OverReversingSpec::Reject) => OverReversing::Reject,
                };
                FactAction::Reverse { target, takes, over }
            }
        }
    }

    fn date_from(&self, problems: &mut Problems) -> DateFrom {
        let has_header_event = self.scene.has_header_event;
        match &self.written.date_from {
            Some(written) if written.value == DateFromSpec::Header && !has_header_event => {
                let message = "no event does \"header\" in this fact, so none can date its lines";
                problems.absent(written.span, message, "say `date_from = \"event\"`, or bind a header event");
                DateFrom::Header
            }
            Some(written) => match written.value {
                DateFromSpec::Event => DateFrom::Event,
                DateFromSpec::Header => DateFrom::Header,
            },
            None if has_header_event => DateFrom::Header,
            None => DateFrom::Event,
        }
    }

    fn target(
        &self,
        line: Option<FieldRef>,
        roles: &[Option<Vec<FieldRef>>],
        problems: &mut Problems,
    ) -> ReversalTarget {
        let Some(matches) = &self.written.matches else {
            return if line.is_some() { ReversalTarget::Line } else { ReversalTarget::Header };
        };
        if let Some(line) = &self.written.line {
            problems.add(
                line.span,
                "a reversal names its line or matches members, not both",
                "leave out `line` or `matches`",
            );
        }
        if matches.is_empty() {
            problems.add(self.name().span, "`matches` names no role", "name one, or leave it out");
        }
        let mut matched = Vec::new();
        for name in matches {
            let Some(index) = self.report_role(name, problems) else { continue };
            let known = self.scene.roles.get(index).is_some_and(|role| role.dimension.is_some());
            if known
                && !roles.get(index).is_some_and(Option::is_some)
                && self.written.dimensions.get(&name.value).is_none()
            {
                let message = format!(
                    "`{}` names no member for `{}`, so none can match",
                    self.name().value,
                    name.value
                );
                problems.absent(
                    name.span,
                    message,
                    format!("say by which field: `dimensions = {{ {} = \"field\" }}`", name.value),
                );
            }
            matched.push(index);
        }
        ReversalTarget::Members(matched)
    }

    /// Items must be told apart: by a line, or by a header of their own.
    fn check_items(&self, header: Option<&[FieldRef]>, line: Option<FieldRef>, problems: &mut Problems) {
        let Some(header) = header.filter(|header| !header.is_empty()) else { return };
        let by_item = header.iter().chain(&line).any(|field| field.list.is_some());
        if self.binding.list.is_some() && !by_item && (self.scene.line.is_none() || line.is_some()) {
            let message = format!("every item of `{}` would be the same line", self.name().value);
            let hint =
                "name the line by a field of the items: `line = { line_no = \"integer\" }` in the fact";
            problems.absent(self.name().span, message, hint);
        }
    }

    /// A reversal of all lines of a header cannot say how much of each it takes, nor do so once an item.
    fn check_whole_header(
        &self,
        header: Option<&[FieldRef]>,
        measures: &[Option<Expression>],
        problems: &mut Problems,
    ) {
        let Some(header) = header.filter(|header| !header.is_empty()) else { return };
        let hint = "name the line with `line`, or the members with `matches`";
        if self.binding.list.is_some() && !header.iter().any(|field| field.list.is_some()) {
            let message = format!("every item of `{}` would reverse the whole header", self.name().value);
            problems.absent(self.name().span, message, hint);
        } else if let (Some(quantity), Some(_)) = (self.scene.quantity, &self.scene.line)
            && measures.get(quantity).is_some_and(Option::is_some)
        {
            let message = format!(
                "`{}` reverses whole headers, and cannot state one quantity for all lines",
                self.name().value
            );
            problems.absent(self.name().span, message, hint);
        }
    }
}
