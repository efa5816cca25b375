//! The bounds of a shadow.

use crate::config::units;
use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// What may differ from shadow to shadow. What is not set is as for the whole layer.
///
/// In a file these stand under a config's `shadow`: `shadow: { sample: 0.1, timeout: 500ms }`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "OneShadow"))]
pub struct ShadowSettings {
    /// The share of requests that are shadowed, from 0 to 1.
    #[serde(default, deserialize_with = "units::share")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
    pub(super) sample: Option<f64>,
    /// How long a shadow may take, from its start to the end of its response.
    #[serde(default, deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) timeout: Option<Duration>,
    /// How many shadows may run at once.
    #[serde(default)]
    pub(super) max_in_flight: Option<usize>,
    /// When a shadow is left alone, and for how long.
    #[serde(default)]
    pub(super) breaker: Option<BreakerSettings>,
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

    /// Leaves this config's shadows alone for a while when most of them fail.
    #[must_use]
    pub const fn breaker(mut self, breaker: BreakerSettings) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// These settings, with `base` for what is not set.
    pub(super) fn over(&self, base: &Bounds) -> Bounds {
        Bounds {
            sample: self.sample.unwrap_or(base.sample),
            timeout: self.timeout.unwrap_or(base.timeout),
            max_in_flight: self.max_in_flight.unwrap_or(base.max_in_flight),
            breaker: self.breaker.clone().or_else(|| base.breaker.clone()),
        }
    }
}

/// The bounds in force for one shadow.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    pub(super) sample: f64,
    pub(super) timeout: Duration,
    pub(super) max_in_flight: usize,
    pub(super) breaker: Option<BreakerSettings>,
}

impl Default for Bounds {
    /// Every request, 30 seconds, 256 at once, no breaker.
    fn default() -> Self {
        Self { sample: 1.0, timeout: Duration::from_secs(30), max_in_flight: 256, breaker: None }
    }
}

/// What becomes of the shadows when the caller leaves before the primary has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnCancel {
    /// They run to their end: the comparison is complete, whatever callers do.
    #[default]
    Finish,
    /// They are dropped, too, and end as `cancelled`.
    Cancel,
}

/// When a shadow is left alone, and for how long.
///
/// In a file: `breaker: { failure_rate: 0.5, window: 10s, min_requests: 20, open_for: 5s, probes: 3 }`,
/// which are the defaults.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BreakerSettings {
    /// The share of failed shadows from which on it opens: above 0, up to 1.
    #[serde(deserialize_with = "rate")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Rate"))]
    pub(super) failure_rate: f64,
    /// How long the end of a shadow counts.
    #[serde(deserialize_with = "units::required_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) window: Duration,
    /// How many must have ended within the window before their share says anything.
    pub(super) min_requests: u32,
    /// How long a shadow is left alone before it is probed.
    #[serde(deserialize_with = "units::required_duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) open_for: Duration,
    /// How many probes must all succeed before it closes.
    pub(super) probes: u32,
}

impl Default for BreakerSettings {
    /// Half of at least 20 shadows within 10 s failed: left alone for 5 s, then 3 probes.
    fn default() -> Self {
        Self {
            failure_rate: 0.5,
            window: Duration::from_secs(10),
            min_requests: 20,
            open_for: Duration::from_secs(5),
            probes: 3,
        }
    }
}

impl BreakerSettings {
    /// The share of failed shadows, above 0 and at most 1, from which on it opens (values outside
    /// count as the nearest).
    #[must_use]
    pub const fn failure_rate(mut self, rate: f64) -> Self {
        self.failure_rate = rate.clamp(f64::MIN_POSITIVE, 1.0);
        self
    }

    /// How long the end of a shadow counts.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// How many ended within the window before their share says anything (at least 1).
    #[must_use]
    pub const fn min_requests(mut self, count: u32) -> Self {
        self.min_requests = count;
        self
    }

    /// How long it stays open before it lets probes through.
    #[must_use]
    pub const fn open_for(mut self, time: Duration) -> Self {
        self.open_for = time;
        self
    }

    /// How many probes, one after another or at once, must all succeed before it closes (at
    /// least 1).
    #[must_use]
    pub const fn probes(mut self, count: u32) -> Self {
        self.probes = count;
        self
    }
}

fn rate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let rate = f64::deserialize(deserializer)?;
    if rate > 0.0 && rate <= 1.0 {
        return Ok(rate);
    }
    Err(de::Error::custom(format!("{rate} is not a failure rate; write a number above 0, up to 1")))
}
