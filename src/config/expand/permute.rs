//! A shuffled order of 0, 1, …, n−1 that needs no memory.
//!
//! A Feistel network of six rounds permutes the smallest even number of bits that holds n; what
//! falls outside is sent through again until it falls inside ("cycle walking": Black and Rogaway,
//! Ciphers with Arbitrary Finite Domains, CT-RSA 2002). It is good for sampling, not for secrecy.

use super::numbers::mix;

const ROUNDS: u64 = 6;

/// A permutation of the numbers below `len`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permutation {
    len: u64,
    half: u32,
    keys: [u64; ROUNDS as usize],
}

impl Permutation {
    /// `len` must be at least 1.
    pub(super) fn new(len: u64, seed: u64) -> Self {
        let bits = (64 - len.saturating_sub(1).leading_zeros()).max(2);
        let mut keys = [0; ROUNDS as usize];
        for (round, key) in (1..).zip(&mut keys) {
            *key = mix(seed, round);
        }
        Self { len, half: bits.div_ceil(2), keys }
    }

    /// What stands at `position` of the shuffled order. On average it takes fewer than four steps.
    pub(super) fn at(&self, position: u64) -> u64 {
        let mut number = self.step(position);
        while number >= self.len {
            number = self.step(number);
        }
        number
    }

    fn step(&self, number: u64) -> u64 {
        let mask = (1_u64 << self.half) - 1;
        let (mut left, mut right) = (number >> self.half, number & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(key, right) & mask));
        }
        left << self.half | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn every_number_comes_once(len in 1..3_000_u64, seed: u64) {
            let order = Permutation::new(len, seed);
            let all: HashSet<u64> = (0..len).map(|at| order.at(at)).collect();
            prop_assert_eq!(all.len() as u64, len);
            prop_assert!(all.iter().all(|number| *number < len));
        }
    }

    #[test]
    fn the_largest_space_is_permuted_too() {
        let order = Permutation::new(u64::MAX, 1);
        assert_ne!(order.at(0), order.at(u64::MAX - 1));
    }
}
