//! How sharp a mean is, by how its values scatter.

use super::{
    chart::{BLUE, Chart, GREEN, GREY},
    percent, scenario, thousands,
};
use crate::{LOOKS, runs, world::World};

/// How far the interval reaches on either side after each look; infinite where it has no end.
fn widths(name: &str, run: u64) -> Vec<f64> {
    let scenario = scenario(name);
    let mut world = World::new(scenario, run);
    let look = |look| {
        world.go_on_to(scenario.requests * look / LOOKS);
        let finding = world.look()?.findings.into_iter().next()?;
        Some(finding.interval.width() / 2.0)
    };
    (1..=LOOKS).map(look).map(|width| width.unwrap_or(f64::INFINITY)).collect()
}

pub(super) fn svg(runs: usize) -> String {
    const MOST: f64 = 0.5;
    let mut chart = Chart::new(
        "Two arms that are alike: how far the interval of their means reaches (median)",
        (24_000.0, 4_000.0, thousands),
        (0.0, MOST, 0.1, percent),
        "requests",
    );
    for (name, shown, colour) in [
        ("A/A, scores from 0 to 1", "scores from 0 to 1", GREY),
        ("A/A, tokens", "tokens (log-normal, σ 1)", BLUE),
        ("A/A, mean of heavy tails", "heavy tails (log-normal, σ 2)", GREEN),
    ] {
        let all = runs::all(runs, |run| widths(name, run));
        let median = |look: usize| {
            let mut widths: Vec<_> = all.iter().map(|widths| widths[look]).collect();
            widths.sort_by(f64::total_cmp);
            widths[widths.len() / 2]
        };
        let requests = |look: usize| (scenario(name).requests * (look as u64 + 1) / LOOKS) as f64;
        let line: Vec<_> = (0..LOOKS as usize)
            .map(|look| (requests(look), median(look)))
            .filter(|(_, width)| *width <= MOST)
            .collect();
        chart.line(&line, colour);
        chart.label((14_000.0, 0.47), colour, shown);
    }
    chart.svg()
}
