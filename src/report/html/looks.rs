//! The intervals of a metric, look by look.

use super::{interval::round, numbers::time};
use crate::{
    report::{Candidate, Finding, MetricRole, Report, Unit, sentence::signed},
    store::{Look, LookMetric},
};
use maud::{Markup, html};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
const TOP: f64 = 6.0;
/// Below are the times.
const GROUND: f64 = 150.0;

/// Each metric of each candidate over the looks that are kept: drawn, and as a table.
pub(crate) fn over_time(report: &Report, looks: &[Look]) -> Markup {
    html! {
        @for candidate in &report.candidates {
            @let of = Series::all(candidate, looks);
            @if of.is_empty() {
                p.muted { (candidate.config_id.short()) ": fewer than two looks are kept yet." }
            } @else {
                h3 { (candidate.config_id.short()) }
            }
            @for series in &of { (series.draw()) }
        }
    }
}

/// One metric of one candidate.
struct Series<'a> {
    finding: &'a Finding,
    points: Vec<(&'a Look, &'a LookMetric)>,
    /// What is drawn of differences: from minus this to this.
    reach: f64,
}

impl<'a> Series<'a> {
    fn all(candidate: &'a Candidate, looks: &'a [Look]) -> Vec<Self> {
        let of_this = || looks.iter().filter(|look| look.config_id == candidate.config_id);
        let series = candidate.findings.iter().map(|finding| {
            let name = finding.metric.measure.as_str();
            let points: Vec<_> = of_this()
                .filter_map(|look| Some((look, look.metrics.iter().find(|one| one.name == name)?)))
                .collect();
            let reach = reach(finding, &points);
            Self { finding, points, reach }
        });
        series.filter(|series| series.points.len() > 1).collect()
    }

    fn draw(&self) -> Markup {
        let Self { finding, points, .. } = self;
        let measure = &finding.metric.measure;
        let shown = |value: f64| signed(finding.unit, value);
        let (first, last) = (points[0].0, points[points.len() - 1].0);
        let label = format!(
            "{measure} at {} looks from {} to {}; the table below has the numbers",
            points.len(),
            time(first.at_ns),
            time(last.at_ns)
        );
        html! {
            figure.chart {
                svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
                    path.band d=(self.band()) {}
                    line.zero x1="0" x2=(WIDTH) y1=(self.high(0.0)) y2=(self.high(0.0)) {}
                    @if let Some(bound) = bound(finding) {
                        line.bound x1="0" x2=(WIDTH) y1=(self.high(bound)) y2=(self.high(bound)) {}
                        text.label x="2" y=(self.high(bound) - 3.0) { (shown(bound)) }
                    }
                    path class="line look-0" d=(self.estimates()) {}
                    line.axis x1="0" x2=(WIDTH) y1=(GROUND) y2=(GROUND) {}
                    text.label x="0" y=(GROUND + 16.0) { (time(first.at_ns)) }
                    text.label x=(WIDTH) y=(GROUND + 16.0) text-anchor="end" { (time(last.at_ns)) }
                }
                figcaption { (measure) ": the difference (line) and its interval (band) at each look" }
                details {
                    summary { "The same as a table" }
                    div.scroll tabindex="0" role="region" aria-label={ (measure) " over time" } {
                        table data-kind="looks" data-unit=(if finding.unit == Unit::Points { "pp" } else { "%" }) {
                            caption { (measure) " over time" }
                            thead { tr {
                                th scope="col" { "look" } th.number scope="col" { "difference" }
                                th.number scope="col" { "from" } th.number scope="col" { "to" }
                                th scope="col" { "verdict" }
                            } }
                            tbody {
                                @for (look, metric) in points {
                                    tr {
                                        th scope="row" data-value=(look.at_ns / 1_000_000_000) { (time(look.at_ns)) }
                                        @for end in [metric.difference, Some(metric.low), Some(metric.high)] {
                                            @let known = end.filter(|end| end.is_finite());
                                            td.number data-value=[known.map(|end| format!("{:.4}", end * 100.0))] {
                                                (end.map_or_else(|| "–".to_owned(), shown))
                                            }
                                        }
                                        td { (look.verdict) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// How far to the right a look is: in time.
    fn place(&self, look: &Look) -> f64 {
        let (first, last) = (self.points[0].0.at_ns, self.points[self.points.len() - 1].0.at_ns);
        let all = last.saturating_sub(first).max(1) as f64;
        round(look.at_ns.saturating_sub(first) as f64 / all * WIDTH)
    }

    fn high(&self, value: f64) -> f64 {
        let middle = f64::midpoint(TOP, GROUND);
        round((middle - value / self.reach * (middle - TOP)).clamp(TOP, GROUND))
    }

    fn estimates(&self) -> String {
        let known =
            self.points.iter().filter_map(|(look, metric)| Some((look, metric.difference?)));
        path(known.map(|(look, at)| (self.place(look), self.high(at))))
    }

    /// Along the upper ends and back along the lower ones.
    fn band(&self) -> String {
        let upper = self.points.iter().map(|(look, one)| (self.place(look), self.high(one.high)));
        let lower =
            self.points.iter().rev().map(|(look, one)| (self.place(look), self.high(one.low)));
        path(upper.chain(lower)) + "Z"
    }
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (at, (x, y)) in points.enumerate() {
        path += &format!("{}{x} {y}", if at == 0 { 'M' } else { 'L' });
    }
    path
}

/// Where the metric's bound is, if it has one.
fn bound(finding: &Finding) -> Option<f64> {
    let metric = &finding.metric;
    let worse = if metric.increase { -1.0 } else { 1.0 };
    match metric.role {
        MetricRole::Guardrail => Some(worse * metric.margin),
        MetricRole::Success => Some(-worse * metric.mde).filter(|bound| *bound != 0.0),
        MetricRole::Quality => None,
    }
}

/// So that the later half of the intervals fits, and the bound.
fn reach(finding: &Finding, points: &[(&Look, &LookMetric)]) -> f64 {
    let later = points.iter().skip(points.len() / 2).flat_map(|(_, one)| [one.low, one.high]);
    let ends = later.map(f64::abs).filter(|end| end.is_finite());
    let least = bound(finding).map_or(0.001, |bound| 1.5 * bound.abs());
    ends.fold(least.max(0.001), f64::max)
}
