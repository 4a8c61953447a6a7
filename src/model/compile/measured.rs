//! `net`, `revenue = sum(net)`, `count_distinct(role.column)` → an aggregate, or why a fact cannot carry it.

use super::clause::{Mistake, Node, What};
use super::column::{Subject, known, same};
use crate::model::{Additivity, Aggregate, Asked, Column, Comparison, Measure, ValueType};

const FUNCTIONS: [&str; 6] = ["sum", "min", "max", "avg", "count", "count_distinct"];

/// A number that a question asks for.
pub(super) fn compile(subject: Subject<'_>, node: &Node, text: &str) -> Result<Asked, Mistake> {
    let (name, node) = named(node)?;
    let (own_name, aggregate) = Measured { subject, text }.aggregate(node)?;
    Ok(Asked { name: name.unwrap_or(own_name), aggregate })
}

/// `name = x` → the name, and x.
pub(super) fn named(node: &Node) -> Result<(Option<String>, &Node), Mistake> {
    match &node.what {
        What::Compare(Comparison::Equal, name, of) => match &name.what {
            What::Name(parts) if parts.len() == 1 => Ok((parts.first().cloned(), of)),
            _ => {
                let hint = "a column of the answer is named so: `name = what`";
                Err(Mistake::new(name.place.clone(), "this is no name for a column", hint))
            }
        },
        _ => Ok((None, node)),
    }
}

struct Measured<'a> {
    subject: Subject<'a>,
    text: &'a str,
}

