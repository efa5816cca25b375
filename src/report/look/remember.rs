//! What the looks before say of a candidate, and with them this one.

use crate::{
    branch::Role,
    report::{Candidate, Finding, Verdict, sentence, verdict},
    stats::Interval,
    store::{Common, LookMetric, PastCandidate, Reached},
};

impl Candidate {
    pub(super) fn remember(
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
            withheld: None,
            may_be_noise: false,
            four_times: None,
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
