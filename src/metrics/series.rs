//! What was counted, as families of metrics.

use super::{
    Exposition,
    tally::{Tallies, Tally},
};
use crate::{
    assign::Reason,
    branch::{FailureKind, SkipReason, Status},
};
use std::fmt::Display;

impl Tallies {
    pub(super) fn write(&self, page: &mut Exposition) {
        self.statuses(page);
        self.latencies(page);
        self.measures(page);
        page.counter(
            "spearmint_metrics_other_branches_total",
            "Branches counted under the config_id `other`: there were more configs than have lines.",
        )
        .value(&[], self.other);
    }

    fn statuses(&self, page: &mut Exposition) {
        let mut branches = page.counter("spearmint_branches_total", "Branches, by how they ended.");
        self.each(|tally, labels| {
            for (status, count) in Status::ALL.iter().zip(&tally.statuses) {
                branches.value(&with(labels, "status", status.as_str()), count);
            }
        });
        let mut failures =
            page.counter("spearmint_branch_failures_total", "Failed branches, by kind of failure.");
        self.each(|tally, labels| {
            for (kind, count) in seen(FailureKind::ALL, &tally.failures) {
                failures.value(&with(labels, "kind", kind.as_str()), count);
            }
        });
        let mut skips = page.counter(
            "spearmint_branch_skips_total",
            "Branches refused before they were started, by why.",
        );
        self.each(|tally, labels| {
            for (skip, count) in seen(SkipReason::ALL, &tally.skips) {
                skips.value(&with(labels, "skip", skip.as_str()), count);
            }
        });
        let mut reasons = page
            .counter("spearmint_branch_assignments_total", "Branches, by why it was this config.");
        self.each(|tally, labels| {
            for (reason, count) in seen(Reason::ALL, &tally.reasons) {
                reasons.value(&with(labels, "reason", reason.as_str()), count);
            }
        });
    }

    fn latencies(&self, page: &mut Exposition) {
        let mut durations = page.histogram(
            "spearmint_branch_duration_seconds",
            "From the start of a branch to its end, of those that succeeded or failed.",
        );
        self.each(|tally, labels| {
            for (status, latency) in
                [(Status::Success, &tally.success), (Status::Failed, &tally.failed)]
            {
                if !latency.is_empty() {
                    latency.write(&mut durations, &with(labels, "status", status.as_str()));
                }
            }
        });
        let mut first_bytes = page.histogram(
            "spearmint_branch_first_byte_seconds",
            "From the start of a branch to the head of its response, over HTTP.",
        );
        self.each(|tally, labels| {
            if !tally.first_byte.is_empty() {
                tally.first_byte.write(&mut first_bytes, labels);
            }
        });
    }

    fn measures(&self, page: &mut Exposition) {
        self.simple(
            page,
            "spearmint_branch_retries_total",
            "How often branches were tried again before they ended.",
            |tally| tally.retries,
        );
        self.simple(
            page,
            "spearmint_branch_request_bytes_total",
            "Bytes of request bodies that services read, over HTTP.",
            |tally| tally.bytes_in,
        );
        self.simple(
            page,
            "spearmint_branch_response_bytes_total",
            "Bytes of response bodies that passed, over HTTP.",
            |tally| tally.bytes_out,
        );
        let mut comparisons = page.counter(
            "spearmint_comparisons_total",
            "Answers compared with the primary's, by what came of it.",
        );
        self.each(|tally, labels| {
            if tally.equal + tally.different > 0 {
                comparisons.value(&with(labels, "result", "equal"), tally.equal);
                comparisons.value(&with(labels, "result", "different"), tally.different);
            }
        });
    }

    fn simple(
        &self,
        page: &mut Exposition,
        name: &'static str,
        help: &'static str,
        value: impl Fn(&Tally) -> u64,
    ) {
        let mut samples = page.counter(name, help);
        self.each(|tally, labels| samples.value(labels, value(tally)));
    }

    fn each(&self, mut write: impl FnMut(&Tally, &Labels<'_>)) {
        for tally in &self.tallies {
            let labels = [
                ("experiment", &*tally.experiment),
                ("config_id", tally.config_id.as_str()),
                ("role", tally.role.as_str()),
            ];
            write(tally, &labels);
        }
    }
}

type Labels<'a> = [(&'static str, &'a str); 3];

/// The labels, and one more.
const fn with<'a>(
    [a, b, c]: &Labels<'a>,
    name: &'static str,
    value: &'a str,
) -> [(&'static str, &'a str); 4] {
    [*a, *b, *c, (name, value)]
}

/// Those of a closed set that were counted.
fn seen<'a, T: Copy>(all: &'a [T], counts: &'a [u64]) -> impl Iterator<Item = (T, impl Display)> {
    all.iter().copied().zip(counts).filter(|(_, count)| **count > 0)
}
