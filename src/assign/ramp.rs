//! How many take part: a share, by hand or over time.

use super::inside;
use crate::config::time;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The share of units (or, without units, of requests) that take part. A unit that is in stays in,
/// with its config, as the share grows: the point that decides who is in and the one that decides
/// who gets what are independent.
///
/// In a file: `ramp: { share: 0.1 }`, or over time
/// `ramp: { steps: [{ at: 2026-01-05T09:00:00Z, share: 0.01 }, { at: 2026-01-06T09:00:00Z, share: 0.5 }] }`,
/// or with `linear` instead of `steps` for a share that grows in between. Before the first time
/// nobody is in, after the last its share holds.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_spearmint::assign::Ramp;
///
/// let day = |n: u64| UNIX_EPOCH + Duration::from_secs(86_400 * n);
/// assert_eq!(Ramp::share(0.1).share_at(day(9)), 0.1);
///
/// let steps = Ramp::steps([(day(1), 0.1), (day(3), 0.5)])?;
/// let linear = Ramp::linear([(day(1), 0.0), (day(3), 0.5)])?;
/// assert_eq!([0, 1, 2, 3].map(|n| steps.share_at(day(n))), [0.0, 0.1, 0.1, 0.5]);
/// assert_eq!([0, 1, 2, 3].map(|n| linear.share_at(day(n))), [0.0, 0.0, 0.25, 0.5]);
/// # Ok::<(), tower_spearmint::assign::RampError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "RampText")]
pub struct Ramp(Shares);

#[derive(Debug, Clone, PartialEq)]
enum Shares {
    Fixed(f64),
    /// Nanoseconds since 1970, ascending, and the share from then on.
    OverTime {
        stages: Box<[(u64, f64)]>,
        linear: bool,
    },
}

/// What is wrong with a ramp.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RampError {
    /// There is no time in the list.
    #[error("empty; a ramp over time needs at least one `{{ at: …, share: … }}`")]
    Empty,
    /// A share outside 0 to 1.
    #[error("{share} is not a share of units; write a number from 0 to 1")]
    NotAShare {
        /// The share.
        share: f64,
    },
    /// Times that do not ascend.
    #[error("the times of a ramp ascend; number {} is not after the one before it", .at + 1)]
    NotAscending {
        /// Its position, from 0.
        at: usize,
    },
}

impl Ramp {
    /// Always this share, from 0 to 1 (values outside count as the nearest).
    pub const fn share(share: f64) -> Self {
        Self(Shares::Fixed(share.clamp(0.0, 1.0)))
    }

    /// From each time on the share beside it.
    ///
    /// # Errors
    ///
    /// When there is no time, the times do not ascend, or a share is not from 0 to 1.
    pub fn steps(stages: impl IntoIterator<Item = (SystemTime, f64)>) -> Result<Self, RampError> {
        Self::over_time(stages, false)
    }

    /// At each time the share beside it, and in between a share that changes evenly.
    ///
    /// # Errors
    ///
    /// As [`steps`](Self::steps).
    pub fn linear(stages: impl IntoIterator<Item = (SystemTime, f64)>) -> Result<Self, RampError> {
        Self::over_time(stages, true)
    }

    fn over_time(
        stages: impl IntoIterator<Item = (SystemTime, f64)>,
        linear: bool,
    ) -> Result<Self, RampError> {
        let stages: Box<[_]> = stages.into_iter().map(|(at, share)| (ns(at), share)).collect();
        if stages.is_empty() {
            return Err(RampError::Empty);
        }
        for (at, (time, share)) in stages.iter().enumerate() {
            if !(0.0..=1.0).contains(share) {
                return Err(RampError::NotAShare { share: *share });
            }
            if at > 0 && *time <= stages[at - 1].0 {
                return Err(RampError::NotAscending { at });
            }
        }
        Ok(Self(Shares::OverTime { stages, linear }))
    }

    /// The share at a time.
    pub fn share_at(&self, now: SystemTime) -> f64 {
        self.share_at_ns(|| ns(now))
    }

