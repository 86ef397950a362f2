//! Rows of a file, one after the other, in any format.

mod csv;
mod json;
mod pushed;
mod xlsx;

use std::io::{Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aggregates::application::{Encoding, FileGroup, Format};
use aggregates::transform::Named;

use pushed::Pushed;
pub use pushed::{Batch, Values};

use super::Fault;
use super::encoding::Text;

/// A file may have so many columns.
const COLUMN_LIMIT: usize = 5000;
/// A row may have so many bytes; it is held in memory.
const ROW_LIMIT: usize = 64 << 20;

/// Between several values of one column, where a format has them (a JSON array).
pub const SEVERAL: char = '\u{1f}';

/// The bytes of a file.
pub trait Bytes: Read + Seek + Send + 'static {
    /// How they are encoded when nobody said it.
    ///
    /// # Errors
    /// They can't be read.
    fn encoding(&mut self) -> std::io::Result<Encoding>;
}

/// A file being read.
pub struct Rows {
    pushed: Pushed,
    /// The columns' names. A format without a header has those that its group's fields need.
    pub header: Vec<String>,
}

impl Rows {
    /// Opens a file of a group, whose columns may have these transforms; `bytes_read` counts how far it is.
    pub fn open(
        mut bytes: impl Bytes,
        file: &str,
        group: &FileGroup,
        named: &Named,
        bytes_read: &Arc<AtomicU64>,
    ) -> Result<Self, Fault> {
        let dialect = &group.dialect;
        let mut pushed = match group.format {
            Format::Xlsx => {
                xlsx::check_size(&mut bytes, file)?;
                xlsx::open(Counted { inner: bytes, count: Arc::clone(bytes_read) }, file, dialect)
            }
            format => {
                let encoding = dialect.encoding.map_or_else(|| bytes.encoding(), Ok)?;
                let text = Text::new(Counted { inner: bytes, count: Arc::clone(bytes_read) }, encoding);
                if format == Format::Csv {
                    csv::open(text, file, dialect)
                } else {
                    json::open(text, file, group, named)
                }
            }
        };
        let header = pushed.header()?;
        if header.len() > COLUMN_LIMIT {
            return Err(Fault::File(format!("{file} has {} columns; at most {COLUMN_LIMIT} are read", header.len())));
        }
        Ok(Self { pushed, header })
    }

    /// The next rows, at most some thousand; `None` at the end.
    pub fn batch(&mut self) -> Result<Option<&Batch>, Fault> {
        self.pushed.batch()
    }

    /// What people should know about the file, once it was read.
    pub fn remarks(&mut self) -> Vec<String> {
        self.pushed.remarks()
    }
}

/// Counts the bytes that were read.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use aggregates::application::{Column, Content, Dialect};

    use super::*;
    use crate::imports::encoding::Detector;

    impl Bytes for Cursor<Vec<u8>> {
        fn encoding(&mut self) -> std::io::Result<Encoding> {
            let mut detector = Detector::default();
            detector.push(self.get_ref());
            Ok(detector.found())
        }
    }

    /// A group of grants in this format.
    pub(super) fn group(format: Format, dialect: Dialect, columns: &[&str]) -> FileGroup {
        FileGroup {
            id: uuid::Uuid::nil(),
            name: "f".to_owned(),
            content: Content::Grants,
            is_required: true,
            format,
            dialect,
            columns: columns.iter().map(|name| ((*name).to_owned(), Column::One((*name).to_owned()))).collect(),
            rules: Vec::new(),
        }
    }

    pub(super) type Row = (u32, Vec<String>);

    /// Everything in a file: its header, then its rows with their numbers.
    pub(super) fn all(bytes: &[u8], group: &FileGroup) -> Result<(Vec<String>, Vec<Row>), Fault> {
        let mut rows = Rows::open(Cursor::new(bytes.to_vec()), "f", group, &Named::new(), &Arc::default())?;
        let mut read = Vec::new();
        while let Some(batch) = rows.batch()? {
            read.extend(batch.rows().map(|(row, values)| (row, values.texts().map(str::to_owned).collect())));
        }
        Ok((rows.header, read))
    }
}
