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
pub struct Batch {
    text: String,
    /// Where in `text` each value ends.
    ends: Vec<usize>,
    /// A row's number, and where in `ends` it ends.
    rows: Vec<(u32, usize)>,
}

impl Batch {
    /// The rows and their numbers, the header's being 1.
    pub fn rows(&self) -> impl Iterator<Item = (u32, Values<'_>)> {
        let mut first = 0_usize;
        self.rows.iter().map(move |(row, end)| {
            let start = first.checked_sub(1).map_or(0, |before| self.ends[before]);
            let values = Values { text: &self.text, start, ends: &self.ends[first..*end] };
            first = *end;
            (*row, values)
        })
    }

    /// Does any value contain a NUL character?
    pub fn has_nul(&self) -> bool {
        self.text.contains('\0')
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
    /// Those that came last.
    batch: Batch,
    is_ended: bool,
    remarks: Vec<String>,
}

/// Where the thread puts its rows; `Err(Stopped)` when nobody reads any more.
pub(super) struct Push {
    said: SyncSender<Result<Said, Fault>>,
    emptied: Receiver<Batch>,
    batch: Batch,
    /// Is the header still to come?
    is_at_header: bool,
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
        let is_full = batch.text.len() >= BATCH_BYTES || batch.rows.len() >= BATCH_ROWS;
        // The header is waited for, and goes alone.
        if std::mem::take(&mut self.is_at_header) || is_full { self.send() } else { Ok(()) }
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
        let mut push = Push { said: sender, emptied: empty, batch: Batch::default(), is_at_header: true };
        std::thread::spawn(move || {
            let end = read(&mut push).map(|()| Said::End);
            drop(push.send().and_then(|()| push.say(end))); // as above
        });
        Self { said, emptied, batch: Batch::default(), is_ended: false, remarks: Vec::new() }
    }

    /// The first row; none at all is the end of it.
    pub(super) fn header(&mut self) -> Result<Vec<String>, Fault> {
        let header = self.batch()?.and_then(|batch| batch.rows().next());
        Ok(header.map(|(_, names)| names.texts().map(str::to_owned).collect()).unwrap_or_default())
    }

    /// The next rows; `None` at the end.
    pub(super) fn batch(&mut self) -> Result<Option<&Batch>, Fault> {
        while !self.is_ended {
            match self.said.recv() {
                Ok(said) => match said? {
                    Said::Rows(batch) => {
                        let mut emptied = std::mem::replace(&mut self.batch, batch);
                        emptied.clear();
                        // The thread is at its end: it fills no more.
                        drop(self.emptied.send(emptied));
                        return Ok(Some(&self.batch));
                    }
                    Said::Remark(text) => self.remarks.push(text),
                    Said::End => self.is_ended = true,
                },
                // A file of which nobody knows the end is not a short one.
                Err(_) => return Err(Fault::File("Its reader stopped unexpectedly".to_owned())),
            }
        }
        Ok(None)
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
        while let Some(batch) = pushed.batch()? {
            for (row, values) in batch.rows() {
                assert!(values.get(values.count()).is_none());
                rows.push((row, values.texts().map(str::to_owned).collect()));
            }
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
        for expected in [vec![1], vec![2, 3]] {
            let rows: Vec<u32> = pushed.batch().unwrap().unwrap().rows().map(|(row, _)| row).collect();
            assert_eq!(rows, expected);
        }
        assert_eq!(pushed.batch().map(drop).unwrap_err().to_string(), "cut");
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
