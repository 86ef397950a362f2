//! Rows on their way from the thread that reads a file to the one that understands them, many at a time.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use crate::imports::Fault;

/// Batches that wait to be taken: the reader is never far ahead.
const AHEAD: usize = 4;
/// A batch is sent when it has so many bytes or rows.
const BATCH_BYTES: usize = 1 << 16;
const BATCH_ROWS: usize = 1024;

/// A row's texts.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    text: &'a str,
    start: usize,
    ends: &'a [usize],
}

impl<'a> Values<'a> {
    /// The text of a column; `None` beyond the row's end.
    pub fn get(&self, column: usize) -> Option<&'a str> {
        let end = *self.ends.get(column)?;
        let start = column.checked_sub(1).map_or(self.start, |before| self.ends[before]);
        self.text.get(start..end)
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.ends.len()
    }

    /// All of them.
    pub fn texts(self) -> impl Iterator<Item = &'a str> {
        (0..self.count()).filter_map(move |column| self.get(column))
    }
}

/// Rows in one piece of memory.
#[derive(Default)]
struct Batch {
    text: String,
    /// Where in `text` each value ends.
    ends: Vec<usize>,
    /// A row's number, and where in `ends` it ends.
    rows: Vec<(u32, usize)>,
}

impl Batch {
    fn values(&self, index: usize) -> Option<(u32, Values<'_>)> {
        let (row, end) = *self.rows.get(index)?;
        let first = index.checked_sub(1).map_or(0, |before| self.rows[before].1);
        let start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((row, Values { text: &self.text, start, ends: &self.ends[first..end] }))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.rows.clear();
    }
}

/// What the thread says: rows, the header as row 1 being the first, and at last its end.
enum Said {
    Rows(Batch),
    /// Something that people should know.
    Remark(String),
    End,
}

/// Rows that a thread pushes.
pub(super) struct Pushed {
    said: Receiver<Result<Said, Fault>>,
    /// Batches that were read, to be filled again.
    emptied: Sender<Batch>,
    batch: Batch,
    /// The row in `batch` that comes next.
    next: usize,
    is_ended: bool,
    remarks: Vec<String>,
}

/// Where the thread puts its rows; `Err(Stopped)` when nobody reads any more.
pub(super) struct Push {
    said: SyncSender<Result<Said, Fault>>,
    emptied: Receiver<Batch>,
    batch: Batch,
}

/// Nobody reads any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads any more")]
pub(super) struct Stopped;

impl Push {
    pub(super) fn row<'a>(&mut self, row: u32, values: impl IntoIterator<Item = &'a str>) -> Result<(), Stopped> {
        let batch = &mut self.batch;
        for value in values {
            batch.text.push_str(value);
            batch.ends.push(batch.text.len());
        }
        batch.rows.push((row, batch.ends.len()));
        // The header is waited for.
        if batch.text.len() >= BATCH_BYTES || batch.rows.len() >= BATCH_ROWS || row == 1 { self.send() } else { Ok(()) }
    }

    pub(super) fn remark(&mut self, text: String) {
        // Nobody reads any more: then nobody wants to know.
        drop(self.send().and_then(|()| self.say(Ok(Said::Remark(text)))));
    }

    fn send(&mut self) -> Result<(), Stopped> {
        if self.batch.rows.is_empty() {
            return Ok(());
        }
        let next = self.emptied.try_recv().unwrap_or_default();
        let batch = std::mem::replace(&mut self.batch, next);
        self.say(Ok(Said::Rows(batch)))
    }

    fn say(&self, said: Result<Said, Fault>) -> Result<(), Stopped> {
        self.said.send(said).map_err(|_| Stopped)
    }
}

impl Pushed {
    /// Starts the thread. Its fault, if any, comes after the rows that it pushed.
    pub(super) fn by(read: impl FnOnce(&mut Push) -> Result<(), Fault> + Send + 'static) -> Self {
        let (sender, said) = sync_channel(AHEAD);
        let (emptied, empty) = channel();
        let mut push = Push { said: sender, emptied: empty, batch: Batch::default() };
        std::thread::spawn(move || {
            let end = read(&mut push).map(|()| Said::End);
            drop(push.send().and_then(|()| push.say(end))); // as above
        });
        Self { said, emptied, batch: Batch::default(), next: 0, is_ended: false, remarks: Vec::new() }
    }

    /// The first row; none at all is the end of it.
    pub(super) fn header(&mut self) -> Result<Vec<String>, Fault> {
        let header = self.read()?.map(|(_, names)| names.texts().map(str::to_owned).collect());
        Ok(header.unwrap_or_default())
    }

    /// The next row and its number.
    pub(super) fn read(&mut self) -> Result<Option<(u32, Values<'_>)>, Fault> {
        while self.next == self.batch.rows.len() && !self.is_ended {
            match self.said.recv() {
                Ok(said) => match said? {
                    Said::Rows(batch) => {
                        let mut emptied = std::mem::replace(&mut self.batch, batch);
                        self.next = 0;
                        emptied.clear();
                        // The thread is at its end: it fills no more.
                        drop(self.emptied.send(emptied));
                    }
                    Said::Remark(text) => self.remarks.push(text),
                    Said::End => self.is_ended = true,
                },
                // A file of which nobody knows the end is not a short one.
                Err(_) => return Err(Fault::File("Its reader stopped unexpectedly".to_owned())),
            }
        }
        self.next += 1;
        Ok(self.batch.values(self.next - 1))
    }

    /// What people should know about the file, once it was read.
    pub(super) fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}
