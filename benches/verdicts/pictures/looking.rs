//! What comes of looking again and again at an experiment in which nothing differs.

use super::{
    chart::{BLUE, Chart, RED},
    percent, scenario, thousands,
};
use crate::{LOOKS, runs, scenario::Scenario, world::World};
use tower_spearmint::{
    report::{Measure, Metric, Standing},
    stats::fixed::{Proportion, pooled_z},
};

const ERRORS: &[Metric] = &[Metric::quality(Measure::ErrorRate)];

/// At which look a test of two shares was below 5 % first, and at which the report said that they differ.
fn first(scenario: &Scenario, run: u64) -> [Option<u64>; 2] {
    let mut world = World::new(scenario, run);
    let mut found = [None; 2];
    for look in 1..=LOOKS {
        world.go_on_to(scenario.requests * look / LOOKS);
        let [one, other] =
            world.errors().map(|(failed, all)| Proportion { successes: failed, trials: all });
        let small = pooled_z(one, other).is_some_and(|test| test.p.two_sided < 0.05);
        let said = world.look().is_some_and(|candidate| {
            candidate.findings.iter().any(|finding| finding.standing != Standing::Open)
        });
        for (found, now) in found.iter_mut().zip([small, said]) {
            *found = found.or(now.then_some(look));
        }
    }
    found
}

pub(super) fn svg(runs: usize) -> String {
    let scenario = Scenario { metrics: ERRORS, ..*scenario("A/A, errors 10%") };
    let found = runs::all(runs, |run| first(&scenario, run));
    let by_look = |which: usize| -> Vec<(f64, f64)> {
        let share = |look: u64| {
            let alarmed = found.iter().filter(|found| found[which].is_some_and(|at| at <= look));
            alarmed.count() as f64 / runs as f64
        };
        (1..=LOOKS).map(|look| ((scenario.requests * look / LOOKS) as f64, share(look))).collect()
    };
    let (tested, said) = (by_look(0), by_look(1));
    let mut chart = Chart::new(
        "Both arms are the same: in how many experiments a difference was found",
        (scenario.requests as f64, 4_000.0, thousands),
        (0.0, 0.5, 0.1, percent),
        "requests; looked at 120 times",
    );
    chart.level(0.05, "#374151", "5%");
    chart.line(&tested, RED);
    chart.line(&said, BLUE);
    let last = |line: &[(f64, f64)]| line.last().map_or(0.0, |(_, share)| *share);
    let label = format!("z test, p < 5% at any look: {:.1}%", last(&tested) * 100.0);
    chart.label((scenario.requests as f64 * 0.03, 0.47), RED, &label);
    let label = format!("the report's interval without 0 at any look: {:.1}%", last(&said) * 100.0);
    chart.label((scenario.requests as f64 * 0.03, 0.47), BLUE, &label);
    chart.svg()
}
