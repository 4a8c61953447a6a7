//! What is refused, and why: every message says what to do instead.

use crate::support::{load, repository};
use starlog::model::{self, Model};
use starlog::spec::{At, Instant, QuestionSpec, Span};

/// `measures | by | where | as`: parts that are left out are empty.
fn asked(model: &Model, line: &str) -> String {
    let mut at = 0;
    let mut parts = Vec::new();
    for part in line.split('|') {
        let start = at + (part.len() - part.trim_start().len());
        let text = part.trim();
        at += part.len() + 1;
        let span = Span { start, end: start + text.len() };
        parts.push((!text.is_empty()).then(|| At { value: text.to_owned(), span }));
    }
    parts.resize(4, None);
    let [measure, by, filter, as_of] = parts.try_into().unwrap();
    let spec = QuestionSpec {
        name: None,
        fact: None,
        measures: Some(measure.into_iter().collect()),
        by: by.into_iter().collect(),
        filter,
        as_of: as_of.map(|time| time.with(Instant(time.value.clone()))),
    };
    let Err(error) = model::question(model, &spec, "the question", line) else {
        return format!("{line}\n  is answered\n");
    };
    let report = error.report().unwrap();
    let mut said = format!("{line}\n");
    for problem in report.related().unwrap() {
        let label = problem.labels().and_then(|mut labels| labels.next()).unwrap();
        let marked = line.get(label.offset()..label.offset() + label.len()).unwrap_or_default();
        said.push_str(&format!("  × {marked}: {problem}\n    {}\n", problem.help().unwrap()));
    }
    said
}

#[test]
fn what_is_refused_is_refused_with_a_reason() {
    let shop = load(&repository().join("pipelines/retail.toml"));
    let hospital = load(&repository().join("tests/pipelines/hospital.toml"));
    let of_shop = [
        "unit_price",
        "sum(unit_price)",
        "sum(line_no)",
        "sum(product.list_price)",
        "avg(product.list_price)",
        "avg(kind)",
        "median(net_amount)",
        "net_amuont",
        "channel",
        "product.product_id",
        "net_amount + gross_amount",
        "count_distinct()",
        "sum(net_amount, quantity)",
        "rows = x = count()",
        "count() | country",
        "count() | product",
        "count() | month",
        "count() | product.departmnt",
        "count() | warehouse.name",
        "count() | date.decade",
        "count() | a.b.c",
        "count() | n = date.quarter",
        "count() | count(kind)",
        "net_amount | net_amount = kind",
        "count() | | kind = \"placed\"",
        "count() | | kind = placed",
        "count() | | kind",
        "count() | | kind = 5",
        "count() | | quantity = '5'",
        "count() | | quantity / 2 > 1",
        "count() | | channel || 'x' = 'ax'",
        "count() | | customer.customer_id = NULL",
        "count() | | date.date > '2023-02-30'",
        "count() | | date.quarter = 1",
        "count() | | CAST(order_id AS integer) = 1",
        "count() | | now() > occurred_at",
        "count() | | random() > 0.5",
        "count() | | kind = (SELECT 'placed')",
        "count() | | 1 < quantity < 5",
        "count() | | kind IN ()",
        "count() | | kind LIKE channel",
        "count() | | kind = 'placed",
        "count() | | kind = 'placed' AND",
        "count() | | kind = 'placed' -- all",
        "count() | | kind; DROP TABLE x",
        "count() | | quantity = 1e3",
        "count() | | | yesterday",
        "count() | | | Now",
    ];
    let of_hospital = [
        "net",
        "count()",
        "sum(tariff)",
        "visits | surgeon.title",
        "count_distinct(visit) | bed.ward",
        "minutes | | surgeon.grade BETWEEN 1 AND '3'",
        "sum(minutes) | | bed.ward = 'North wing'",
    ];
    let mut said: Vec<String> = of_shop.iter().map(|line| asked(&shop, line)).collect();
    said.extend(of_hospital.iter().map(|line| asked(&hospital, line)));
    // Two facts in one question.
    let at = |value: &str| At { value: value.to_owned(), span: Span { start: 0, end: 0 } };
    let spec = QuestionSpec { measures: Some(vec![at("minutes"), at("visits")]), ..QuestionSpec::default() };
    let error = model::question(&hospital, &spec, "the question", "minutes, visits").unwrap_err();
    let problem = error.report().unwrap().related().unwrap().next().unwrap();
    said.push(format!("minutes, visits\n  × {problem}\n    {}\n", problem.help().unwrap()));
    insta::assert_snapshot!("refused", said.join("\n"));
}
