//! `on.<event>` of a fact → whose lines the event touches, and with what.

use super::binding::{Binding, Found};
use super::expression;
use super::fact::{KnownRole, NO_HEADER, Scene};
use super::measure::{KnownMeasure, check_scale};
use crate::model::{DateFrom, Expression, FactAction, FactEvent, FieldRef, ReversalTarget, Takes, ValueType};
use crate::spec::{At, DateFromSpec, FactDoes, FactEventSpec, NumberText, Problems, Span, TakesSpec};

/// One event of a fact, while it is compiled.
struct Bound<'a> {
    scene: &'a Scene<'a>,
    binding: Binding<'a>,
    written: &'a FactEventSpec,
    does: FactDoes,
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

/// Reports keys that mean nothing for what the event does.
fn report_misplaced(name: &At<String>, does: FactDoes, written: &FactEventSpec, problems: &mut Problems) {
    use FactDoes::{Amend, Header, Milestone, Place, Reverse};
    let keys = [
        ("kind", written.kind.as_ref().map(|it| it.span), &[Place, Reverse, Amend, Milestone][..]),
        ("line", written.line.as_ref().map(|it| it.span), &[Place, Reverse, Amend, Milestone]),
        (
            "dimensions",
            written.dimensions.iter().next().map(|(it, _)| it.span),
            &[Place, Header, Reverse, Amend],
        ),
        ("columns", written.columns.iter().next().map(|(it, _)| it.span), &[Place, Header, Reverse, Amend]),
        ("measures", written.measures.iter().next().map(|(it, _)| it.span), &[Place, Reverse, Amend]),
        ("takes", written.takes.as_ref().map(|it| it.span), &[Reverse]),
        (
            "matches",
            written.matches.as_ref().map(|it| it.first().map_or(name.span, |it| it.span)),
            &[Reverse],
        ),
        ("date_from", written.date_from.as_ref().map(|it| it.span), &[Place]),
    ];
    for (key, span, allowed) in keys {
        if let Some(span) = span.filter(|_| !allowed.contains(&does)) {
            let of: Vec<String> = allowed.iter().map(|does| format!("\"{}\"", word(*does))).collect();
            let message = format!("`{key}` means nothing for an event that does \"{}\"", word(does));
            problems.add(span, message, format!("leave it out; it belongs to {}", of.join(", ")));
        }
    }
}

fn word(does: FactDoes) -> &'static str {
    match does {
        FactDoes::Place => "place",
        FactDoes::Header => "header",
        FactDoes::Reverse => "reverse",
        FactDoes::Amend => "amend",
        FactDoes::Milestone => "milestone",
    }
}

