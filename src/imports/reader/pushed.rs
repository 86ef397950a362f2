//! Rows from a reader that calls back, or borrows from itself: it runs on a thread of its own and is never far ahead.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{Source, Values};
use crate::imports::Fault;

/// Rows that wait to be taken.
const AHEAD: usize = 256;

/// What the thread says: first the header as row 1, then rows.
enum Said {
    Row(u32, Vec<String>),
    /// Something that people should know.
    Remark(String),
}

/// Rows that a thread pushes.
pub(super) struct Pushed {
    said: Receiver<Result<Said, Fault>>,
    current: Vec<String>,
    remarks: Vec<String>,
}

/// Where the thread puts its rows; `Err(Stopped)` when nobody reads any more.
pub(super) struct Push(SyncSender<Result<Said, Fault>>);

/// Nobody reads any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads any more")]
pub(super) struct Stopped;

impl Push {
    pub(super) fn row(&self, row: u32, values: Vec<String>) -> Result<(), Stopped> {
        self.0.send(Ok(Said::Row(row, values))).map_err(|_| Stopped)
    }

    pub(super) fn remark(&self, text: String) {
        // Nobody reads any more: then nobody wants to know.
        drop(self.0.send(Ok(Said::Remark(text))));
    }
}

impl Pushed {
    /// Starts the thread. Its fault, if any, comes after the rows that it pushed.
    pub(super) fn by(read: impl FnOnce(&Push) -> Result<(), Fault> + Send + 'static) -> Self {
        let (sender, said) = sync_channel(AHEAD);
        let push = Push(sender);
        std::thread::spawn(move || {
            if let Err(fault) = read(&push) {
                drop(push.0.send(Err(fault))); // as above
            }
        });
        Self { said, current: Vec::new(), remarks: Vec::new() }
    }

    fn next(&mut self) -> Result<Option<u32>, Fault> {
        // The sender is gone: the thread is at its end.
        while let Ok(said) = self.said.recv() {
            match said? {
                Said::Row(row, values) => {
                    self.current = values;
                    return Ok(Some(row));
                }
                Said::Remark(text) => self.remarks.push(text),
            }
        }
        Ok(None)
    }
}

impl Source for Pushed {
    fn header(&mut self) -> Result<Vec<String>, Fault> {
        self.next()?;
        Ok(std::mem::take(&mut self.current))
    }

    fn read(&mut self) -> Result<Option<(u32, Values<'_>)>, Fault> {
        let Some(row) = self.next()? else { return Ok(None) };
        Ok(Some((row, self.current.iter().map(String::as_str).collect())))
    }

    fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }
}
