//! What many rows say, kept once.

use std::collections::HashMap;

use aggregates::account::Attributes;

/// Texts that many rows share, numbered.
#[derive(Debug, Default)]
pub struct Interner {
    numbers: HashMap<String, u32>,
    /// By number.
    pub texts: Vec<String>,
}

impl Interner {
    /// The number of a text.
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }

    /// The number of a text that was seen.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }
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
