//! What many rows say, kept once.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hint::black_box;

use aggregates::account::Attributes;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts that many rows share, numbered 0, 1, 2, ... They stand one after the other in one piece of memory, and the table holds
/// numbers alone: a row looks its texts up, in any order, and what is small stays near.
#[derive(Debug, Default)]
pub struct Interner {
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    texts: String,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Interner {
    /// The number of a text.
    pub fn number(&mut self, text: &str) -> u32 {
        self.number_of(self.hasher.hash_one(text), text)
    }

    /// The numbers of many texts. Where millions come in any order, most of what one costs is to wait for memory; here each step
    /// asks for what all of them need before the next step needs it.
    pub fn numbers(&mut self, texts: &[&str]) -> Vec<u32> {
        let hashes: Vec<u64> = texts.iter().map(|text| self.hasher.hash_one(text)).collect();
        let guess = |hash: &u64| self.numbers.find(*hash, |_| true).copied();
        let guesses: Vec<Option<u32>> = hashes.iter().map(guess).collect();
        let ends: Vec<usize> = guesses.iter().flatten().map(|number| self.ends[*number as usize]).collect();
        let bytes = self.texts.as_bytes();
        black_box(ends.iter().filter_map(|end| bytes.get(end.checked_sub(1)?)).fold(0, |all, byte| all ^ byte));
        let number = |((text, hash), guess): ((&&str, u64), Option<u32>)| match guess {
            Some(number) if self.text(number) == *text => number,
            _ => self.number_of(hash, text),
        };
        texts.iter().zip(hashes).zip(guesses).map(number).collect()
    }

    fn number_of(&mut self, hash: u64, text: &str) -> u32 {
        let Self { numbers, hasher, texts, ends } = self;
        let is_it = |number: &u32| text_at(texts, ends, *number) == text;
        match numbers.entry(hash, is_it, |number| hasher.hash_one(text_at(texts, ends, *number))) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = ends.len() as u32;
                place.insert(number);
                texts.push_str(text);
                ends.push(texts.len());
                number
            }
        }
    }

    /// The number of a text that was seen.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.find(self.hasher.hash_one(text), |number| self.text(*number) == text).copied()
    }

    /// The text of a number.
    pub fn text(&self, number: u32) -> &str {
        text_at(&self.texts, &self.ends, number)
    }

    /// All of them, by number.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.count()).map(|number| self.text(number as u32))
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.ends.len()
    }
}

fn text_at<'t>(texts: &'t str, ends: &[usize], number: u32) -> &'t str {
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &texts[start..ends[number]]
}

/// Sets of attributes that many grants share, numbered; 0 = none.
#[derive(Debug)]
pub struct AttributeSets {
    numbers: HashMap<Attributes, u32>,
    /// By number.
    pub sets: Vec<Attributes>,
}

impl Default for AttributeSets {
    fn default() -> Self {
        Self { numbers: HashMap::from([(Attributes::new(), 0)]), sets: vec![Attributes::new()] }
    }
}

impl AttributeSets {
    /// The number of a set.
    pub fn number(&mut self, set: Attributes) -> u32 {
        if set.is_empty() {
            return 0;
        }
        if let Some(number) = self.numbers.get(&set) {
            return *number;
        }
        let number = self.sets.len() as u32;
        self.numbers.insert(set.clone(), number);
        self.sets.push(set);
        number
    }
}
