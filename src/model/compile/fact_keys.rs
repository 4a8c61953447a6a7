//! The keys of a fact's event: which of them mean something for what the event does?

use crate::spec::{At, FactDoes, FactEventSpec, Problems};

/// Reports keys that mean nothing for what the event does.
pub(super) fn report_misplaced(
    name: &At<String>,
    does: FactDoes,
    written: &FactEventSpec,
    problems: &mut Problems,
) {
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
        ("over_reversing", written.over_reversing.as_ref().map(|it| it.span), &[Reverse]),
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
