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

use super::{Candidate, Finding, Plan, Report, Verdict, question, sentence, verdict};
use crate::{
    branch::Role,
    config::ConfigId,
    stats::Interval,
    store::{Common, Look, LookMetric, Past, PastCandidate, Reached, SqliteStore, StoreError},
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

impl Candidate {
    fn remember(
        &mut self,
        past: Option<&PastCandidate>,
        at_ns: u64,
        look: u64,
        broken_for_good: bool,
    ) -> PastCandidate {
        let mut now = PastCandidate {
            verdict: Reached { verdict: String::new(), at_ns, look },
            reached: past.map(|past| past.reached.clone()).unwrap_or_default(),
            // Of what is not shown now, too.
            common: past.map(|past| past.common.clone()).unwrap_or_default(),
            last: Vec::new(),
        };
        for finding in &mut self.findings {
            let mut name = finding.metric.measure.to_string();
            if now.last.iter().any(|other| other.name == name) {
                // The same measure in another role, whose interval has another level.
                name = format!("{name} ({})", finding.metric.role);
            }
            let before = past.and_then(|past| past.common.get(&name)).copied();
            now.last.push(finding.as_looked(&name));
            now.common.insert(name, finding.remember(before, at_ns));
        }
        now.last.sort_by(|a, b| a.name.cmp(&b.name));
        now.last.dedup_by(|a, b| a.name == b.name);
        self.decide(past.map_or(&[], |past| &past.reached), past.map(|past| &past.verdict));
        let verdict = self.verdict.to_string();
        now.verdict = match past {
            Some(past) if past.verdict.verdict == verdict => past.verdict.clone(),
            _ => Reached { verdict, at_ns, look },
        };
        let is_reached = match self.verdict {
            Verdict::Undecided => false,
            Verdict::Broken => broken_for_good,
            _ => true,
        };
        if is_reached && now.reached.iter().all(|reached| reached.verdict != now.verdict.verdict) {
            now.reached.push(now.verdict.clone());
        }
        now
    }

    /// By what all looks have in common, and what was decided before.
    fn decide(&mut self, reached: &[Reached], before: Option<&Reached>) {
        if self.verdict == Verdict::Broken {
            return;
        }
        let role: Role = self.figures.role;
        let of_this_look = self.verdict;
        (self.verdict, self.because) = verdict::decide(role, &self.findings);
        let was = |verdict: Verdict, reached: &Reached| reached.verdict == verdict.as_str();
        if let Some(broken) = reached.iter().find(|reached| was(Verdict::Broken, reached)) {
            // Evidence that was there once is not undone by what comes later.
            (self.verdict, self.because) = (Verdict::Broken, sentence::was_broken(broken.look));
        } else if before.is_some_and(|before| was(Verdict::Keep, before))
            && self.verdict != Verdict::Keep
            && verdict::nothing_to_gain(&self.findings)
        {
            // Better for certain, and for certain by less than what is worth it.
            (self.verdict, self.because) =
                (Verdict::Keep, sentence::nothing_to_gain(&self.findings));
        }
        if self.verdict != of_this_look {
            // How firm it is was asked of the other one.
            (self.holds_at, self.survives) = (None, None);
        }
    }
}

impl Finding {
    /// Lets the looks before count. Returns what they come to with this one.
    fn remember(&mut self, before: Option<Common>, at_ns: u64) -> Common {
        let epoch = self.epoch;
        let of = |interval: Interval, contradicted_ns| {
            let Interval { low, high } = interval;
            Common { epoch, low, high, contradicted_ns }
        };
        // Of another epoch the truth may be another one; and what follows exposures goes on to come, so that the
        // totals of units are about a longer time at each look.
        let same = before.filter(|common| common.epoch == epoch && !self.by_unit);
        let Some(common) = same else {
            return of(self.interval, None);
        };
        if common.contradicted_ns.is_none() && self.interval == Interval::EVERYTHING {
            // Where nothing can be told now, the looks before do not tell it either; later they may again.
            return common;
        }
        let before = Interval { low: common.low, high: common.high };
        let both = self.interval.intersect(&before).filter(|_| common.contradicted_ns.is_none());
        match both {
            Some(both) => self.intersection = both,
            None => self.contradicted_ns = common.contradicted_ns.or(Some(at_ns)),
        }
        self.stand();
        both.map_or_else(|| of(Interval::EVERYTHING, self.contradicted_ns), |both| of(both, None))
    }

    fn as_looked(&self, name: &str) -> LookMetric {
        let Interval { low, high } = self.interval;
        LookMetric { name: name.to_owned(), difference: self.difference, low, high }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Measure, Metric, Standing};

    fn finding(low: f64, high: f64) -> Finding {
        let interval = Interval { low, high };
        let mut finding = Finding {
            metric: Metric::success(Measure::LatencyP50, 0.1),
            unit: Measure::LatencyP50.unit(),
            baseline: Some(1e6),
            candidate: Some(1e6),
            baseline_count: 100,
            candidate_count: 100,
            by_unit: false,
            variance_less: None,
            difference: Some(0.0),
            interval,
            intersection: interval,
            contradicted_ns: None,
            epoch: Some(1),
            standing: Standing::Open,
            needed: None,
            may_be_noise: false,
            sentence: String::new(),
        };
        finding.stand();
        finding
    }

    /// Looks one after the other, and what they come to at each.
    fn looked(findings: impl IntoIterator<Item = Finding>) -> Vec<(Finding, Common)> {
        let mut common = None;
        let each = findings.into_iter().zip(1..).map(|(mut finding, at_ns)| {
            let now = finding.remember(common, at_ns);
            common = Some(now);
            (finding, now)
        });
        each.collect()
    }

    #[test]
    fn what_all_looks_have_in_common_decides() {
        let looks = looked([finding(-0.5, 0.1), finding(-0.2, 0.3), finding(-0.3, -0.05)]);
        let common: Vec<_> =
            looks.iter().map(|(look, _)| (look.intersection.low, look.intersection.high)).collect();
        assert_eq!(common, [(-0.5, 0.1), (-0.2, 0.1), (-0.2, -0.05)]);
        let standing: Vec<_> = looks.iter().map(|(look, _)| look.standing).collect();
        assert_eq!(standing, [Standing::Open, Standing::Open, Standing::Better]);
    }

    #[test]
    fn after_a_contradiction_each_look_counts_for_itself() {
        let looks = looked([finding(-0.5, -0.4), finding(0.2, 0.3), finding(-0.5, 0.4)]);
        let said: Vec<_> = looks
            .iter()
            .map(|(look, _)| {
                (look.standing, look.contradicted_ns, look.intersection == look.interval)
            })
            .collect();
        assert_eq!(
            said,
            [
                (Standing::Better, None, true),
                (Standing::Worse, Some(2), true),
                (Standing::Open, Some(2), true)
            ]
        );
    }

    #[test]
    fn looks_at_another_epoch_begin_anew() {
        let looks = looked([finding(-0.5, -0.4), Finding { epoch: Some(2), ..finding(0.2, 0.3) }]);
        assert_eq!((looks[1].0.standing, looks[1].0.contradicted_ns), (Standing::Worse, None));
    }

    #[test]
    fn what_follows_exposures_is_decided_by_each_look_alone() {
        let early = Finding { by_unit: true, ..finding(-0.5, -0.4) };
        let late = Finding { by_unit: true, ..finding(-0.3, 0.3) };
        let looks = looked([early, late]);
        assert_eq!((looks[1].0.standing, looks[1].0.contradicted_ns), (Standing::Open, None));
        assert_eq!(looks[1].0.intersection, looks[1].0.interval);
    }

    #[test]
    fn where_nothing_can_be_told_now_nothing_is_and_later_all_looks_count_again() {
        let nothing = finding(f64::NEG_INFINITY, f64::INFINITY);
        let looks = looked([finding(-0.5, -0.2), nothing, finding(-0.6, 0.3)]);
        let standing: Vec<_> = looks.iter().map(|(look, _)| look.standing).collect();
        assert_eq!(standing, [Standing::Better, Standing::Open, Standing::Better]);
        let last = looks[2].1;
        assert_eq!((last.low, last.high), (-0.5, -0.2));
    }
}
