//! An interval as a picture: no difference in the middle, and the bound where the metric has one.

use crate::{
    report::{Finding, MetricRole, Unit, sentence::signed},
    stats::sequential::Interval,
};
use maud::{Markup, html};

const WIDTH: f64 = 320.0;
/// What lies beyond ends in an arrow.
const LEFT: f64 = 12.0;
const RIGHT: f64 = WIDTH - LEFT;
/// Where the interval is drawn.
const LINE: f64 = 16.0;
const HEIGHT: f64 = 46.0;

pub(super) fn interval(finding: &Finding) -> Markup {
    let scale = Scale::of(finding);
    let Interval { low, high } = finding.intersection;
    let (low, high) = (scale.place(low), scale.place(high));
    let (from, to) = (low.clamp(LEFT, RIGHT), high.clamp(LEFT, RIGHT));
    let bound = scale.bound(finding);
    let alternative =
        format!("{}, drawn on a line with no difference in the middle", finding.sentence);
    html! {
        svg.interval viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(alternative) {
            line.axis x1=(LEFT) x2=(RIGHT) y1="30" y2="30" {}
            line.zero x1=(WIDTH / 2.0) x2=(WIDTH / 2.0) y1="2" y2="30" {}
            text.label x=(WIDTH / 2.0) y="43" text-anchor="middle" { "0" }
            @if let Some((at, text)) = bound {
                line.bound x1=(at) x2=(at) y1="2" y2="30" {}
                text.label x=(at) y="43" text-anchor="middle" { (text) }
            }
            @if finding.difference.is_some() {
                line.span x1=(round(from)) x2=(round(to)) y1=(LINE) y2=(LINE) {}
                @if low < LEFT { path.beyond d=(arrow(LEFT, -1.0)) {} } @else { (end(from)) }
                @if high > RIGHT { path.beyond d=(arrow(RIGHT, 1.0)) {} } @else { (end(to)) }
            }
            @if let Some(at) = finding.difference.map(|d| scale.place(d)).filter(|at| (LEFT..=RIGHT).contains(at)) {
                circle.estimate cx=(round(at)) cy=(LINE) r="5" {}
            }
        }
    }
}

/// How much of the metric's unit there is from the middle to either end.
struct Scale {
    reach: f64,
    bound: f64,
}

/// The bound is never so near to the middle that one could not tell them apart.
const MOST_BOUNDS: f64 = 4.0;

impl Scale {
    fn of(finding: &Finding) -> Self {
        let bound = finding.metric.margin.max(finding.metric.mde);
        // Without a bound of its own: what is worth seeing.
        let bound = match finding.unit {
            _ if bound > 0.0 => bound,
            Unit::Points => 0.01,
            _ => 0.10,
        };
        let Interval { low, high } = finding.intersection;
        let ends = [low, high].map(f64::abs).into_iter().filter(|end| end.is_finite());
        let reach = ends.fold(2.0 * bound, f64::max).min(MOST_BOUNDS * bound);
        Self { reach, bound }
    }

    fn place(&self, value: f64) -> f64 {
        WIDTH / 2.0 + value / self.reach * (RIGHT - WIDTH / 2.0)
    }

    /// Where the bound is, and what is written there.
    fn bound(&self, finding: &Finding) -> Option<(f64, String)> {
        let metric = &finding.metric;
        let worse = if metric.increase { -1.0 } else { 1.0 };
        let side = match metric.role {
            MetricRole::Guardrail => worse,
            MetricRole::Success => -worse,
            MetricRole::Quality => return None,
        };
        let at = side * self.bound;
        Some((round(self.place(at)), signed(finding.unit, at)))
    }
}

fn end(at: f64) -> Markup {
    let at = round(at);
    html! { line.span x1=(at) x2=(at) y1=(LINE - 5.0) y2=(LINE + 5.0) {} }
}

/// A head that points away from the middle.
fn arrow(at: f64, way: f64) -> String {
    let (tip, back) = (at + way * 8.0, at);
    format!("M{tip} {LINE}L{back} {}L{back} {}Z", LINE - 6.0, LINE + 6.0)
}

/// To a tenth of a pixel.
pub(super) fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
