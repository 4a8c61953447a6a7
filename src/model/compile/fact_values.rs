//! `dimensions`, `columns`, `measures` of a fact's event → the fields that each takes its value from.

use super::binding::Found;
use super::expression;
use super::fact::KnownRole;
use super::fact_event::Bound;
use super::measure::{KnownMeasure, check_scale};
use super::types::show;
use crate::model::{Expression, FactEvent, FieldRef, ValueType};
use crate::spec::{At, FactDoes, NumberText, Problems, Span};

impl Bound<'_> {
    pub(super) fn roles(&self, problems: &mut Problems) -> Vec<Option<Vec<FieldRef>>> {
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

    pub(super) fn report_role(&self, name: &At<String>, problems: &mut Problems) -> Option<usize> {
        let known = || self.scene.roles.iter().map(|role| role.name.value.as_str());
        let found = known().position(|role| role == name.value);
        if found.is_none() {
            let message =
                format!("the fact `{}` has no dimension or role `{}`", self.scene.name.value, name.value);
            problems.unknown(name.span, message, &name.value, known());
        }
        found
    }

    pub(super) fn columns(&self, problems: &mut Problems) -> Vec<Option<FieldRef>> {
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

    pub(super) fn measures(&self, problems: &mut Problems) -> Vec<Option<Expression>> {
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
                    show(other)
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

    /// Where rows stand for themselves, every measure must have a value.
    pub(super) fn check_measures(&self, event: &FactEvent, problems: &mut Problems) {
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
