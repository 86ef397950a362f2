//! Aggregates as this process saw them last, so that a command need not wait until its stream is loaded.
//!
//! What is kept may be out of date: another process may have appended since. It serves to decide a command, whose append says
//! from which version it follows, and nothing else: see [`Journal::execute_known`](super::Journal::execute_known).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aggregates::Stream;

use super::{Executed, Loaded};

/// A bounded number of aggregates of one type, by id.
pub struct Known<A> {
    generations: Mutex<Generations<A>>,
    capacity: usize,
}

/// What is used comes into the young generation. When it is full it becomes the old one, and what was old is dropped.
struct Generations<A> {
    young: HashMap<String, Loaded<A>>,
    old: HashMap<String, Loaded<A>>,
}

impl<A: Stream + Clone> Known<A> {
    /// Keeps at most so many aggregates.
    pub fn new(capacity: usize) -> Self {
        let generations = Generations { young: HashMap::new(), old: HashMap::new() };
        Self { generations: Mutex::new(generations), capacity }
    }

    /// The aggregate as it was last seen.
    pub(super) fn get(&self, id: &str) -> Option<Loaded<A>> {
        let generations = self.lock();
        generations.young.get(id).or_else(|| generations.old.get(id)).cloned()
    }

    /// Keeps an aggregate as a command left it.
    pub fn learn(&self, id: &(impl ToString + ?Sized), executed: Executed<A>) {
        self.keep(Loaded::at(id, executed.aggregate, executed.version));
    }

    fn keep(&self, loaded: Loaded<A>) {
        let mut generations = self.lock();
        generations.young.insert(loaded.id.clone(), loaded);
        if generations.young.len() > self.capacity / 2 {
            generations.old = std::mem::take(&mut generations.young);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Generations<A>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use aggregates::application::Application;

    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let known = Known::<Application>::new(10);
        let mut often = Loaded::new("often");
        often.version = 7;
        known.keep(often);
        for number in 0..100 {
            known.keep(Loaded::new(&number));
            let often = known.get("often").unwrap();
            assert_eq!(often.version, 7);
            known.keep(often);
        }
        let kept = (0..100).filter(|number| known.get(&number.to_string()).is_some()).count();
        assert!((1..=10).contains(&kept), "{kept}");
        assert!(known.get("99").is_some());
    }
}