impl Measured<'_> {
    fn aggregate(&self, node: &Node) -> Result<(String, Aggregate), Mistake> {
        match &node.what {
            What::Name(parts) => self.bare(node, parts),
            What::Call(function, arguments) => {
                let aggregate = self.call(node, function, arguments)?;
                let names: Vec<&str> = aggregate.columns().iter().map(Column::name).collect();
                let name = [function.as_str()].into_iter().chain(names).collect::<Vec<_>>().join("_");
                Ok((name, aggregate))
            }
            _ => Err(Mistake::new(
                node.place.clone(),
                "this is no measure",
                "name a measure that adds up, or write `sum(x)`, `min(x)`, `max(x)`, `avg(x)`, `count()`, `count_distinct(x)`",
            )),
        }
    }

    /// A measure that adds up, or the fact's own name.
    fn bare(&self, node: &Node, parts: &[String]) -> Result<(String, Aggregate), Mistake> {
        let fact = self.subject.fact;
        let at = |message: String, hint: String| Err(Mistake::new(node.place.clone(), message, hint));
        let [name] = parts else {
            let shown = parts.join(".");
            return at(
                format!("`{shown}` is no measure"),
                format!(
                    "count its values, `count_distinct({shown})`; or take its `min` or `max`; or put it into `by`"
                ),
            );
        };
        if let Some(measure) = self.measure(name) {
            return Ok((measure.name.clone(), Aggregate::Sum(self.summed(node, measure)?)));
        }
        if same(&fact.name, name) {
            if fact.header.is_empty() {
                return at(
                    format!(
                        "the lines of the fact `{name}` stand alone: there is nothing that they are lines of"
                    ),
                    "count its rows: `count()`".to_owned(),
                );
            }
            let header = fact.header.iter();
            let columns =
                header.map(|column| Column::Own { name: column.name.clone(), value_type: column.value_type });
            return Ok((fact.name.clone(), Aggregate::Distinct(columns.collect())));
        }
        self.check_other_facts(node, name)?;
        if self.subject.own_columns().iter().any(|(column, _)| same(column, name)) {
            return at(
                format!("`{name}` is no measure of the fact `{}`", fact.name),
                format!("count its values, `count_distinct({name})`; or put it into `by`"),
            );
        }
        let measures = fact.measures.iter().map(|measure| measure.name.as_str());
        at(
            format!("the fact `{}` has no measure `{name}`", fact.name),
            known(name, measures.chain([fact.name.as_str()]).chain(FUNCTIONS)),
        )
    }

    fn call(&self, node: &Node, function: &str, arguments: &[Node]) -> Result<Aggregate, Mistake> {
        let at = |message: String, hint: &str| Mistake::new(node.place.clone(), message, hint);
        let one = || match arguments {
            [only] => Ok(only),
            _ => Err(at(format!("`{function}` takes one column"), "write `sum(x)`")),
        };
        Ok(match function {
            "count" if arguments.is_empty() => Aggregate::Rows,
            "count" => Aggregate::Count(self.column(one()?)?),
            "count_distinct" => {
                if arguments.is_empty() {
                    return Err(at(
                        "count_distinct of nothing".to_owned(),
                        "name what is counted: `count_distinct(x)`",
                    ));
                }
                let mut columns = Vec::new();
                for argument in arguments {
                    self.check_argument(argument)?;
                    columns.extend(self.subject.members(argument, self.text)?);
                }
                Aggregate::Distinct(columns)
            }
            "min" => Aggregate::Least(self.column(one()?)?),
            "max" => Aggregate::Greatest(self.column(one()?)?),
            "sum" => Aggregate::Sum(self.sum(one()?)?),
            "avg" => Aggregate::Average(self.average(one()?)?),
            other => {
                return Err(at(
                    format!("there is no function `{other}` of measures"),
                    &known(other, FUNCTIONS),
                ));
            }
        })
    }

    fn column(&self, node: &Node) -> Result<Column, Mistake> {
        self.check_argument(node)?;
        self.subject.column(node, self.text)
    }

    /// Only what adds up is summed.
    fn sum(&self, node: &Node) -> Result<Column, Mistake> {
        let column = self.column(node)?;
        let refused = |message: String, hint: String| Err(Mistake::new(node.place.clone(), message, hint));
        match &column {
            Column::Own { name, .. } => match self.measure(name) {
                Some(measure) => self.summed(node, measure),
                None => refused(
                    format!("`{name}` is no measure: nobody has said that it adds up"),
                    format!(
                        "declare it under [facts.{}.measures], or take its `min` or `max`",
                        self.subject.fact.name
                    ),
                ),
            },
            other => refused(
                self.repeats(other),
                "take its `min` or `max`; or count it, `count_distinct(x)`".to_owned(),
            ),
        }
    }

    fn average(&self, node: &Node) -> Result<Column, Mistake> {
        let column = self.column(node)?;
        let refused = |message: String, hint: &str| Err(Mistake::new(node.place.clone(), message, hint));
        if !matches!(column.value_type(), ValueType::Integer | ValueType::Decimal { .. }) {
            return refused(
                format!("`{}` is no number", self.subject.show(&column)),
                "take its `min` or `max`",
            );
        }
        match &column {
            Column::Own { .. } => Ok(column),
            other => refused(self.repeats(other), "take its `min` or `max`"),
        }
    }

    /// Why a column that a key leads to is no number of the fact's rows.
    fn repeats(&self, column: &Column) -> String {
        format!(
            "`{}` is of a member, not of a row of the fact `{}`: it would count once for each row that names the member",
            self.subject.show(column),
            self.subject.fact.name
        )
    }

    fn summed(&self, node: &Node, measure: &Measure) -> Result<Column, Mistake> {
        let name = &measure.name;
        match measure.additivity {
            Additivity::Additive => Ok(Column::Own { name: name.clone(), value_type: measure.value_type }),
            Additivity::NonAdditive => Err(Mistake::new(
                node.place.clone(),
                format!(
                    "`{name}` does not add up (the pipeline says `additive = false`): its sum would mean nothing"
                ),
                format!("take its `min({name})`, `max({name})` or `avg({name})`; or put it into `by`"),
            )),
        }
    }

    fn measure(&self, name: &str) -> Option<&Measure> {
        self.subject.fact.measures.iter().find(|measure| same(&measure.name, name))
    }

    /// A name that only another fact knows has a reason of its own.
    fn check_argument(&self, node: &Node) -> Result<(), Mistake> {
        match &node.what {
            What::Name(parts) => match parts.as_slice() {
                [name] if !self.subject.own_columns().iter().any(|(column, _)| same(column, name)) => {
                    self.check_other_facts(node, name)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn check_other_facts(&self, node: &Node, name: &str) -> Result<(), Mistake> {
        let fact = self.subject.fact;
        let of = |other: &&crate::model::Fact| {
            other.name != fact.name
                && (same(&other.name, name) || other.measures.iter().any(|measure| same(&measure.name, name)))
        };
        match self.subject.ground.facts.iter().find(of) {
            None => Ok(()),
            Some(other) => Err(Mistake::new(
                node.place.clone(),
                format!(
                    "`{name}` is of the fact `{}`, the question of the fact `{}`: joined, each row of one would be counted \
                     once for each row of the other (fan-out)",
                    other.name, fact.name
                ),
                "ask two questions, by the same columns, and put the answers side by side",
            )),
        }
    }
}