impl Bound<'_> {
    fn name(&self) -> &At<String> {
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

    fn roles(&self, problems: &mut Problems) -> Vec<Option<Vec<FieldRef>>> {
        let roles = &self.scene.roles;
        for (name, _) in self.written.dimensions.iter() {
            self.report_role(name, problems);
        }
        let carried = |role: &KnownRole<'_>, problems: &mut Problems| {
            let (_, dimension) = role.dimension?;
            let written = self.written.dimensions.get(&role.name.value);
            if written.is_none()
                && (role.name.value != dimension.compiled.name || self.does == FactDoes::Milestone)
            {
                return None;
            }
            match self.binding.key("the key column", &dimension.key, written, problems) {
                Found::Absent(column) if written.is_some() => {
                    let message = format!(
                        "the role `{}` names no field for the key column `{column}`",
                        role.name.value
                    );
                    problems.absent(self.name().span, message, self.binding.nearest(&column));
                    None
                }
                found => found.fields(),
            }
        };
        roles.iter().map(|role| carried(role, problems)).collect()
    }

    fn report_role(&self, name: &At<String>, problems: &mut Problems) -> Option<usize> {
        let known = || self.scene.roles.iter().map(|role| role.name.value.as_str());
        let found = known().position(|role| role == name.value);
        if found.is_none() {
            let message =
                format!("the fact `{}` has no dimension or role `{}`", self.scene.name.value, name.value);
            problems.unknown(name.span, message, &name.value, known());
        }
        found
    }

    fn columns(&self, problems: &mut Problems) -> Vec<Option<FieldRef>> {
        let columns = &self.scene.columns;
        for (name, _) in self.written.columns.iter() {
            let known = || columns.iter().map(|column| column.name.value.as_str());
            if !known().any(|column| column == name.value) {
                let message = format!("the fact `{}` has no column `{}`", self.scene.name.value, name.value);
                problems.unknown(name.span, message, &name.value, known());
            }
        }
        let carried = |column, problems: &mut Problems| {
            self.binding.column("the column", column, self.written.columns.get(&column.name.value), problems)
        };
        let carries = self.does != FactDoes::Milestone;
        columns.iter().map(|column| carries.then(|| carried(column, problems)).flatten()).collect()
    }

    fn measures(&self, problems: &mut Problems) -> Vec<Option<Expression>> {
        let measures = &self.scene.measures;
        for (name, _) in self.written.measures.iter() {
            let known = || measures.iter().map(|measure| measure.column.name.value.as_str());
            if !known().any(|measure| measure == name.value) {
                let message = format!("the fact `{}` has no measure `{}`", self.scene.name.value, name.value);
                problems.unknown(name.span, message, &name.value, known());
            }
        }
        let states = matches!(self.does, FactDoes::Place | FactDoes::Reverse | FactDoes::Amend);
        let stated = |measure| states.then(|| self.measure(measure, problems)).flatten();
        measures.iter().map(stated).collect()
    }

    fn measure(&self, measure: &KnownMeasure, problems: &mut Problems) -> Option<Expression> {
        let name = &measure.column.name.value;
        let written = self.written.measures.get(name);
        let (expression, place) = match written {
            Some(written) => {
                (self.expression(written, problems)?, ("the expression".to_owned(), written.span))
            }
            None => {
                let field = self.binding.same_name(name)?;
                self.number(field, name, self.name().span, problems)?;
                let what = format!("the field `{name}` of `{}`", self.name().value);
                (Expression::Field(field), (what, self.name().span))
            }
        };
        let types = |part: &Expression| match part {
            Expression::Field(field) => self.binding.value_type(*field),
            _ => None,
        };
        check_scale(&measure.column, (&place.0, place.1), &expression, &types, problems);
        Some(expression)
    }

    fn expression(&self, written: &At<NumberText>, problems: &mut Problems) -> Option<Expression> {
        let mut resolve = |word: &str, span: Span, problems: &mut Problems| {
            let field = self.binding.field(word, span, problems)?;
            self.number(field, word, span, problems).map(Expression::Field)
        };
        expression::parse(written, self.scene.text, &mut resolve, problems)
    }

    /// Reports a field that is no number.
    fn number(&self, field: FieldRef, name: &str, span: Span, problems: &mut Problems) -> Option<FieldRef> {
        match self.binding.value_type(field) {
            None | Some(ValueType::Integer | ValueType::Decimal { .. }) => Some(field),
            Some(other) => {
                let message = format!(
                    "the field `{name}` of `{}` is {}, which is no number",
                    self.name().value,
                    super::types::show(other)
                );
                problems.add(
                    span,
                    message,
                    "declare it as `integer` or `decimal(18,4)`, or name another field",
                );
                None
            }
        }
    }

    fn action(
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
                FactAction::Reverse { target, takes }
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

    /// Where rows stand for themselves, every measure must have a value.
    fn check_measures(&self, event: &FactEvent, problems: &mut Problems) {
        let may_lack_header = self.written.header.as_ref().is_some_and(|header| header.is_none())
            || event.header.iter().any(|field| self.binding.is_optional(*field));
        let stands_alone = match self.does {
            FactDoes::Place => "places lines",
            FactDoes::Reverse if may_lack_header => "may name no header",
            _ => return,
        };
        for (measure, stated) in self.scene.measures.iter().zip(&event.measures) {
            let name = &measure.column.name.value;
            if measure.is_computed || problems.doubts(measure.column.name.span) {
                continue;
            }
            let written = self.written.measures.get(name);
            let span = written.map_or(self.name().span, |written| written.span);
            match stated {
                Some(expression) => {
                    if let Some(field) = self.optional_field(expression) {
                        let message =
                            format!("`{field}` may be absent, and the measure `{name}` would have no value");
                        let hint = format!(
                            "leave out the `?` of `{field}`, or give `{name}` a `default` or a `formula`"
                        );
                        problems.add(span, message, hint);
                    }
                }
                None if written.is_some() || self.is_unusable(name) => {}
                None => {
                    let message = format!(
                        "`{}` {stands_alone}, but does not state the measure `{name}`",
                        self.name().value
                    );
                    let hint = format!(
                        "say from which field: `measures = {{ {name} = \"field\" }}` ({}); or give it a `formula` or a `default`",
                        self.binding.nearest(name)
                    );
                    problems.absent(span, message, hint);
                }
            }
        }
    }

    /// Whether there is a field of the name, which was reported as no number.
    fn is_unusable(&self, name: &str) -> bool {
        self.binding.same_name(name).is_some()
    }

    fn optional_field(&self, expression: &Expression) -> Option<&str> {
        match expression {
            Expression::Field(field) => {
                let optional = self.binding.is_optional(*field);
                optional.then(|| self.binding.contracts.field(self.binding.event, *field).name.as_str())
            }
            Expression::Number { .. } | Expression::Measure(_) => None,
            Expression::Negate(inner) => self.optional_field(inner),
            Expression::Binary { left, right, .. } => {
                self.optional_field(left).or_else(|| self.optional_field(right))
            }
        }
    }
}
