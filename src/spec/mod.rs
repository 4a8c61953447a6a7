//! TOML text → [`Spec`]: what did the author write?
//!
//! Every value keeps its place in the text, tables keep the order of declaration, and reading goes on after a
//! mistake, so that [`Spec::problems`] holds all of them. Nothing here knows what a name refers to: that is `model`.

mod calendar;
mod case;
mod changes;
mod dimension;
mod event;
mod fact;
mod limits;
mod literal;
mod log;
mod pii;
mod problem;
mod question;
mod read;
mod rows;
mod schema;
mod span;
mod statement;
mod suggest;
mod syntax;
mod table;
mod upcast;
mod view;

pub use calendar::CalendarSpec;
pub use case::CaseSpec;
pub use changes::{DecimalsSpec, OutboxSpec, TableSpec, UnitSpec};
pub use dimension::{AttributeSpec, FieldsSpec};
pub use dimension::{DimensionDoes, DimensionEventSpec, DimensionSpec, LevelSpec, SetsSpec, TrackingSpec};
pub use event::{EventSpec, UnknownSpec};
pub use fact::{
    DateFromSpec, FactDoes, FactEventSpec, FactSpec, MeasureSpec, NumberText, OverReversingSpec, RolesSpec,
    TakesSpec,
};
pub use limits::LimitsSpec;
pub use literal::Literal;
pub use log::{EnvelopeSpec, Instant, LogSpec};
pub use pii::PiiSpec;
pub use problem::{Certainty, Problem, Problems};
pub use question::QuestionSpec;
pub use rows::RowsSpec;
pub use schema::json_schema;
pub use span::{At, Named, Span};
pub use suggest::{closest, list};
pub use upcast::{ActSpec, OldFieldSpec, StepSpec, UpcastSpec};
pub use view::ViewSpec;

use schemars::JsonSchema;
use table::Table;
use toml::de::DeTable;

/// A pipeline: where events come from, which dimensions and facts they make, and nothing physical.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(title = "Starlog pipeline", deny_unknown_fields)]
pub struct Spec {
    /// The pipeline's name; a warehouse belongs to one.
    #[schemars(required)]
    pub name: Option<At<String>>,
    /// Where events come from, and the fields around their payload.
    #[schemars(required)]
    pub log: Option<LogSpec>,
    /// How an instant becomes a calendar day.
    pub calendar: Option<CalendarSpec>,
    /// The event types that the log holds, each with the fields of its payload.
    pub events: Named<EventSpec>,
    /// Who, what and where: members with versions over time.
    #[schemars(default)]
    pub dimensions: Named<DimensionSpec>,
    /// How much: a signed ledger of lines.
    #[schemars(default)]
    pub facts: Named<FactSpec>,
    /// Questions that `starlog ask --question` answers.
    #[schemars(default)]
    pub question: Vec<QuestionSpec>,
    /// What every release holds computed in advance: questions answered as tables.
    #[schemars(default)]
    pub views: Named<ViewSpec>,
    /// What is to come of given lines: `starlog test` tries it.
    #[schemars(default)]
    pub test: Vec<CaseSpec>,
    /// What could not be read. A model is made only where this is empty.
    #[schemars(skip)]
    pub problems: Problems,
}

impl Spec {
    /// Reads a pipeline as it is written. Never fails: what is wrong stands in [`Spec::problems`].
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut problems = Problems::default();
        let repaired = syntax::repaired(text, &mut problems);
        let (document, _) = DeTable::parse_recoverable(&repaired);
        let mut table = Table::new("a pipeline", Span::default(), document.get_ref());
        let mut spec = Self {
            name: table.required("name", &mut problems),
            log: table.required("log", &mut problems),
            calendar: table.optional("calendar", &mut problems),
            events: table.required("events", &mut problems).unwrap_or_default(),
            dimensions: table.optional("dimensions", &mut problems).unwrap_or_default(),
            facts: table.optional("facts", &mut problems).unwrap_or_default(),
            question: table.optional("question", &mut problems).unwrap_or_default(),
            views: table.optional("views", &mut problems).unwrap_or_default(),
            test: table.optional("test", &mut problems).unwrap_or_default(),
            problems: Problems::default(),
        };
        table.finish(&mut problems);
        spec.problems = problems;
        spec
    }
}
