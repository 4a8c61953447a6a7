//! Figures → what a person reads.

use crate::measure::Cost;
use crate::rounds::Round;
use crate::{Options, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// What the rounds of both took.
#[derive(Default)]
pub struct Figures {
    pub starlog: Vec<Round>,
    pub expert: Vec<Round>,
}

/// What the two are given.
pub fn heading(options: &Options, log: &Path) -> Result<String> {
    let (mut files, mut size_bytes) = (0, 0);
    for entry in fs::read_dir(log)? {
        files += 1;
        size_bytes += entry?.metadata()?.len();
    }
    let threads = match options.threads {
        Some(threads) => threads.get(),
        None => std::thread::available_parallelism()?.get(),
    };
    Ok(format!(
        "{} orders over {} days, seed {}: {files} files, {} MB; {threads} threads",
        options.orders,
        options.days,
        options.seed,
        size_bytes / 1_000_000
    ))
}

/// Medians of both, their ratio, and what each stage took of the whole.
pub fn table(figures: &Figures) -> String {
    let mut text = String::new();
    let rounds = figures.starlog.len();
    if rounds == 0 {
        return text;
    }
    let wall = |cost: &Cost| cost.wall.as_secs_f64();
    let cpu = |cost: &Cost| cost.cpu.as_secs_f64();
    let peak = |cost: &Cost| cost.peak_bytes as f64 / 1e6;
    let _ = writeln!(text, "\nMedians of {rounds} rounds:\n{:>19}{:>12}{:>15}", "wall", "CPU", "peak memory");
    let mut medians = Vec::new();
    for (who, rounds) in [("starlog", &figures.starlog), ("expert", &figures.expert)] {
        let of = |figure: &dyn Fn(&Cost) -> f64| median(rounds.iter().map(|round| figure(&round.cost)));
        let (wall, cpu, peak) = (of(&wall), of(&cpu), of(&peak));
        let _ = writeln!(text, "{who:<8}{wall:>9.2} s{cpu:>10.2} s{peak:>12.0} MB");
        medians.push([wall, cpu, peak]);
    }
    if let [[wall, cpu, peak], [their_wall, their_cpu, their_peak]] = medians[..] {
        let (wall, cpu, peak) = (wall / their_wall, cpu / their_cpu, peak / their_peak);
        let _ = writeln!(text, "{:<8}{wall:>9.2}  {cpu:>10.2}  {peak:>12.2}", "ratio");
    }
    for (who, rounds) in [("starlog", &figures.starlog), ("expert", &figures.expert)] {
        let all: Vec<String> =
            rounds.iter().map(|round| format!("{:.2}", round.cost.wall.as_secs_f64())).collect();
        let _ = writeln!(text, "\nWhere {who}'s time goes (rounds took {} s):", all.join(", "));
        text.push_str(&stages(rounds));
    }
    text
}

/// What no stage accounts for (starting, reading the pipeline, leaving) is shown as the rest.
fn stages(rounds: &[Round]) -> String {
    let wall_ms = median(rounds.iter().map(|round| round.cost.wall.as_secs_f64() * 1000.0));
    let mut text = String::new();
    let mut line = |name: &str, elapsed_ms: f64| {
        let share = elapsed_ms / wall_ms * 100.0;
        let _ = writeln!(text, "  {share:>5.1} %{:>9.2} s  {name}", elapsed_ms / 1000.0);
    };
    let mut accounted_ms = 0.0;
    for (index, (name, _)) in rounds.first().map_or(&[][..], |round| &round.stages).iter().enumerate() {
        let of_rounds = rounds.iter().filter_map(|round| round.stages.get(index));
        let elapsed_ms = median(of_rounds.map(|(_, elapsed_ms)| *elapsed_ms));
        accounted_ms += elapsed_ms;
        line(name, elapsed_ms);
    }
    line("the rest", (wall_ms - accounted_ms).max(0.0));
    text
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(middle)) => *middle,
        _ => f64::NAN,
    }
}
