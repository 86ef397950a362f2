//! Progress of long commands.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on a terminal, a line every few seconds elsewhere; nothing for short work.
pub struct Bar {
    what: RefCell<String>,
    inner: ProgressBar,
    is_terminal: bool,
    told: Cell<Instant>,
}

impl Bar {
    pub fn new(what: &str) -> Self {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = ProgressBar::with_draw_target(
            Some(0),
            if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Self { what: RefCell::new(what.to_owned()), inner: bar, is_terminal, told: Cell::new(Instant::now()) }
    }

    pub fn at(&self, position: i64, head: i64) {
        self.inner.set_length(head.unsigned_abs());
        self.inner.set_position(position.unsigned_abs());
        if !self.is_terminal && self.told.get().elapsed() > Duration::from_secs(5) {
            self.told.set(Instant::now());
            eprintln!("{}: {position} of {head}", self.what.borrow());
        }
    }

    /// Says what is done now.
    pub fn tell(&self, what: &str) {
        what.clone_into(&mut self.what.borrow_mut());
        self.inner.set_message(what.to_owned());
    }

    pub fn done(&self) {
        self.inner.finish_and_clear();
    }
}
