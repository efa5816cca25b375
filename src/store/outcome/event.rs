//! One outcome, as it is reported.

use super::{OutcomeError, millionths::Millionths};
use crate::assign::Salt;
use std::fmt;

/// The most bytes of an id.
const MAX_ID: usize = 256;
/// The most bytes of a name.
const MAX_NAME: usize = 128;
/// The most bytes of a unit's key.
const MAX_KEY: usize = 1_024;
/// By so much the clock of whoever reports may be ahead, in ms.
const MAX_AHEAD_MS: u64 = 24 * 3_600_000;

/// Names that mean something else in a report: what is measured of every branch.
const TAKEN: [&str; 8] = [
    "error_rate",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "first_byte_p50",
    "first_byte_p95",
    "first_byte_p99",
    "agreement",
];

/// Something that a unit (a user, a session) did, or that came of it, some time after it was answered: a
/// purchase, a rating, a return.
///
/// ```
/// use tower_spearmint::store::Outcome;
///
/// let bought = Outcome::new("order-1001", "ann", "purchase").value(19.9).at_ms(1_767_225_600_000);
/// assert_eq!(bought.value, 19.9);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Tells it apart from all others: what is reported twice under one id counts once. Up to 256 bytes.
    pub id: String,
    /// Whose it is.
    pub unit: OutcomeUnit,
    /// What is summed up under one name: `purchase`. Up to 128 bytes.
    pub name: String,
    /// How much of it [default: 1]. It counts to the millionth, up to ±10⁹.
    pub value: f64,
    /// When it happened, in ms since the Unix epoch [default: when it is recorded].
    pub at_ms: Option<u64>,
}

/// Whose outcome it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutcomeUnit {
    /// The key that the unit is assigned by: the id of a user, say. It is hashed with the salt of each
    /// experiment, and not kept.
    Key(String),
    /// The hash that a branch has as its `unit`: under the salt of one experiment.
    Hash(u64),
}

/// (A key says who it is, so it is in no log.)
impl fmt::Debug for OutcomeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(_) => f.write_str("Key(..)"),
            Self::Hash(hash) => write!(f, "Hash({hash:016x})"),
        }
    }
}

impl From<&str> for OutcomeUnit {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<String> for OutcomeUnit {
    fn from(key: String) -> Self {
        Self::Key(key)
    }
}

impl OutcomeUnit {
    /// What the branches of an experiment with this salt have as the unit of the one with this key. The salt
    /// is the experiment's name, where none is set.
    ///
    /// ```
    /// use tower_spearmint::store::OutcomeUnit;
    ///
    /// assert_eq!(OutcomeUnit::hashed("ranker", "ann"), OutcomeUnit::Hash(0xf8a1_2bdd_9310_7102));
    /// ```
    pub fn hashed(salt: &str, key: &str) -> Self {
        Self::Hash(Salt::new(salt).unit(key.as_bytes()).hash)
    }
}

impl Outcome {
    /// One of this id, of the unit with this key, of value 1, that happens now.
    pub fn new(
        id: impl Into<String>,
        unit: impl Into<OutcomeUnit>,
        name: impl Into<String>,
    ) -> Self {
        let (id, unit, name) = (id.into(), unit.into(), name.into());
        Self { id, unit, name, value: 1.0, at_ms: None }
    }

    /// Of this value.
    #[must_use]
    pub const fn value(mut self, value: f64) -> Self {
        self.value = value;
        self
    }

    /// Happened then, in ms since the Unix epoch.
    #[must_use]
    pub const fn at_ms(mut self, ms: u64) -> Self {
        self.at_ms = Some(ms);
        self
    }

    /// Its value as it is kept, if there is nothing wrong with the outcome at `now_ms`. The error has no place
    /// yet.
    pub(super) fn checked(&self, now_ms: u64) -> Result<Millionths, OutcomeError> {
        let wrong = |reason: String| Err(OutcomeError::new(reason));
        within("id", &self.id, MAX_ID)?;
        within("name", &self.name, MAX_NAME)?;
        if TAKEN.contains(&self.name.as_str()) {
            return wrong(format!(
                "`{}` is measured of every branch; give the outcome another name",
                self.name
            ));
        }
        if let OutcomeUnit::Key(key) = &self.unit {
            if key.is_empty() {
                return wrong("the unit is empty; write the key that it is assigned by".to_owned());
            }
            if key.len() > MAX_KEY {
                return wrong(format!("the key of a unit has at most {MAX_KEY} bytes"));
            }
        }
        if self.at_ms.is_some_and(|at| at > now_ms.saturating_add(MAX_AHEAD_MS)) {
            return wrong("its time lies in the future (`time_ms` is in ms since 1970)".to_owned());
        }
        Millionths::of(self.value).map_err(OutcomeError::new)
    }
}

fn within(what: &str, text: &str, max: usize) -> Result<(), OutcomeError> {
    if text.trim().is_empty() {
        return Err(OutcomeError::new(format!("the {what} is empty")));
    }
    if text.len() > max {
        return Err(OutcomeError::new(format!("the {what} is longer than {max} bytes")));
    }
    if text.chars().any(char::is_control) {
        return Err(OutcomeError::new(format!("the {what} has a control character in it")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_no_log() {
        let outcome = Outcome::new("1", "ann@example.org", "purchase");
        assert!(!format!("{outcome:?}").contains("ann"));
    }

    #[cfg(feature = "report")]
    #[test]
    fn what_is_measured_of_every_branch_is_no_name() {
        let measured = crate::report::Measure::BUILT_IN.map(|measure| measure.to_string());
        assert_eq!(measured, TAKEN);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let of = |outcome: Outcome| outcome.checked(1_000).map_err(|error| error.reason);
        let fine = || Outcome::new("1", "ann", "purchase");
        assert!(of(fine()).is_ok());
        for (outcome, reason) in [
            (Outcome::new(" ", "ann", "purchase"), "the id is empty"),
            (
                Outcome::new("1", "", "purchase"),
                "the unit is empty; write the key that it is assigned by",
            ),
            (Outcome::new("1", "ann", "a\nb"), "the name has a control character in it"),
            (
                Outcome::new("1", "ann", "error_rate"),
                "`error_rate` is measured of every branch; give the outcome another name",
            ),
            (Outcome::new("1", "a".repeat(1_025), "b"), "the key of a unit has at most 1024 bytes"),
            (Outcome::new("1".repeat(257), "ann", "b"), "the id is longer than 256 bytes"),
            (
                fine().at_ms(86_401_001),
                "its time lies in the future (`time_ms` is in ms since 1970)",
            ),
            (fine().value(f64::NAN), "the value NaN is no number"),
        ] {
            assert_eq!(of(outcome), Err(reason.to_owned()));
        }
    }
}
