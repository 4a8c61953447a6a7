//! Patterns → files: in declared order, and by natural name order inside a pattern (DESIGN 2).
//!
//! A pattern means files below its root, the folder that it names before the first wildcard. What it finds through a
//! symbolic link or `..` somewhere else is refused: nobody asked for it, and a link in a folder of input may lead to
//! any file of the machine. A link that is named without wildcards is asked for, and so is what is inside the root.

use super::file::path_text;
use crate::error::{Error, Result};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

const WILDCARDS: [char; 3] = ['*', '?', '['];

/// The files that these names and glob patterns mean, relative ones from `base`. No file comes twice.
/// A name without wildcards is always among them, also if there is no such file.
///
/// # Errors
/// The author's, for a pattern that is none or that leads out of its root; the operator's, for a folder that cannot be read.
pub fn expand(base: &Path, patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let path = base.join(pattern);
        let is_plain = !pattern.contains(WILDCARDS) || path.exists();
        let mut found = if is_plain { vec![path] } else { matches(base, pattern)? };
        if !is_plain {
            refuse_outsiders(&root(base, pattern), pattern, &found)?;
        }
        found.sort_by(|left, right| natural(left, right));
        files.extend(found);
    }
    let mut seen = HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

fn matches(base: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
    let escaped = glob::Pattern::escape(&base.to_string_lossy());
    let whole = if Path::new(pattern).is_absolute() || escaped.is_empty() {
        pattern.to_owned()
    } else {
        format!("{escaped}/{pattern}")
    };
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let paths = glob::glob_with(&whole, options).map_err(|error| {
        Error::author(format!("the file pattern `{pattern}` is none: {}", error.msg)).because(error)
    })?;
    paths
        .map(|path| {
            path.map_err(|error| {
                Error::operator(format!("cannot search for `{pattern}`: {error}")).because(error)
            })
        })
        .collect()
}

/// The folder that a pattern names before its first wildcard.
fn root(base: &Path, pattern: &str) -> PathBuf {
    let named = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(WILDCARDS);
    let root = base.join(Path::new(pattern).components().take_while(named).collect::<PathBuf>());
    if root.as_os_str().is_empty() { PathBuf::from(".") } else { root }
}

/// Reports the first file that lies elsewhere than below the root. A link to nothing is left to whoever opens it.
fn refuse_outsiders(root: &Path, pattern: &str, files: &[PathBuf]) -> Result<()> {
    let Ok(root) = root.canonicalize() else { return Ok(()) };
    // Of a million files in a folder, the folder is resolved once.
    let mut folders: HashMap<&Path, bool> = HashMap::new();
    let is_inside = |path: &Path| path.canonicalize().is_ok_and(|real| real.starts_with(&root));
    for file in files {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let is_link = file.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        let ends_inside = if is_link {
            !file.exists() || is_inside(file)
        } else {
            *folders.entry(folder).or_insert_with(|| is_inside(folder))
        };
        if !ends_inside {
            let message = format!(
                "the file pattern `{pattern}` finds {:?}, which leads out of {:?}",
                path_text(file),
                path_text(&root)
            );
            let next = "if it is meant, name it without wildcards; else remove the link";
            return Err(Error::author(message).next(next));
        }
    }
    Ok(())
}

/// `day-9` before `day-10`.
fn natural(left: &Path, right: &Path) -> Ordering {
    natord::compare(&left.to_string_lossy(), &right.to_string_lossy())
        .then_with(|| left.as_os_str().as_bytes().cmp(right.as_os_str().as_bytes()))
}
