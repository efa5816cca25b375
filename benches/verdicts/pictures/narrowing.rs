//! One experiment: what its intervals become.

use super::{
    chart::{BLUE, Chart, GREEN, GREY, RED},
    points, scenario, thousands,
};
use crate::{LOOKS, world::World};
use tower_spearmint::report::Standing;

pub(super) fn svg() -> String {
    let scenario = scenario("shadow, equal");
    let mut world = World::new(scenario, 7);
    let (mut ends, mut found, mut within) = (Vec::new(), Vec::new(), None);
    for look in 1..=LOOKS {
        let requests = scenario.requests * look / LOOKS;
        world.go_on_to(requests);
        let Some(candidate) = world.look() else { continue };
        let Some(errors) = candidate.findings.first() else { continue };
        let Some(difference) = errors.difference else { continue };
        ends.push((requests as f64, errors.interval.low, errors.interval.high));
        found.push((requests as f64, difference));
        if errors.standing == Standing::Within {
            within = within.or(Some(requests as f64));
        }
    }
    let mut chart = Chart::new(
        "A shadow that fails as often as its primary (1%): by how much its error rate may be higher",
        (scenario.requests as f64, 4_000.0, thousands),
        (-0.02, 0.02, 0.01, points),
        "requests",
    );
    chart.band(&ends, BLUE);
    chart.level(0.0, GREY, "no difference");
    chart.level(0.005, RED, "margin: 0.5 points");
    chart.line(&found, BLUE);
    if let Some(requests) = within {
        chart.mark(requests, GREEN, "all of it is within the margin");
    }
    chart.svg()
}
