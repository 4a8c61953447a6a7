//! Patterns → files: in declared order, and by natural name order inside a pattern (DESIGN 2).

use crate::error::{Error, Result};
use std::cmp::Ordering;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The files that these names and glob patterns mean, relative ones from `base`. No file comes twice.
/// A name without wildcards is always among them, also if there is no such file.
///
/// # Errors
/// The author's, for a pattern that is none; the operator's, for a folder that cannot be read.
pub fn expand(base: &Path, patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let path = base.join(pattern);
        let is_plain = !pattern.contains(['*', '?', '[']) || path.exists();
        let mut found = if is_plain { vec![path] } else { matches(base, pattern)? };
        found.sort_by(|left, right| natural(left, right));
        files.extend(found);
    }
    let mut seen = std::collections::HashSet::new();
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

/// `day-9` before `day-10`.
fn natural(left: &Path, right: &Path) -> Ordering {
    natord::compare(&left.to_string_lossy(), &right.to_string_lossy())
        .then_with(|| left.as_os_str().as_bytes().cmp(right.as_os_str().as_bytes()))
}
