//! What stands under `shadow`.

use crate::{
    config::units,
    http::{CompareRules, IdempotencyKey, Rule, wanted::WantedText},
    proxy::{switch::Switch, unit_key::UnitSettings, visitor::SetCookie},
    shadow::{self, BreakerSettings, OnCancel},
};
use serde::Deserialize;
use std::{collections::BTreeMap, time::Duration};

/// What stands under `shadow`.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct ShadowSettings {
    /// Whether shadows run at all [default: true].
    pub(super) enabled: Option<bool>,
    /// The methods that are shadowed [default: GET, HEAD, OPTIONS]. A shadow of any other may do a second time what the primary did.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<crate::config::schema::written::Method>>")
    )]
    pub(super) methods: Option<Vec<String>>,
    /// Which requests are shadowed.
    pub(super) only: Only,
    /// The share of requests that are shadowed, from 0 to 1 [default: 1].
    #[serde(deserialize_with = "units::share")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
    pub(super) sample: Option<f64>,
    /// Draw by unit instead of by request.
    pub(super) sample_by: Option<UnitSettings>,
    /// Which requests may be shadowed.
    pub(super) eligible: Option<Rule>,
    /// How long a shadow may take, from its start to the end of its response [default: 30s].
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    pub(super) timeout: Option<Duration>,
    /// How many shadows of a config may run at once [default: 256].
    pub(super) max_in_flight: Option<usize>,
    /// Leave a shadow alone for a while when most of its runs fail [default: never].
    pub(super) breaker: Option<BreakerSettings>,
    /// What becomes of the shadows when the caller leaves.
    pub(super) on_cancel: OnCancel,
    /// A second run of the primary's own config, which shows the noise: true, false, or settings [default: false].
    pub(super) control: Switch<shadow::ShadowSettings>,
    /// The methods, of those that are shadowed, that the control may repeat [default: GET, HEAD, OPTIONS].
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<crate::config::schema::written::Method>>")
    )]
    pub(super) control_methods: Option<Vec<String>>,
    /// How answers are compared: true, false, or rules [default: true].
    pub(super) compare: Switch<CompareRules>,
    /// What becomes of the `idempotency-key` of a request.
    pub(super) idempotency_key: IdempotencyKey,
    /// Credentials that a shadow may have after all.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::HeaderName>")
    )]
    pub(super) forward_headers: Vec<String>,
    /// Headers that a shadow does not get.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::HeaderName>")
    )]
    pub(super) withhold_headers: Vec<String>,
    /// How much of a request body may wait for one shadow.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) body_buffer: Option<usize>,
    /// How much of request bodies may wait for all shadows.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) body_buffer_total: Option<usize>,
    /// How much of a shadow's response is read [default: 8MiB].
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) max_response_bytes: Option<usize>,
    /// How much of a response is kept to be compared.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) capture_bytes: Option<usize>,
    /// How much of all responses is kept to be compared.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) capture_bytes_total: Option<usize>,
}

/// Which requests are shadowed.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Only {
    /// Paths; `*` at the end stands for anything, as in `/v2/*`.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<Vec<crate::config::schema::written::RequestPath>>",
            length(min = 1)
        )
    )]
    pub(super) paths: Option<Vec<String>>,
    /// A value, or whether the header is there at all.
    pub(super) headers: BTreeMap<String, WantedText>,
}

impl ShadowSettings {
    pub(in super::super) fn reads_json(&self) -> bool {
        self.sample_by.as_ref().is_some_and(|unit| unit.key.reads_json())
            || self.eligible.as_ref().is_some_and(Rule::reads_json)
    }

    pub(in super::super) fn set_cookie(&self) -> Option<SetCookie> {
        self.sample_by.as_ref()?.key.set_cookie()
    }

    /// What a unit is.
    #[cfg(feature = "store")]
    pub(in super::super) const fn unit(&self) -> Option<&UnitSettings> {
        self.sample_by.as_ref()
    }
}
