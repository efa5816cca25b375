//! What the data themselves say of chance: drawn again, or dealt out again.

mod bootstrap;
mod permutation;
mod quantiles;

pub use bootstrap::{Bootstrap, bootstrap, bootstrap_two};
pub use permutation::{Permutation, permutation};
pub use quantiles::{QuantileDifference, bootstrap_quantiles};

use crate::assign::Draws;

/// How often, and from where in the sequence of random numbers. The same data, rounds and seed give
/// the same answer everywhere and always: the numbers are SplitMix64's (Steele, Lea and Flood,
/// OOPSLA 2014, doi 10.1145/2660193.2660195); one below n is the upper half of their product with
/// n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// How often: from 1 to [`MOST_ROUNDS`](Self::MOST_ROUNDS). Default 9,999.
    pub rounds: u32,
    /// Where the random numbers begin. Default 0.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { rounds: 9_999, seed: 0 }
    }
}

impl Resampling {
    /// As many as any question of chance wants.
    pub const MOST_ROUNDS: u32 = 1_000_000;

    /// As many rounds as are asked for, if they are not too many.
    fn rounds(self) -> Option<u32> {
        (1..=Self::MOST_ROUNDS).contains(&self.rounds).then_some(self.rounds)
    }

    fn dice(self) -> Dice {
        Dice(Draws::new(self.seed))
    }
}

struct Dice(Draws);

impl Dice {
    /// One of 0 to `count` − 1; even to within `count`/2⁶⁴.
    fn below(&self, count: usize) -> usize {
        ((u128::from(self.0.next()) * count as u128) >> 64) as usize
    }
    /// Between 0 and 1, neither included.
    fn unit(&self) -> f64 {
        ((self.0.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}
