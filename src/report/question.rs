//! What a report asks: looks belong together if they ask the same.

use super::{Metric, MetricRole, Report};
use crate::{branch::Role, config::ConfigId, store::Question};
use serde::Serialize;

/// The version of the methods that intervals are made by. It goes up when one of them changes: intervals that
/// hold at 5 % each by one method and by another hold at 10 % together.
const METHODS: u32 = 5;

/// All that intervals and verdict depend on, beside the branches.
#[derive(Serialize)]
struct Asked<'a> {
    methods: u32,
    strategy: &'a str,
    baseline: (&'a ConfigId, Role),
    /// Whether answers of it were compared: agreement is then held against its own.
    control: bool,
    /// How many there are is a part of the level of each.
    candidates: Vec<(&'a ConfigId, Role)>,
    /// Those that decide. What is only shown has a level of its own, whatever else is.
    metrics: Vec<&'a Metric>,
    /// Of several stores: one of them alone, in which such looks may be kept, has its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    several: bool,
}

/// The question that a report answers; `None` if there is no candidate.
pub(super) fn of(report: &Report) -> Option<Question> {
    let first = report.candidates.first()?;
    let metrics = first.findings.iter().map(|finding| &finding.metric);
    let mut metrics: Vec<_> = metrics.filter(|one| one.role != MetricRole::Quality).collect();
    metrics.sort_by(|a, b| a.measure.as_str().cmp(b.measure.as_str()));
    let candidates = report.candidates.iter().map(|one| (&one.config_id, one.figures.role));
    let asked = Asked {
        methods: METHODS,
        strategy: &report.strategy,
        baseline: (&report.baseline.config_id, report.baseline.role),
        control: report.control.as_ref().is_some_and(|control| control.agreement.is_some()),
        candidates: candidates.collect(),
        metrics,
        several: !report.replicas.is_empty(),
    };
    // (Nothing in it can fail to be JSON.)
    let hash = blake3::hash(&serde_json::to_vec(&asked).ok()?);
    let asked = u64::from_be_bytes(*hash.as_bytes().first_chunk()?);
    let experiment = report.experiment.to_string();
    let replicas = report.replicas.clone();
    Some(Question { experiment, asked, since_ns: report.since_ns, replicas })
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::{
        branch::Role,
        config::ConfigId,
        report::{Measure, Metric, Plan, Report},
        store::{Question, Rollup},
    };

    /// What is asked beside a control of which so many answers were compared; without one if `None`.
    fn asked(compared: Option<u64>) -> Question {
        let arm = |role, id: &str, compared| {
            let id = ConfigId::named(id);
            let mut arm = Rollup::new("ranker", "shadow", id, role, 0);
            arm.success = 100;
            arm.pairs.equal = compared;
            arm
        };
        let control = compared.map(|compared| arm(Role::Control, "stable", compared));
        let both = [arm(Role::Primary, "stable", 0), arm(Role::Shadow, "candidate", 100)];
        let plan = Plan::new().metrics([Metric::guardrail(Measure::Agreement, 0.05)]);
        let reports = Report::of(both.into_iter().chain(control), [], &plan, |_, _| None).unwrap();
        of(&reports[0]).unwrap()
    }

    #[test]
    fn the_first_answer_of_a_control_that_is_compared_makes_another_question() {
        assert_eq!(asked(Some(0)), asked(None));
        assert_ne!(asked(Some(1)), asked(Some(0)));
        assert_eq!(asked(Some(2)), asked(Some(1)));
    }
}
