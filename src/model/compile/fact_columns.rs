//! The columns of a fact's two tables: do their names collide?

use super::fact::Scene;
use super::names::{self, Names};
use crate::model::Additivity;
use crate::spec::{At, FactSpec, Problems};

const OF_LEDGERS: [&str; 6] = ["position", "item", "kind", "occurred_at", "date_key", "date_month"];
const OF_LINES: [&str; 2] = ["status", "date_month"];

pub(super) fn check(spec: &FactSpec, scene: &Scene<'_>, problems: &mut Problems) {
    let mut declared: Vec<(&str, &At<String>)> = Vec::new();
    declared.extend(scene.header.iter().map(|column| ("the header's column", &column.name)));
    declared.extend(scene.line.iter().map(|column| ("the line's column", &column.name)));
    declared.extend(scene.columns.iter().map(|column| ("the column", &column.name)));
    declared.extend(scene.measures.iter().map(|measure| ("the measure", &measure.column.name)));
    for (what, name) in &declared {
        names::check_column(what, name, problems);
    }
    table("ledger", &OF_LEDGERS, &declared, scene, problems);
    if spec.lines.is_some() {
        let mut lines = table("accumulating fact", &OF_LINES, &declared, scene, problems);
        for (index, milestone) in scene.milestones.iter().enumerate() {
            names::check_table("the milestone", milestone, problems);
            if scene.milestones.iter().take(index).any(|earlier| earlier.value == milestone.value) {
                let message = format!("the milestone `{}` is named twice", milestone.value);
                problems.add(milestone.span, message, "remove one");
                continue;
            }
            let date = format!("{}_date_key", milestone.value);
            lines.claim_derived("the milestone", &date, milestone, problems);
            if index > 0 {
                let days = format!("days_to_{}", milestone.value);
                lines.claim_derived("the milestone", &days, milestone, problems);
            }
        }
        for measure in
            scene.measures.iter().filter(|measure| measure.compiled.additivity == Additivity::Additive)
        {
            let left = format!("{}_left", measure.column.name.value);
            lines.claim_derived("the measure", &left, &measure.column.name, problems);
        }
    }
}

fn table(
    what: &str,
    own: &[&str],
    declared: &[(&str, &At<String>)],
    scene: &Scene<'_>,
    problems: &mut Problems,
) -> Names {
    let mut table = Names::default();
    for name in own {
        table.reserve(name, format!("the column `{name}` that every {what} has"));
    }
    for role in &scene.roles {
        table.claim_derived("the role", &format!("{}_key", role.name.value), &role.name, problems);
    }
    for (kind, name) in declared {
        table.claim(kind, name, problems);
    }
    table
}
