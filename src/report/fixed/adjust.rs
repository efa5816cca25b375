//! Many questions at once.

use super::{FixedCandidate, FixedTest};
use crate::{
    report::MetricRole,
    stats::fixed::{benjamini_hochberg, holm},
};

/// Says of each p what it comes to as one of all.
pub(super) fn adjust(candidates: &mut [FixedCandidate]) {
    let all = || candidates.iter().flat_map(|candidate| &candidate.tests);
    let is_success = |test: &&FixedTest| test.metric.role == MetricRole::Success;
    let of_successes: Vec<_> = all().filter(is_success).filter_map(|test| test.p).collect();
    let of_all: Vec<_> = all().filter_map(|test| test.p).collect();
    let mut of_successes = holm(&of_successes).unwrap_or_default().into_iter();
    let mut of_all = benjamini_hochberg(&of_all).unwrap_or_default().into_iter();
    for test in candidates.iter_mut().flat_map(|candidate| &mut candidate.tests) {
        if test.p.is_none() {
            continue;
        }
        test.p_benjamini_hochberg = of_all.next();
        if test.metric.role == MetricRole::Success {
            test.p_holm = of_successes.next();
        }
    }
}
