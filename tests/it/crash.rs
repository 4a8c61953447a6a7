//! A run that is killed, or whose disk fails, at any of its effects: readers see whole releases only, the next run
//! heals, and in the end nothing is lost, doubled or torn (DESIGN 2, 26-28).
//!
//! What is done to a warehouse is a [`Deed`], at a point of the [`story`]; what is done to a deed is a [`Harm`]. Every
//! deed meets every harm at every one of its effects with `STARLOG_TRIALS=all`; else some of them.

mod deed;
mod harm;
mod state;
mod story;

use crate::support::memory_folder;
use deed::Deed;
use harm::Harm;
use starlog::disk::Disk;
use state::{State, whole_release};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What is done, after how many nights. Whatever a writer can do to a warehouse belongs here.
const SCENARIOS: [(&str, usize, Deed); 10] = [
    ("the first night", 0, Deed::Run),
    ("late events, duplicates and rejects", 1, Deed::Run),
    ("a month closes, a file rotates", 2, Deed::Run),
    ("nothing new", 3, Deed::Run),
    ("a field is declared, old events are lifted", 4, Deed::Run),
    ("only rejects", 5, Deed::Run),
    ("a rebuild", 4, Deed::Rebuild),
    ("a rollback", 3, Deed::RollBack),
    ("old releases and lifted files are removed", 5, Deed::Gc),
    ("rejects are put back", 5, Deed::Requeue),
];

/// How many trials there are when none are asked for.
const TRIALS: usize = 130;

/// A scenario, and what becomes of it undisturbed.
struct Scenario {
    name: &'static str,
    nights: usize,
    deed: Deed,
    /// Everything as it is before the deed.
    base: Place,
    /// The root hashes of the releases that a reader may see: before the deed and after it.
    before: Option<String>,
    after: Option<String>,
    /// What there is after the deed and a run.
    then: State,
    /// What there is after the deed, a run, and one more night.
    later: State,
    /// Each effect of the deed: what, and where.
    effects: Vec<(&'static str, PathBuf)>,
}

struct Trial<'a> {
    scenario: &'a Scenario,
    /// The effect that is harmed.
    at: usize,
    harm: Harm,
}

/// A folder with a pipeline, a log and a warehouse. It goes with the value.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(memory_folder())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn copy(&self) -> Self {
        let copy = Self::new();
        let from = self.path().join(".");
        let status = Command::new("cp").arg("-a").arg(from).arg(copy.path()).status().unwrap();
        assert!(status.success(), "a copy of {}", self.path().display());
        copy
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = Disk::default().remove_dir_all(self.0.path());
    }
}

#[test]
fn whatever_ends_a_run_the_next_one_heals() {
    let scenarios: Vec<Scenario> =
        SCENARIOS.map(|(name, nights, deed)| Scenario::new(name, nights, deed)).into();
    let all: Vec<Trial> = scenarios.iter().flat_map(Scenario::trials).collect();
    let chosen = chosen(&all);
    assert!(chosen.len() >= TRIALS.min(all.len()));
    let kills = chosen.iter().filter(|trial| trial.harm.is_death()).count();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    // Several at a time: they wait for processes.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(trial) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| trial.run())) {
                        failures.lock().unwrap().push(format!("{}: {}", trial.name(), said(panic.as_ref())));
                    }
                }
            });
        }
    });
    eprintln!("{} of {} trials, {kills} of them deaths", chosen.len(), all.len());
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} trials:\n{}", failures.len(), chosen.len(), failures.join("\n"));
}

/// A trial runs this as a process of its own, and kills it.
#[test]
#[ignore = "a deed that waits for its death: only a trial calls it"]
fn a_deed_until_it_is_killed() {
    harm::wait_for_death();
}

/// All trials, or as many as are asked for: every so many of them, and every death at a commit.
fn chosen<'t, 's>(all: &'t [Trial<'s>]) -> Vec<&'t Trial<'s>> {
    let wanted = match std::env::var("STARLOG_TRIALS").as_deref() {
        Ok("all") => all.len(),
        Ok(count) => count.parse().expect("a number, or `all`"),
        Err(_) => TRIALS,
    };
    let step = (all.len() / wanted.max(1)).max(1);
    let is_chosen = |(index, trial): &(usize, &Trial)| {
        index.is_multiple_of(step) || trial.harm == Harm::Killed && trial.effect().0 == "replace"
    };
    all.iter().enumerate().filter(is_chosen).map(|(_, trial)| trial).collect()
}

impl Scenario {
    fn new(name: &'static str, nights: usize, deed: Deed) -> Self {
        let base = Place::new();
        for night in 0..nights {
            story::lay(base.path(), night);
            Deed::Run.of(base.path(), &Disk::default()).unwrap();
        }
        if deed == Deed::Run {
            story::lay(base.path(), nights);
        }
        let before = whole_release(base.path());
        let place = base.copy();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (watcher, root) = (Arc::clone(&seen), place.path().to_owned());
        let disk = Disk::watched(move |effect| {
            let path = effect.path.strip_prefix(&root).unwrap().to_owned();
            watcher.lock().unwrap().push((effect.action, path));
            Ok(())
        });
        deed.of(place.path(), &disk).unwrap();
        let after = whole_release(place.path());
        Deed::Run.of(place.path(), &Disk::default()).unwrap();
        let then = State::of(place.path());
        story::lay(place.path(), deed.next_night(nights));
        Deed::Run.of(place.path(), &Disk::default()).unwrap();
        let later = State::of(place.path());
        let effects = seen.lock().unwrap().clone();
        Self { name, nights, deed, base, before, after, then, later, effects }
    }

    fn trials(&self) -> impl Iterator<Item = Trial<'_>> {
        self.effects.iter().enumerate().flat_map(move |(at, (action, path))| {
            let harms = Harm::ALL.into_iter().filter(|harm| harm.befalls(action, path));
            harms.map(move |harm| Trial { scenario: self, at, harm })
        })
    }
}

impl Trial<'_> {
    fn effect(&self) -> &(&'static str, PathBuf) {
        &self.scenario.effects[self.at]
    }

    fn name(&self) -> String {
        let (action, path) = self.effect();
        format!("{}, effect {}, {action} {}, {:?}", self.scenario.name, self.at, path.display(), self.harm)
    }

    fn run(&self) {
        let Scenario { nights, deed, base, before, after, then, later, .. } = self.scenario;
        let place = base.copy();
        let place = place.path();
        if self.harm.is_death() {
            harm::kill(place, *deed, self.at, self.harm);
        } else {
            let failed = deed.of(place, &harm::failing(self.at, self.harm));
            let error = failed.expect_err("the disk has failed");
            assert_eq!(error.exit_code(), 3, "whose fault is it? {error}");
        }
        let seen = whole_release(place);
        assert!(seen == *before || seen == *after, "readers see neither the old release nor the new one");

        // The next run is one more try, or that of the next night, which knows nothing of what happened.
        let is_next_night = self.at.is_multiple_of(2);
        if is_next_night {
            story::lay(place, deed.next_night(*nights));
        }
        if *deed == Deed::Requeue {
            // A run does not put rejects back by itself.
            deed.of(place, &Disk::default()).unwrap();
        }
        Deed::Run.of(place, &Disk::default()).unwrap_or_else(|error| panic!("the next run fails: {error}"));
        let expected = if is_next_night { later } else { then };
        assert_eq!(State::of(place), *expected);
        state::is_in_order(place);
    }
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}
