//! What becomes of a deed: its process dies, or its disk fails.
//!
//! A death is a real one: the test binary runs the deed as a process of its own, which says when it has come to the
//! effect and is killed there, by SIGKILL. So the program needs no hook for it.

use super::deed::Deed;
use starlog::disk::{Disk, Effect};
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Harm {
    /// SIGKILL before the effect.
    Killed,
    /// SIGKILL when half of the bytes have been written.
    KilledWriting,
    /// EIO, once.
    Fault,
    /// ENOSPC, from now on for whatever needs room.
    Full,
    /// ENOSPC when half of the bytes have been written.
    FullWriting,
    /// EIO of an fsync that leaves half of the file on the disk.
    Unsynced,
}

/// Where a process that is to die finds what to do: the deed, the effect, whether to write half of it, the place.
const DEATH: &str = "STARLOG_DEATH";
/// What it says when it is there.
const REACHED: &str = "waiting for death";

impl Harm {
    pub const ALL: [Self; 6] =
        [Self::Killed, Self::KilledWriting, Self::Fault, Self::Full, Self::FullWriting, Self::Unsynced];

    /// Whether it can happen to such an effect.
    pub fn befalls(self, action: &str, path: &Path) -> bool {
        match self {
            Self::Killed | Self::Fault => true,
            Self::Full => needs_room(action),
            Self::KilledWriting | Self::FullWriting => action == "write",
            // Folders are synced as well, and have no bytes to lose.
            Self::Unsynced => action == "fsync" && path.extension().is_some(),
        }
    }

    pub fn is_death(self) -> bool {
        matches!(self, Self::Killed | Self::KilledWriting)
    }
}

fn needs_room(action: &str) -> bool {
    matches!(action, "create" | "write" | "mkdir" | "link" | "symlink" | "lock")
}

/// What nothing may do any more when something has failed: only a commit would make a difference.
fn commits(action: &str) -> bool {
    matches!(action, "rename" | "replace" | "symlink")
}

/// A disk that fails like this at one effect.
pub fn failing(at: usize, harm: Harm) -> Disk {
    let count = AtomicUsize::new(0);
    Disk::watched(move |effect| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        if number < at {
            return Ok(());
        }
        if number > at {
            assert!(!commits(effect.action), "{} {} after the failure", effect.action, effect.path.display());
            let is_refused = harm == Harm::Full && needs_room(effect.action);
            return if is_refused { Err(ErrorKind::StorageFull.into()) } else { Ok(()) };
        }
        match harm {
            Harm::Full => Err(ErrorKind::StorageFull.into()),
            Harm::FullWriting => {
                write_half(effect)?;
                Err(ErrorKind::StorageFull.into())
            }
            Harm::Unsynced => {
                let file = OpenOptions::new().write(true).open(effect.path)?;
                file.set_len(file.metadata()?.len() / 2)?;
                Err(io::Error::from_raw_os_error(libc::EIO))
            }
            _ => Err(io::Error::from_raw_os_error(libc::EIO)),
        }
    })
}

fn write_half(effect: Effect<'_>) -> io::Result<()> {
    let half = &effect.bytes[..effect.bytes.len() / 2];
    OpenOptions::new().append(true).create(true).open(effect.path)?.write_all(half)
}

/// Runs a deed in a process of its own until it comes to the effect, and kills it there.
pub fn kill(place: &Path, deed: Deed, at: usize, harm: Harm) {
    let is_inside = harm == Harm::KilledWriting;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::a_deed_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(DEATH, format!("{deed:?} {at} {is_inside} {}", place.display()))
        // While it is open, the child waits: it does not outlive this process.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().is_some_and(|line| line.contains(REACHED)) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(said.last().is_some_and(|line| line.contains(REACHED)), "it never came there: {said:?}");
}

/// The process that is to die.
pub fn wait_for_death() {
    let Ok(death) = std::env::var(DEATH) else { return };
    let mut words = death.splitn(4, ' ');
    let mut word = || words.next().expect("four words");
    let (deed, at, is_inside, place) = (word(), word(), word(), word());
    let (at, is_inside): (usize, bool) = (at.parse().unwrap(), is_inside.parse().unwrap());
    let count = AtomicUsize::new(0);
    let disk = Disk::watched(move |effect| {
        if count.fetch_add(1, Ordering::SeqCst) < at {
            return Ok(());
        }
        if is_inside {
            write_half(effect)?;
        }
        eprintln!("{REACHED}");
        let _ = io::stdin().read(&mut [0]);
        std::process::abort()
    });
    let ended = deed.parse::<Deed>().unwrap().of(Path::new(place), &disk);
    panic!("it was not killed: {ended:?}");
}
