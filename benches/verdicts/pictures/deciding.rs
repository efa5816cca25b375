//! How long it takes.

use super::{
    chart::{BLUE, Chart, GREEN, RED},
    percent, scenario, thousands,
};
use crate::{LOOKS, outcome, runs};

pub(super) fn svg(runs: usize) -> String {
    const MOST: f64 = 36_000.0;
    let mut chart = Chart::new(
        "How many experiments have come to a verdict",
        (MOST, 4_000.0, thousands),
        (0.0, 1.0, 0.2, percent),
        "requests",
    );
    for (name, shown, colour) in [
        ("20% slower, with guardrails", "20% slower: keep", RED),
        ("shadow, equal", "a shadow that is equal: ship", GREEN),
        ("p50 5% faster", "the median 5% faster: ship", BLUE),
    ] {
        let scenario = scenario(name);
        let firsts = runs::all(runs, |run| outcome::first(scenario, run));
        let decided = |requests: u64| {
            let by = firsts.iter().flatten().filter(|(_, after)| *after <= requests).count();
            (requests as f64, by as f64 / runs as f64)
        };
        let looks = (0..=LOOKS).map(|look| scenario.requests * look / LOOKS);
        let line: Vec<_> = looks.map(decided).filter(|(at, _)| *at <= MOST).collect();
        chart.line(&line, colour);
        chart.label((MOST * 0.66, 0.3), colour, shown);
        if let Some(planned) = scenario.planned() {
            let planned = planned as f64;
            chart.mark(planned, colour, "");
            let label = format!("one look, planned: {planned}");
            chart.words((planned + 200.0, 0.9), colour, &label);
        }
    }
    chart.svg()
}
