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

    /// The rows that came with the one read last and weren't read yet, if that was the first of many.
    pub(super) fn coming(&self) -> impl Iterator<Item = Values<'_>> {
        let coming = if self.next == 1 { 1..self.batch.rows.len() } else { 0..0 };
        coming.filter_map(|index| Some(self.batch.values(index)?.1))
    }

    /// What people should know about the file, once it was read.
    pub(super) fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(mut pushed: Pushed) -> Result<Vec<(u32, Vec<String>)>, Fault> {
        let mut rows = Vec::new();
        while let Some((row, values)) = pushed.read()? {
            assert!(values.get(values.count()).is_none());
            rows.push((row, values.texts().map(str::to_owned).collect()));
        }
        Ok(rows)
    }

    proptest! {
        #[test]
        fn rows_come_out_as_they_went_in(
            rows in prop::collection::vec(prop::collection::vec("[aä€]{0,9}", 0..4), 0..40),
            times in 1..100_usize,
        ) {
            // More than a batch holds.
            let rows: Vec<(u32, Vec<String>)> = (1..).zip(std::iter::repeat_n(rows, times).flatten()).collect();
            let pushing = rows.clone();
            let pushed = Pushed::by(move |push| {
                for (row, values) in &pushing {
                    push.row(*row, values.iter().map(String::as_str)).unwrap();
                }
                Ok(())
            });
            prop_assert_eq!(all(pushed).unwrap(), rows);
        }
    }

    #[test]
    fn a_fault_comes_after_the_rows_before_it() {
        let mut pushed = Pushed::by(|push| {
            for row in 1..=3 {
                push.row(row, ["x"]).unwrap();
            }
            push.remark("odd".to_owned());
            Err(Fault::File("cut".to_owned()))
        });
        for row in 1..=3 {
            assert_eq!(pushed.read().unwrap().unwrap().0, row);
        }
        assert_eq!(pushed.read().unwrap_err().to_string(), "cut");
        assert_eq!(pushed.remarks(), ["odd"]);
    }

    #[test]
    fn a_file_of_which_nobody_knows_the_end_is_not_a_short_one() {
        let pushed = Pushed::by(|push| {
            push.row(1, ["x"]).unwrap();
            panic!("a bug of the reader");
        });
        assert!(all(pushed).unwrap_err().to_string().contains("stopped unexpectedly"));
    }

    #[test]
    fn a_reader_that_nobody_listens_to_ends() {
        let (told, ended) = channel();
        drop(Pushed::by(move |push| {
            while push.row(2, ["x"]).is_ok() {}
            told.send(()).unwrap();
            Ok(())
        }));
        ended.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
    }
}
