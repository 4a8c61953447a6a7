//! Questions: once asked, the same answer from every layout, and from SQL that a person wrote.

mod command;
mod messages;
mod random;

use crate::support::rows::Rows;
use crate::support::{World, memory_folder, repository};
use starlog::ask::{self, Tables};
use starlog::layout::Layout;
use starlog::model::{AsOf, Model, Question};
use starlog::query::{self, Session};

/// A pipeline, run once on its own files.
fn built(pipeline: &str) -> World {
    let world = World::within(memory_folder(), &repository().join(pipeline));
    world.run();
    world
}

/// A release in one layout, opened for questions as of a time.
fn session(world: &World, layout: Layout, as_of: AsOf) -> Session {
    let release = world.release();
    let mut spec = query::describe(&release, layout, &world.warehouse());
    if let AsOf::Day(day) = as_of {
        let instant = world.model().calendar.last_instant(day).unwrap();
        spec.views.extend(query::as_of(&release, layout, instant.timestamp_micros()));
    }
    Session::open(&spec).unwrap()
}

fn answer(session: &Session, sql: &str) -> Rows {
    let questions = session.questions(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let mut answer = session.ask(&questions[0]).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let mut batches = Vec::new();
    while let Some(batch) = answer.next_batch().unwrap() {
        batches.push(batch);
    }
    let types = answer.schema().fields().iter().map(|field| field.data_type().to_string());
    let mut rows = Rows::of(answer.schema(), &batches);
    // Types are compared too.
    rows.rows.insert(0, types.collect());
    rows
}

fn sql(model: &Model, question: &Question, tables: impl Into<Tables>) -> String {
    ask::select(model, question, &tables.into()).unwrap().to_string()
}

/// `-- name`, and the SQL below it.
fn by_hand(text: &str) -> Vec<(&str, &str)> {
    text.split("-- ").skip(1).map(|part| part.split_once('\n').unwrap()).collect()
}

/// Every question of the pipeline, in both layouts, against SQL written by hand for the star.
fn check(world: &World, text: &str) {
    let by_hand = by_hand(text);
    let questions = &world.model().questions;
    let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
    assert_eq!(names, by_hand.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (question, (name, written)) in questions.iter().zip(by_hand) {
        let star = session(world, Layout::Star, question.as_of);
        let expected = answer(&star, written);
        assert!(expected.rows.len() > 1, "{name} has no answer");
        for layout in Layout::ALL {
            let rendered = sql(world.model(), question, layout);
            let found = answer(&session(world, layout, question.as_of), &rendered);
            assert!(found == expected, "{name} ({layout})\n{rendered}\nfound\n{found}\nexpected\n{expected}");
        }
    }
}

#[test]
fn the_shop_s_questions_are_answered_as_by_hand() {
    let world = built("pipelines/retail.toml");
    check(&world, include_str!("retail.sql"));
}

#[test]
fn the_hospital_s_questions_are_answered_as_by_hand() {
    let world = built("tests/pipelines/hospital.toml");
    check(&world, include_str!("hospital.sql"));
}
