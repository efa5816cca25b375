//! Lines over one another.

use super::interval::round;
use maud::{Markup, html};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
/// Below are the ticks.
const GROUND: f64 = 190.0;
const TOP: f64 = 8.0;

/// As many looks as there are; further lines begin again.
const LOOKS: usize = 6;

/// Places from 0 to 1 of the width, and what is written there.
pub(super) type Ticks = Vec<(f64, String)>;

/// Points at even distances.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<f64>,
}

pub(super) struct Plot<'a> {
    /// What is said in place of the picture.
    pub(super) label: &'a str,
    pub(super) lines: &'a [Line],
    pub(super) ticks: &'a [(f64, String)],
}

impl Plot<'_> {
    pub(super) fn draw(&self) -> Markup {
        let highest =
            self.lines.iter().flat_map(|line| &line.points).fold(0.0, |a: f64, b| a.max(*b));
        let path = |line: &Line| {
            let step = WIDTH / line.points.len().max(1) as f64;
            let mut path = format!("M0 {GROUND}");
            for (at, point) in line.points.iter().enumerate() {
                let high =
                    GROUND - (GROUND - TOP) * if highest > 0.0 { point / highest } else { 0.0 };
                path += &format!("L{} {}", round((at as f64 + 0.5) * step), round(high));
            }
            path + &format!("L{WIDTH} {GROUND}")
        };
        html! {
            svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.label) {
                @for (at, text) in self.ticks {
                    line.tick x1=(round(at * WIDTH)) x2=(round(at * WIDTH)) y1=(TOP) y2=(GROUND) {}
                    text.label x=(round(at * WIDTH)) y=(GROUND + 18.0) text-anchor="middle" { (text) }
                }
                line.axis x1="0" x2=(WIDTH) y1=(GROUND) y2=(GROUND) {}
                @for (at, line) in self.lines.iter().enumerate() {
                    path class={ "line look-" (at % LOOKS) } d=(path(line)) {}
                }
            }
            ul.legend {
                @for (at, line) in self.lines.iter().enumerate() {
                    li {
                        svg.sample viewBox="0 0 32 10" aria-hidden="true" {
                            path class={ "line look-" (at % LOOKS) } d="M0 5L32 5" {}
                        }
                        " " (line.name)
                    }
                }
            }
        }
    }
}
