//! Weights as stretches of one line.

use crate::config::ConfigPool;

/// What is wrong with a set of weights.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// A weight is negative, infinite or not a number.
    #[error("the weight of `{id}` is {weight}; a weight is a finite number of at least 0")]
    NotAWeight {
        /// The config.
        id: String,
        /// Its weight.
        weight: f64,
    },
    /// All weights are 0.
    #[error("all weights are 0; nothing could be chosen")]
    AllZero,
    /// A config of the pool has no weight.
    #[error("no weight for `{id}`; give every config of the pool one (0 is allowed)")]
    Missing {
        /// The config.
        id: String,
    },
    /// A weight for a config that is not in the pool.
    #[error("a weight for `{id}`, which is not in the pool")]
    Unknown {
        /// The id.
        id: String,
    },
    /// A config has two weights.
    #[error("two weights for `{id}`")]
    Twice {
        /// The id.
        id: String,
    },
}

/// The configs of a pool side by side on the line of all `u64` points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// The last point of each stretch; a config of weight 0 has none.
    ends: Vec<Option<u64>>,
    shares: Vec<f64>,
    /// As they were given.
    weights: Vec<f64>,
}

impl Line {
    pub(crate) fn equal(count: usize) -> Self {
        Self::of(&vec![1.0; count])
    }

    pub(crate) fn weighted<'a>(
        pool: &ConfigPool,
        weights: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Self, WeightError> {
        let mut found: Vec<Option<f64>> = vec![None; pool.len()];
        for (id, weight) in weights {
            let Ok(position) = pool.position(id) else {
                return Err(WeightError::Unknown { id: id.to_owned() });
            };
            if !weight.is_finite() || weight < 0.0 {
                return Err(WeightError::NotAWeight { id: id.to_owned(), weight });
            }
            if found[position].replace(weight).is_some() {
                return Err(WeightError::Twice { id: id.to_owned() });
            }
        }
        let weights = found
            .iter()
            .zip(pool.iter())
            .map(|(weight, config)| {
                weight.ok_or_else(|| WeightError::Missing { id: config.id().to_string() })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(WeightError::AllZero);
        }
        Ok(Self::of(&weights))
    }

    pub(super) fn of(weights: &[f64]) -> Self {
        // Scaled by the largest first, so that huge weights do not overflow the sum.
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let total: f64 = weights.iter().map(|weight| weight / largest).sum();
        let last = weights.iter().rposition(|weight| *weight > 0.0);
        let mut covered = 0.0;
        let ends = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| {
                covered += weight / largest;
                // The last stretch ends at the last point, whatever was rounded before. (A cast
                // from float saturates.)
                let end =
                    if Some(at) == last { u64::MAX } else { (covered / total * TWO_64) as u64 };
                (*weight > 0.0).then_some(end)
            })
            .collect();
        let shares = weights.iter().map(|weight| weight / largest / total).collect();
        Self { ends, shares, weights: weights.to_vec() }
    }

    /// The config on whose stretch the point lies.
    pub(crate) fn locate(&self, point: u64) -> usize {
        self.ends.iter().position(|end| end.is_some_and(|end| point <= end)).unwrap_or(0)
    }

    /// The weights, in the order of the pool.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The first and the last point of a config's stretch, if it has one.
    pub(crate) fn stretch(&self, position: usize) -> Option<(u64, u64)> {
        let last = self.ends[position]?;
        let before = self.ends[..position].iter().rev().find_map(|end| *end);
        Some((before.map_or(0, |end| end.saturating_add(1)), last))
    }

    /// The length of a config's stretch, as a share of 1.
    pub(crate) fn share(&self, position: usize) -> f64 {
        self.shares[position]
    }
}

const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// The first `share` of the line: a point is inside with that probability.
pub(crate) fn inside(point: u64, share: f64) -> bool {
    share >= 1.0 || (point as f64) < share * TWO_64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_point_belongs_to_a_config_of_some_weight(
            weights in prop::collection::vec(0.0..1e300_f64, 1..9), point: u64
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0.0));
            let line = Line::of(&weights);
            for point in [point, 0, u64::MAX] {
                prop_assert!(weights[line.locate(point)] > 0.0);
            }
            prop_assert!((line.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn stretches_are_as_long_as_their_weights() {
        let line = Line::of(&[1.0, 0.0, 3.0]);
        let hits = (0..4000u64).filter(|i| line.locate(i * (u64::MAX / 4000)) == 0).count();
        assert!((990..=1010).contains(&hits), "{hits}");
        assert_eq!(line.share(2), 0.75);
    }

    #[test]
    fn a_share_of_one_takes_everything_and_of_nothing_nothing() {
        assert!(inside(u64::MAX, 1.0) && inside(0, 0.01));
        assert!(!inside(0, 0.0) && !inside(u64::MAX, 0.999));
    }
}
