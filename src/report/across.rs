//! Several experiments at once.

use super::{
    Candidate, Plan, Report, Verdict,
    arms::{Arm, Arms},
    levels::ALPHA,
    verdict,
};
use crate::stats::sequential::{EValue, e_values::discoveries};

/// Of the verdicts that are taken, the share that may be false, in expectation.
const FALSE_DISCOVERIES: f64 = 0.05;

/// How often 5 % is halved at most: to less than anything that matters.
const MOST: u32 = 40;

/// Says of each verdict that was reached how firmly, and whether it is left among all: if several experiments are
/// reported. (For one, the verdict itself is bounded.)
pub(super) fn mark(experiments: &[(Plan, Arms)], reports: &mut [Report]) {
    if reports.len() < 2 {
        return;
    }
    let mut all: Vec<(EValue, &mut Candidate)> = Vec::new();
    for ((plan, arms), report) in experiments.iter().zip(reports) {
        for (arm, candidate) in arms.candidates.iter().zip(&mut report.candidates) {
            let reached = matches!(candidate.verdict, Verdict::Ship | Verdict::Keep);
            let halvings = reached.then(|| halvings(plan, arms, arm, candidate.verdict)).flatten();
            candidate.holds_at = halvings.map(|halvings| ALPHA / 2_f64.powf(f64::from(halvings)));
            all.push((evidence(halvings), candidate));
        }
    }
    let evidence: Vec<_> = all.iter().map(|(e, _)| *e).collect();
    let found = discoveries(&evidence, FALSE_DISCOVERIES);
    for (at, (_, candidate)) in all.into_iter().enumerate() {
        candidate.survives = candidate.holds_at.map(|_| found.contains(&at));
    }
}

/// How often the error probability may be halved with the verdict still the same.
fn halvings(plan: &Plan, arms: &Arms, arm: &Arm, verdict: Verdict) -> Option<u32> {
    let is_same = |halvings: u32| verdict::at_halved(plan, arms, arm, halvings) == verdict;
    if !is_same(0) {
        return None;
    }
    // Intervals at smaller probabilities contain those at larger ones.
    let (mut holds, mut fails) = (0, MOST + 1);
    while fails - holds > 1 {
        let middle = holds.midpoint(fails);
        if is_same(middle) {
            holds = middle;
        } else {
            fails = middle;
        }
    }
    Some(holds)
}

/// A verdict that is false is ever reached at the error probability `α` with at most that, so `1 / α` where it is
/// reached, and else nothing, is an e-value. So is a mean of such: of `α` halved `j` times with the weight
/// `1 / ((j + 1) (j + 2))`, so that little is lost to those that do not matter. Half of it: what is asked is
/// chosen by the answer, and of a candidate that is no better and no worse `ship` and `keep` are both false.
fn evidence(halvings: Option<u32>) -> EValue {
    let holding = halvings.map_or(0, |halvings| halvings + 1);
    let each = |halvings: u32| {
        let at = f64::from(halvings);
        0.5 * 2_f64.powf(at) / (ALPHA * (at + 1.0) * (at + 2.0))
    };
    EValue::from_ln((0..holding).map(each).sum::<f64>().ln()).unwrap_or(EValue::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_grows_with_what_holds_and_is_fair() {
        assert_eq!(evidence(None).value(), 0.0);
        assert!((evidence(Some(0)).value() - 5.0).abs() < 1e-9);
        assert!(evidence(Some(12)).value() > 500.0);
        // What is expected of it if each level holds with just its probability, of either verdict.
        let expected: f64 = (0..=MOST)
            .map(|j| {
                let holds_no_further = ALPHA / 2_f64.powf(f64::from(j) + 1.0);
                holds_no_further * evidence(Some(j)).value()
            })
            .sum();
        assert!(2.0 * expected < 1.0, "{expected}");
    }
}
