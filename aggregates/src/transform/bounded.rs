use super::{Unfit, VALUE_LIMIT};

/// A text that can't grow beyond [`VALUE_LIMIT`], so that a short document can't make gigabytes of a row.
#[derive(Default)]
pub(super) struct Bounded(String);

impl Bounded {
    pub(super) fn push(&mut self, text: &str) -> Result<(), Unfit> {
        let length = self.0.len() + text.len();
        if length > VALUE_LIMIT {
            return Err(Unfit::TooLong(length));
        }
        self.0.push_str(text);
        Ok(())
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
