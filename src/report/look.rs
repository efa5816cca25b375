//! A report that remembers the looks before it.
//!
//! # Why what all looks have in common may decide
//!
//! The interval of a metric is one of a confidence sequence: at level `alpha`, the intervals of **all** times
//! miss the true difference **at any time** in at most that share of experiments. Where none of them misses it, it
//! lies in all of them, and so in their intersection: that holds at the same level, at however many and whichever
//! times one looks. So a look adds no chance of being wrong, and none is lost by a look that was not kept, or
//! that others kept in another order: the intersection of fewer is wider.
//!
//! It is so of one sequence. Looks therefore belong together only if all that the intervals depend on is the
//! same ([`question`]), and if what is looked at is the same and more. Roll-ups stay when branches are removed, and new
//! epochs only add to them. A report since a certain time is none of the sequence. If the beginning is gone, or
//! where a metric is measured in one epoch alone and that is now another one, there is another sequence, which
//! begins anew. Each sequence has its level for itself. Outcomes of units make none: what followed within an hour
//! and what followed within a week are two truths, and users may take to what is new, and leave it. Each look
//! decides by its own.
//!
//! An intersection only gets smaller, so that what it decided it goes on to decide. It may become empty. As
//! seldom as `alpha` that is chance; else the true difference is not one and the same, or the observations are not what
//! the method takes them for. Then no interval of before can be trusted to be about the present: the metric says so, and
//! from then on each look decides by its own interval.
//!
//! The evidence against the split is that of an e-process: where it was there once, it was there at
//! some time, which is what its level is about. So `broken` stays.

mod remember;

use super::{Plan, Report, Verdict, question};
use crate::{
    config::ConfigId,
    store::{Look, Past, PastCandidate, Reached, SqliteStore, StoreError},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// The looks at an experiment, as far as they asked what this report asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Looks {
    /// How many there were, with this one if it is kept.
    pub count: u64,
    /// When the first was, in ns since the Unix epoch.
    pub first_ns: u64,
    /// Whether the experiment was looked at in another way: by other metrics or margins, against another
    /// baseline, with other candidates, or when there was more of it. Those looks do not count here.
    pub has_others: bool,
}

/// A verdict with its date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decided {
    /// The verdict: not `undecided`.
    pub verdict: Verdict,
    /// When it was reached, in ns since the Unix epoch.
    pub at_ns: u64,
    /// At which look, from 1.
    pub look: u64,
}

impl Report {
    /// As [`read`](Self::read), and each report is kept in the store as a look at the time `at`, unless it
    /// finds the same as the look before. Blocks.
    ///
    /// One since a certain time is none: the looks of a series are at ever more of the same. It neither knows
    /// the looks before nor is kept.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and when the store was opened for reading, or cannot be written.
    pub fn look(store: &SqliteStore, plan: &Plan, at: SystemTime) -> Result<Vec<Self>, StoreError> {
        let mut reports = Self::now(store, plan)?;
        if plan.since_ns.is_some() {
            return Ok(reports);
        }
        reports.iter_mut().try_for_each(|report| report.keep(store, since_1970(at)))?;
        Ok(reports)
    }

    /// Lets the looks before count, and is one of them from now on.
    pub(super) fn keep(&mut self, store: &SqliteStore, at_ns: u64) -> Result<(), StoreError> {
        let Some(question) = question::of(self) else { return Ok(()) };
        store.keep_look(&question, at_ns, |past| {
            let now = self.remember(past, at_ns);
            let finds_other = now.iter().any(|(id, now)| past.candidates.get(id) != Some(now));
            let is_new = finds_other && !past.goes_back;
            self.date(past, is_new.then_some((&now, at_ns)));
            ((), is_new.then_some(now))
        })
    }

    /// Lets the looks before count, without being one.
    pub(super) fn recall(&mut self, store: &SqliteStore, at: SystemTime) -> Result<(), StoreError> {
        let Some(question) = question::of(self) else { return Ok(()) };
        let past = store.past_looks(&question)?;
        self.remember(&past, since_1970(at));
        self.date(&past, None);
        Ok(())
    }

    /// The looks before it at what it asks, from the first to the last, as far as they are
    /// [kept](SqliteStore::looks): those by other metrics, or of another strategy of the same name, are not among
    /// them. Blocks.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn history(&self, store: &SqliteStore) -> Result<Vec<Look>, StoreError> {
        question::of(self).map_or_else(|| Ok(Vec::new()), |question| store.looks_at(&question))
    }

    /// What all looks have in common stands for what this one found. Returns what they come to with it.
    fn remember(&mut self, past: &Past, at_ns: u64) -> BTreeMap<ConfigId, PastCandidate> {
        let look = past.looks + 1;
        // What is merely missing now may be made up for by what comes; such evidence is not.
        let ratios = [&self.sample_ratio, &self.completions];
        let for_good = ratios.into_iter().flatten().any(|ratio| ratio.broken);
        let each = self.candidates.iter_mut().map(|candidate| {
            let now = candidate.remember(
                past.candidates.get(&candidate.config_id),
                at_ns,
                look,
                for_good,
            );
            (candidate.config_id.clone(), now)
        });
        each.collect()
    }

    /// Says since when the verdicts are what they are: as the looks before left it, or with this one.
    fn date(&mut self, past: &Past, kept: Option<(&BTreeMap<ConfigId, PastCandidate>, u64)>) {
        let candidates = kept.map_or(&past.candidates, |(now, _)| now);
        for candidate in &mut self.candidates {
            let Some(known) = candidates.get(&candidate.config_id) else { continue };
            candidate.reached = known.reached.iter().filter_map(decided).collect();
            candidate.decided =
                decided(&known.verdict).filter(|known| known.verdict == candidate.verdict);
        }
        self.looks = past.first_ns.or(kept.map(|(_, at_ns)| at_ns)).map(|first_ns| Looks {
            count: past.looks + u64::from(kept.is_some()),
            first_ns,
            has_others: past.has_others,
        });
    }
}

/// (A verdict of another name was reached by a newer program, whose looks are a series of their own.)
fn decided(reached: &Reached) -> Option<Decided> {
    let verdict = reached.verdict.parse().ok().filter(|verdict| *verdict != Verdict::Undecided)?;
    Some(Decided { verdict, at_ns: reached.at_ns, look: reached.look })
}

pub(super) fn since_1970(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
