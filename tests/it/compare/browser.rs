//! A page → what a real browser makes of it: Chromium, headless.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The browser of this machine. None is a failure only where one was promised, as in CI.
pub fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let mut found = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    let found = found.find(|program| program.is_file());
    let is_promised = std::env::var_os("STARLOG_BROWSER").is_some_and(|promised| promised != "0");
    assert!(found.is_some() || !is_promised, "STARLOG_BROWSER is set, but there is no Chromium");
    if found.is_none() {
        eprintln!("no Chromium: the page was not opened (apt-get install chromium)");
    }
    found
}

/// What a window is like.
#[derive(Clone, Copy)]
pub struct Window {
    pub width: u32,
    pub dark: bool,
}

/// Opens a file and gives the document as it stands once its scripts have run. Nothing may be said on the console.
pub fn opened(browser: &Path, page: &Path, window: Window) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]);
    command.args(["--enable-logging=stderr", "--disable-extensions", "--disable-background-networking"]);
    command.arg(format!("--window-size={},1400", window.width));
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    if window.dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    let output = command.arg("--dump-dom").arg(format!("file://{}", page.display())).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let console: Vec<&str> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(console.is_empty(), "{console:?}");
    String::from_utf8(output.stdout).unwrap()
}
