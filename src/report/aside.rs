//! What chance did not assign.
//!
//! Who is outside of a ramp's share, or left out by a rule, gets the default; a tester gets what he asks for. Such requests are
//! others than those of the configs they are answered by, and nobody gave them a share: they are in no comparison.

use crate::{assign::Reason, config::ConfigId};
use serde::Serialize;
use std::collections::BTreeMap;

/// Requests that are in no comparison, as chance did not assign them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SetAside {
    /// Why they got their config.
    pub reason: Reason,
    /// The id of the config.
    pub config_id: ConfigId,
    /// How many there are, however they ended.
    pub requests: u64,
}

/// How many requests were set aside, and how many of them for each reason, by name; nothing if there are none.
pub(super) fn in_words(aside: &[SetAside], number: impl Fn(u64) -> String) -> Option<String> {
    let mut reasons: BTreeMap<Reason, u64> = BTreeMap::new();
    for of in aside {
        *reasons.entry(of.reason).or_default() += of.requests;
    }
    let all: u64 = reasons.values().sum();
    let each: Vec<_> =
        reasons.iter().map(|(reason, count)| format!("{reason} {}", number(*count))).collect();
    let (were, they_are) =
        if all == 1 { ("request was", "it is") } else { ("requests were", "they are") };
    (all > 0).then(|| {
        format!(
            "{} {were} not assigned by chance ({}): {they_are} in no comparison",
            number(all),
            each.join(", ")
        )
    })
}
