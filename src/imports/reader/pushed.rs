//! Rows from a reader that calls back, or borrows from itself: it runs on a thread of its own and is never far ahead.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{Source, Values};
use crate::imports::Fault;

/// Rows that wait to be taken.
const AHEAD: usize = 256;

/// What the thread says: first the header as row 1, then rows.
type Row = (u32, Vec<String>);

/// Rows that a thread pushes.
pub(super) struct Pushed {
    rows: Receiver<Result<Row, Fault>>,
    current: Vec<String>,
}

/// Where the thread puts its rows; `Err(Stopped)` when nobody reads any more.
pub(super) struct Push(SyncSender<Result<Row, Fault>>);

/// Nobody reads any more.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads any more")]
pub(super) struct Stopped;

impl Push {
    pub(super) fn row(&self, row: u32, values: Vec<String>) -> Result<(), Stopped> {
        self.0.send(Ok((row, values))).map_err(|_| Stopped)
    }
}

impl Pushed {
    /// Starts the thread. Its fault, if any, comes after the rows that it pushed.
    pub(super) fn by(read: impl FnOnce(&Push) -> Result<(), Fault> + Send + 'static) -> Self {
        let (sender, rows) = sync_channel(AHEAD);
        let push = Push(sender);
        std::thread::spawn(move || {
            if let Err(fault) = read(&push) {
                // Nobody reads any more: then nobody wants to know.
                drop(push.0.send(Err(fault)));
            }
        });
        Self { rows, current: Vec::new() }
    }

    fn next(&mut self) -> Result<Option<u32>, Fault> {
        // The sender is gone: the thread is at its end.
        let Ok(pushed) = self.rows.recv() else { return Ok(None) };
        let (row, values) = pushed?;
        self.current = values;
        Ok(Some(row))
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
}
