//! Chance that is the same on every machine: `SplitMix64`, whole numbers only.

/// A stream of numbers that follows from what it is for.
pub struct Chance(u64);

impl Chance {
    /// The stream of one thing: the seed, what kind of thing, which one. Equal parts give equal numbers.
    pub fn of(parts: &[u64]) -> Self {
        let fold = |state: u64, part: &u64| Self(state ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93)).next();
        Self(parts.iter().fold(parts.len() as u64, fold))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 until the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 until the bound, small ones far more often than large ones.
    pub fn skewed(&mut self, bound: u64) -> u64 {
        let reach = self.below(bound) + 1;
        self.below(reach)
    }

    /// So many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Any order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// Chooses exactly so many of the things that pass by, each set of them as likely as any other.
pub struct Lottery {
    chance: Chance,
    wanted: u64,
    left: u64,
}

impl Lottery {
    /// `wanted` of `left` things.
    pub const fn new(chance: Chance, wanted: u64, left: u64) -> Self {
        Self { chance, wanted, left }
    }

    /// Is the next thing chosen?
    pub fn draw(&mut self) -> bool {
        let is_chosen = self.chance.below(self.left) < self.wanted;
        self.left -= 1;
        self.wanted -= u64::from(is_chosen);
        is_chosen
    }

    /// How many of the next things are chosen.
    pub fn draw_many(&mut self, things: u64) -> u32 {
        (0..things).map(|_| u32::from(self.draw())).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut chance = Chance(1_234_567);
        assert_eq!([chance.next(), chance.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn a_lottery_draws_exactly_what_is_wanted() {
        for (wanted, things) in [(0, 10), (3, 10), (10, 10), (0, 0)] {
            assert_eq!(u64::from(Lottery::new(Chance::of(&[1]), wanted, things).draw_many(things)), wanted);
        }
    }

    #[test]
    fn small_numbers_come_more_often_when_skewed_and_none_reaches_the_bound() {
        let mut chance = Chance::of(&[7]);
        let drawn: Vec<u64> = (0..10_000).map(|_| chance.skewed(100)).collect();
        assert!(drawn.iter().all(|number| *number < 100));
        assert!(drawn.iter().filter(|number| **number < 10).count() > 3_000);
        assert!(drawn.iter().any(|number| *number > 90));
    }
}
