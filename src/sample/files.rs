//! The files of a company in their folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use aggregates::application::{Content, Dialect, Format};
use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::imports::writer::Writer;

/// Progress is told after so many rows.
const TOLD: u64 = 1 << 12;

/// Refuses a folder in which something is already.
pub fn empty(folder: &Path) -> anyhow::Result<()> {
    let mut names = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("can't read {}", folder.display())),
    };
    names.sort();
    if let Some(first) = names.first() {
        let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
        bail!(
            "{} holds {}{more} already; name an empty or new folder, or write into this one with --force",
            folder.display(),
            first.display()
        );
    }
    Ok(())
}

/// Where files are written, and how many rows were.
pub struct Files<'a> {
    folder: PathBuf,
    pub format: Format,
    progress: &'a dyn Fn(u64, u64),
    rows: u64,
    /// About so many rows in the end.
    total: u64,
}

impl<'a> Files<'a> {
    pub fn new(folder: &Path, format: Format, total: u64, progress: &'a dyn Fn(u64, u64)) -> Self {
        Self { folder: folder.to_owned(), format, progress, rows: 0, total }
    }

    /// Writes `application.json` into a subfolder, which is made.
    pub fn definition(&self, subfolder: &str, body: &Value) -> anyhow::Result<()> {
        let folder = self.folder.join(subfolder);
        fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        let path = folder.join("application.json");
        let text = serde_json::to_string_pretty(body)? + "\n";
        fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))
    }

    /// Begins a file of rows.
    pub fn table(&mut self, subfolder: &str, content: Content, header: &[&str]) -> anyhow::Result<Table<'a, '_>> {
        let path = self.folder.join(subfolder).join(format!("{}.{}", content.as_str(), self.format.as_str()));
        let file = File::create(&path).with_context(|| format!("can't write {}", path.display()))?;
        let writer = Writer::new(file, self.format, &Dialect::default(), content.as_str(), header)
            .with_context(|| format!("can't write {}", path.display()))?;
        Ok(Table { files: self, path, writer })
    }
}

/// A file of rows being written.
pub struct Table<'a, 'b> {
    files: &'b mut Files<'a>,
    path: PathBuf,
    writer: Writer<File>,
}

impl Table<'_, '_> {
    pub fn row(&mut self, values: &[String]) -> anyhow::Result<()> {
        self.writer.row(values).with_context(|| format!("can't write {}", self.path.display()))?;
        self.files.rows += 1;
        if self.files.rows.is_multiple_of(TOLD) {
            (self.files.progress)(self.files.rows, self.files.total.max(self.files.rows));
        }
        Ok(())
    }

    pub fn finish(self) -> anyhow::Result<()> {
        self.writer.finish().with_context(|| format!("can't write {}", self.path.display()))?;
        Ok(())
    }
}
