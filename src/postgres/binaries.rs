//! Which installed PostgreSQL to use.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::PostgresError;

/// A folder that holds `initdb` and `postgres`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    pub dir: PathBuf,
    pub major: u32,
}

/// Where to look, in order of preference: `pg_config --bindir`, `PATH`, Debian's folders.
pub fn candidates() -> Vec<PathBuf> {
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    configured
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain(debian.map(|entry| entry.path().join("bin")))
        .filter(|folder| folder.is_absolute())
        .collect()
}

/// The candidates that hold a PostgreSQL server.
///
/// # Errors
/// `NoBinaries` when none does.
pub fn installed(candidates: &[PathBuf]) -> Result<Vec<Binaries>, PostgresError> {
    let installed: Vec<_> = candidates.iter().filter_map(|dir| inspect(dir)).collect();
    if installed.is_empty() { Err(PostgresError::NoBinaries) } else { Ok(installed) }
}

/// The PostgreSQL for `cluster`: of the version that wrote it, or the newest when it is still to be written.
///
/// # Errors
/// `OtherVersion` when that version is not installed.
pub fn choose(installed: &[Binaries], cluster: &Path, written_by: Option<u32>) -> Result<Binaries, PostgresError> {
    // min_by_key keeps the first of equals, and so the order of preference.
    let fitting = installed.iter().filter(|binaries| written_by.is_none_or(|major| binaries.major == major));
    match (fitting.min_by_key(|binaries| Reverse(binaries.major)), written_by) {
        (Some(binaries), _) => Ok(binaries.clone()),
        (None, None) => Err(PostgresError::NoBinaries),
        (None, Some(found)) => {
            let mut majors: Vec<_> = installed.iter().map(|binaries| binaries.major).collect();
            majors.sort_unstable();
            majors.dedup();
            let majors: Vec<_> = majors.iter().map(u32::to_string).collect();
            Err(PostgresError::OtherVersion { cluster: cluster.to_owned(), found, installed: majors.join(", ") })
        }
    }
}

/// The major version in "15", "9.6", "16beta1".
pub fn major(version: &str) -> Option<u32> {
    let version = version.trim();
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

fn inspect(dir: &Path) -> Option<Binaries> {
    if !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    // "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"
    let version = String::from_utf8_lossy(&output.stdout);
    let major = version.split_whitespace().find_map(major)?;
    Some(Binaries { dir: dir.to_owned(), major })
}
