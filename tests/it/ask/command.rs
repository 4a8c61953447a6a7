//! `starlog ask`: what it prints, and the code that it ends with.

use super::built;
use crate::support::World;
use std::process::{Command, Output, Stdio};

fn ask(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_starlog"));
    let ours = std::env::vars().filter(|(name, _)| name.starts_with("STARLOG_"));
    ours.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command.arg("ask").arg("--warehouse").arg(world.warehouse()).args(arguments).output().unwrap()
}

fn said(world: &World, arguments: &[&str]) -> String {
    let output = ask(world, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    format!("$ starlog ask {}\n{out}{error}[{}]\n", arguments.join(" "), output.status.code().unwrap())
}

#[test]
fn a_question_is_answered_explained_and_shown() {
    let world = built("tests/pipelines/hospital.toml");
    let all = [
        vec![],
        vec!["--json"],
        vec!["--question", "visits_by_insurer_now"],
        vec!["--question", "visits_by_insurer_then", "--format", "csv"],
        vec!["-q", "visits_by_insurer_then", "--as", "sold", "--format", "json"],
        vec!["-q", "who_admits_whose_work", "--sql"],
        vec!["-q", "who_admits_whose_work", "--sql", "--layout", "snowflake"],
        vec!["-q", "visits_by_insurer_then", "--sql"],
        vec!["-q", "done_by_region", "--explain"],
        vec![
            "-m",
            "net,count_distinct(visit, line)",
            "-m",
            "n = count()",
            "-b",
            "bed.region, date.month",
            "--format",
            "markdown",
        ],
        vec!["-m", "net", "-w", "kind = 'done' AND class LIKE 'u%'", "--format", "csv"],
        // What cannot be asked.
        vec!["-q", "visits_by_insurer"],
        vec!["-q", "no"],
        vec!["-m", "net,tariff", "-b", "bed.regoin", "-w", "kind = done"],
        vec!["-m", "net", "--as", "then"],
        vec!["-b", "kind"],
        vec!["-q", "done_by_region", "-m", "net"],
        vec!["-m", "net", "--fact", "stays"],
    ];
    let all: Vec<String> = all.iter().map(|arguments| said(&world, arguments)).collect();
    insta::assert_snapshot!("command", all.join("\n"));
}

/// A file may hold questions that no release has seen, as long as it means the same tables.
#[test]
fn questions_of_a_file_are_asked_of_a_release() {
    let world = built("tests/pipelines/hospital.toml");
    let text = std::fs::read_to_string("tests/pipelines/hospital.toml").unwrap();
    let question = "[[question]]\nname = \"new\"\nmeasures = [\"visits\"]\n";
    let file = world.write("hospital.toml", format!("{text}\n{question}"));
    assert!(said(&world, &["-q", "new"]).contains("the pipeline has no question `new`"));
    let answer = ask(&world, &["-q", "new", "--pipeline", &file, "--format", "csv"]);
    assert_eq!(
        String::from_utf8_lossy(&answer.stdout),
        "visits\n2\n",
        "{}",
        String::from_utf8_lossy(&answer.stderr)
    );
    let other = text.replace("fiscal_year_starts = 10", "fiscal_year_starts = 9");
    let file = world.write("hospital.toml", format!("{other}\n{question}"));
    let refused = ask(&world, &["-q", "new", "--pipeline", &file]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("means other tables"));
}
