//! The bounds of a shadow.

use crate::config::units;
use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// What may differ from shadow to shadow. What is not set is as for the whole layer.
///
/// In a file these stand under a config's `shadow`: `shadow: { sample: 0.1, timeout: 500ms }`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShadowSettings {
    #[serde(default, deserialize_with = "share")]
    pub(super) sample: Option<f64>,
    #[serde(default, deserialize_with = "units::duration")]
    pub(super) timeout: Option<Duration>,
    #[serde(default)]
    pub(super) max_in_flight: Option<usize>,
}

impl ShadowSettings {
    /// The share of requests that are shadowed, from 0 to 1 (values outside count as the nearest).
    #[must_use]
    pub const fn sample(mut self, share: f64) -> Self {
        self.sample = Some(share.clamp(0.0, 1.0));
        self
    }

    /// How long a shadow may take from its start to the end of its response.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How many of this config's shadows may run at once.
    #[must_use]
    pub const fn max_in_flight(mut self, count: usize) -> Self {
        self.max_in_flight = Some(count);
        self
    }

    /// These settings, with `base` for what is not set.
    pub(super) fn over(&self, base: &Bounds) -> Bounds {
        Bounds {
            sample: self.sample.unwrap_or(base.sample),
            timeout: self.timeout.unwrap_or(base.timeout),
            max_in_flight: self.max_in_flight.unwrap_or(base.max_in_flight),
        }
    }
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&share) {
        return Ok(Some(share));
    }
    Err(de::Error::custom(format!(
        "{share} is not a share of requests; write a number from 0 to 1"
    )))
}

/// The bounds in force for one shadow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    pub(super) sample: f64,
    pub(super) timeout: Duration,
    pub(super) max_in_flight: usize,
}

impl Default for Bounds {
    /// Every request, 30 seconds, 256 at once.
    fn default() -> Self {
        Self { sample: 1.0, timeout: Duration::from_secs(30), max_in_flight: 256 }
    }
}

/// What becomes of the shadows when the caller leaves before the primary has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCancel {
    /// They run to their end: the comparison is complete, whatever callers do.
    #[default]
    Finish,
    /// They are dropped, too, and end as `cancelled`.
    Cancel,
}
