//! The one word that a report comes to.

use super::{
    Candidate, Finding, MetricRole, Plan, Report, Standing,
    arms::{Arm, Arms},
    effect::finding,
    finding::is_short,
    levels::Levels,
    mean,
    metric::{Measure, Metric},
    sample_ratio::Share,
    sampled, sentence,
    trust::Trust,
};
use crate::{
    branch::{Role, named},
    store::{LookedAt, StoreError},
};

named! {
    /// What to do about a candidate.
    Verdict {
        /// The traffic was not split as it should have been; nothing can be told.
        Broken = "broken",
        /// Keep the baseline.
        Keep = "keep",
        /// Ship the candidate.
        Ship = "ship",
        /// Go on: there is not enough to decide.
        Undecided = "undecided",
    }
}

pub(super) fn report(
    plan: &Plan,
    arms: &Arms,
    share: &mut impl Share,
) -> Result<Report, StoreError> {
    let trust = Trust::of(plan, arms, share)?;
    let metrics = metrics(plan, arms);
    let levels = Levels::over(arms.candidates.len(), &metrics);
    let candidate = |(at, arm): (usize, &Arm)| {
        let findings = findings(plan, &metrics, arms, arm, levels);
        let (verdict, because) = match trust.broken(arms, at, arm) {
            Some(because) => (Verdict::Broken, because),
            None => decide(arm.role, &findings),
        };
        let config_id = arm.config_id.clone();
        let coverage = trust.coverage.get(at).cloned().flatten();
        Candidate {
            config_id,
            verdict,
            decided: None,
            reached: Vec::new(),
            holds_at: None,
            survives: None,
            because,
            figures: arm.figures(),
            coverage,
            findings,
        }
    };
    Ok(Report {
        candidates: arms.candidates.iter().enumerate().map(candidate).collect(),
        experiment: arms.experiment.clone(),
        strategy: arms.strategy.clone(),
        since_ns: arms.since_ns,
        until_ns: arms.until_ns,
        baseline: arms.baseline.figures(),
        control: arms.control.as_ref().map(Arm::figures),
        looks: None,
        sample_ratio: trust.sample_ratio,
        completions: trust.completions,
        outcomes_one_of: sampled::one_of(arms),
        replicas: LookedAt::new(),
        losses: trust.losses,
        aside: arms.aside(),
    })
}

fn findings(
    plan: &Plan,
    metrics: &[Metric],
    arms: &Arms,
    arm: &Arm,
    levels: Levels,
) -> Vec<Finding> {
    let (baseline, control) = (&arms.baseline, arms.control.as_ref());
    let nobody_asked = plan.metrics.is_empty() && control.is_none();
    let found = |metric: &Metric| {
        let mut finding = finding(metric, baseline, control, arm, levels);
        if nobody_asked && metric.measure == Measure::Agreement {
            finding.may_be_noise();
        }
        finding
    };
    metrics.iter().map(found).collect()
}

/// What would be said if every error probability were halved so often.
pub(super) fn at_halved(plan: &Plan, arms: &Arms, arm: &Arm, times: u32) -> Verdict {
    let metrics = metrics(plan, arms);
    let levels = Levels::over(arms.candidates.len(), &metrics).halved(times);
    decide(arm.role, &findings(plan, &metrics, arms, arm, levels)).0
}

/// Those of the plan; of the ones that fit all, those that were measured here.
pub(super) fn metrics(plan: &Plan, arms: &Arms) -> Vec<Metric> {
    let compared = |arm: &Arm| arm.whole.pairs.equal + arm.whole.pairs.different > 0;
    let applies = |metric: &Metric| {
        metric.measure != Measure::Agreement
            || !plan.metrics.is_empty()
            || arms.candidates.iter().any(compared)
    };
    let mut metrics: Vec<_> = plan.metrics_or_default().into_iter().filter(applies).collect();
    // What else is said of branches is shown.
    for name in mean::names(arms.candidates.iter().chain([&arms.baseline])) {
        if metrics.iter().all(|metric| metric.measure.as_str() != name) {
            metrics.push(Metric::shown(Measure::Mean(name.into())));
        }
    }
    metrics
}

/// Whether no success can be worth it, even if it is better.
pub(super) fn nothing_to_gain(findings: &[Finding]) -> bool {
    let mut successes = findings.iter().filter(|f| f.metric.role == MetricRole::Success).peekable();
    successes.peek().is_some() && successes.all(is_short)
}

/// In this order: harm, nothing to gain, all well, not yet.
pub(super) fn decide(role: Role, findings: &[Finding]) -> (Verdict, String) {
    let deciding = || findings.iter().filter(|f| f.metric.role != MetricRole::Quality);
    let stands = |finding: &&Finding, standing| finding.standing == standing;
    if let Some(worse) = deciding().find(|f| stands(f, Standing::Worse)) {
        return (Verdict::Keep, worse.sentence.clone());
    }
    let of = |purpose| findings.iter().filter(move |f| f.metric.role == purpose);
    let mut successes = of(MetricRole::Success).peekable();
    let has_success = successes.peek().is_some();
    if has_success && successes.all(|f| f.standing == Standing::Short) {
        return (Verdict::Keep, sentence::nothing_to_gain(findings));
    }
    let better = of(MetricRole::Success).find(|f| stands(f, Standing::Better));
    // One success is enough, the first to be certain; all guardrails have to hold, so the last one is waited for.
    let until = |finding: &&Finding| finding.needed.unwrap_or(u64::MAX);
    let success = of(MetricRole::Success).filter(|f| stands(f, Standing::Open)).min_by_key(until);
    let guardrails = of(MetricRole::Guardrail).filter(|f| stands(f, Standing::Open));
    let mut open: Vec<_> = guardrails.chain(success.filter(|_| better.is_none())).collect();
    // (Of equals the first that is named.)
    open.reverse();
    if let Some(last) = open.iter().copied().max_by_key(until) {
        return (Verdict::Undecided, sentence::waiting(last));
    }
    if has_success {
        return match better {
            Some(better) => (Verdict::Ship, better.sentence.clone()),
            None => (Verdict::Keep, sentence::nothing_to_gain(findings)),
        };
    }
    if role != Role::Shadow {
        return (Verdict::Undecided, sentence::NO_SUCCESS.to_owned());
    }
    if of(MetricRole::Guardrail).next().is_none() {
        return (Verdict::Undecided, sentence::NOTHING_DECIDES.to_owned());
    }
    (Verdict::Ship, sentence::all_within(findings))
}
