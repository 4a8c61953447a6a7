//! A command → what it cost, as the kernel accounts for it.

use crate::Result;
use std::mem::MaybeUninit;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// What one process cost.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// The most memory it ever held.
    pub peak_bytes: u64,
}

/// Runs a command to its end.
///
/// The peak counts from the size that this process has when it starts the other, which is why the benchmark
/// itself stays small and leaves all work to copies of itself.
pub fn run(command: &mut Command) -> Result<Cost> {
    settle();
    let begun = Instant::now();
    let child = command.spawn()?;
    let (status, usage) = wait(&child)?;
    let wall = begun.elapsed();
    if status != 0 {
        return Err(format!("{} failed", command.get_program().to_string_lossy()).into());
    }
    // Kibibytes on Linux, bytes on macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok(Cost {
        wall,
        cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
        peak_bytes: u64::try_from(usage.ru_maxrss)? * unit,
    })
}

/// Lets the disk finish what the process before has left to it.
#[allow(unsafe_code, reason = "sync(2) takes nothing and cannot fail; std does not have it")]
fn settle() {
    unsafe { libc::sync() }
}

#[allow(unsafe_code, reason = "wait4(2) alone tells the cost of one child; std does not have it")]
fn wait(child: &Child) -> Result<(libc::c_int, libc::rusage)> {
    let pid = libc::pid_t::try_from(child.id())?;
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for writes, and all zeros are a valid rusage.
    let (waited, usage) =
        unsafe { (libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()), usage.assume_init()) };
    if waited == pid { Ok((status, usage)) } else { Err(std::io::Error::last_os_error().into()) }
}

fn duration(time: libc::timeval) -> Duration {
    let (seconds, micros) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_usec));
    Duration::from_secs(seconds.unwrap_or_default()) + Duration::from_micros(micros.unwrap_or_default())
}
