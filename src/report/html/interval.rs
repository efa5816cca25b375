//! An interval as a picture: no difference in the middle, and the bound where the metric has one. What all looks have
//! in common is drawn within that of this look, if it is less.

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
                @if finding.intersection != finding.interval {
                    (span(&scale, finding.interval, "look"))
                }
                (span(&scale, finding.intersection, "span"))
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
        let Interval { low, high } = finding.interval;
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

/// From end to end, with a stroke across each, or an arrow where it lies beyond.
fn span(scale: &Scale, Interval { low, high }: Interval, class: &str) -> Markup {
    let [low, high] = [low, high].map(|end| scale.place(end));
    let [from, to] = [low, high].map(|end| round(end.clamp(LEFT, RIGHT)));
    let end =
        |at: f64| html! { line class=(class) x1=(at) x2=(at) y1=(LINE - 5.0) y2=(LINE + 5.0) {} };
    html! {
        line class=(class) x1=(from) x2=(to) y1=(LINE) y2=(LINE) {}
        @if low < LEFT { path.beyond d=(arrow(LEFT, -1.0)) {} } @else { (end(from)) }
        @if high > RIGHT { path.beyond d=(arrow(RIGHT, 1.0)) {} } @else { (end(to)) }
    }
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
