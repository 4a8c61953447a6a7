//! README's output is real: every `$ starlog ...` in it is run, and what it prints is compared.
//! `STARLOG_UPDATE_README=1 cargo test --release readme` writes what is printed into the page.

use assert_cmd::Command;
use std::fs;
use std::path::Path;

#[test]
fn the_commands_in_the_readme_print_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("README.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut rewritten = String::new();
    let mut blocks = 0;
    let mut rest = page.as_str();
    while let Some((before, block)) = rest.split_once("```console\n") {
        let (block, after) = block.split_once("```\n").expect("a block ends");
        let (command, _) = block.split_once('\n').expect("a command line");
        let printed =
            run(root, folder.path(), command.strip_prefix("$ starlog ").expect("a call of starlog"));
        rewritten.push_str(&format!("{before}```console\n{command}\n{printed}```\n"));
        blocks += 1;
        rest = after;
    }
    rewritten.push_str(rest);
    assert!(blocks >= 5, "the worked example has gone");
    if std::env::var_os("STARLOG_UPDATE_README").is_some() {
        fs::write(root.join("README.md"), rewritten).unwrap();
        return;
    }
    assert_eq!(steady(&page), steady(&rewritten), "run with STARLOG_UPDATE_README=1 and read the difference");
}

fn run(root: &Path, warehouse: &Path, arguments: &str) -> String {
    let output = Command::cargo_bin("starlog")
        .unwrap()
        .args(words(arguments))
        .current_dir(root)
        .env("STARLOG_WAREHOUSE", warehouse.join("warehouse"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The words of a command line: spaces part them, double quotes hold them together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    let mut signs = line.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => quoted = !quoted,
            '\\' => words.last_mut().unwrap().extend(signs.next()),
            ' ' if !quoted => words.push(String::new()),
            sign => words.last_mut().unwrap().push(sign),
        }
    }
    words
}

/// The text without what differs from run to run: durations and where the warehouse is.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim_start().split_once(' ') {
        Some((label, _)) if ["seconds", "took", "time", "warehouse"].contains(&label) => label.to_owned(),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