    /// `now` is asked only by a ramp over time.
    pub(crate) fn share_at_ns(&self, now: impl FnOnce() -> u64) -> f64 {
        let (stages, linear) = match &self.0 {
            Shares::Fixed(share) => return *share,
            Shares::OverTime { stages, linear } => (stages, *linear),
        };
        let now = now();
        let next = stages.partition_point(|(at, _)| *at <= now);
        let Some((from, share)) = next.checked_sub(1).map(|last| stages[last]) else { return 0.0 };
        match stages.get(next) {
            Some((to, later)) if linear => {
                let passed = (now - from) as f64 / (to - from) as f64;
                // Rounding must not carry it beyond where it is going.
                (share + (later - share) * passed).clamp(share.min(*later), share.max(*later))
            }
            _ => share,
        }
    }

    /// Whether this entry point is in.
    pub(crate) fn admits(&self, entry: u64, now: impl FnOnce() -> u64) -> bool {
        inside(entry, self.share_at_ns(now))
    }

    /// What of it decides, for the epoch.
    pub(crate) fn rules(&self) -> Value {
        match &self.0 {
            Shares::Fixed(share) => json!({ "share": share }),
            Shares::OverTime { stages, linear } => {
                // Nanoseconds are beyond what JSON's readers hold exactly.
                let stages: Vec<_> =
                    stages.iter().map(|(at, share)| json!([at.to_string(), share])).collect();
                json!({ if *linear { "linear" } else { "steps" }: stages })
            }
        }
    }
}

/// Before 1970 counts as 1970.
fn ns(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RampText {
    /// One share, until another file says otherwise.
    Share(
        #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
        f64,
    ),
    /// Each share holds from its time on.
    Steps(Vec<Stage>),
    /// The share grows from one to the next in between.
    Linear(Vec<Stage>),
}

/// A share from a time on.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    /// From when on (RFC 3339).
    #[serde(deserialize_with = "time::time")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Time"))]
    at: SystemTime,
    /// The share from then on.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
    share: f64,
}

#[cfg(feature = "schema")]
crate::config::schema::written::written_as!(Ramp, RampText);

impl TryFrom<RampText> for Ramp {
    type Error = RampError;

    fn try_from(text: RampText) -> Result<Self, RampError> {
        let pairs = |stages: Vec<Stage>| stages.into_iter().map(|stage| (stage.at, stage.share));
        match text {
            RampText::Share(share) if !(0.0..=1.0).contains(&share) => {
                Err(RampError::NotAShare { share })
            }
            RampText::Share(share) => Ok(Self::share(share)),
            RampText::Steps(stages) => Self::steps(pairs(stages)),
            RampText::Linear(stages) => Self::linear(pairs(stages)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(n: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(86_400 * n)
    }

    proptest! {
        #[test]
        fn a_point_that_is_in_stays_in_as_the_share_grows(
            mut shares in prop::collection::vec(0.0..=1.0_f64, 2..6), entry: u64, linear: bool
        ) {
            shares.sort_by(f64::total_cmp);
            let stages = shares.iter().enumerate().map(|(n, share)| (day(n as u64), *share));
            let ramp = Ramp::over_time(stages, linear).unwrap();
            let mut was_in = false;
            for hour in 0..24 * shares.len() as u64 {
                let is_in = ramp.admits(entry, || hour * 3_600_000_000_000);
                prop_assert!(is_in || !was_in, "out again after {hour} hours");
                was_in |= is_in;
            }
        }
    }

    #[test]
    fn a_ramp_that_means_nothing_is_refused() {
        assert_eq!(Ramp::steps([]), Err(RampError::Empty));
        assert_eq!(Ramp::steps([(day(1), 1.5)]), Err(RampError::NotAShare { share: 1.5 }));
        assert_eq!(
            Ramp::linear([(day(1), 0.5), (day(1), 0.6)]),
            Err(RampError::NotAscending { at: 1 })
        );
    }
}
