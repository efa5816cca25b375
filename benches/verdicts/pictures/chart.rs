//! A chart as SVG.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
/// What is left for the axes: left, right, top, bottom.
const ROOM: [f64; 4] = [64.0, 24.0, 44.0, 48.0];

pub(crate) const BLUE: &str = "#1d4ed8";
pub(crate) const RED: &str = "#b91c1c";
pub(crate) const GREEN: &str = "#047857";
pub(crate) const GREY: &str = "#6b7280";

/// How a number of an axis is written.
type Written = fn(f64) -> String;

pub(crate) struct Chart {
    x: (f64, f64),
    y: (f64, f64),
    body: String,
    labels: usize,
}

impl Chart {
    /// From 0 to `x`, and over a range of y, each with a mark every so often.
    pub(crate) fn new(
        title: &str,
        (x, x_step, x_written): (f64, f64, Written),
        (low, high, y_step, y_written): (f64, f64, f64, Written),
        x_title: &str,
    ) -> Self {
        let mut chart = Self { x: (0.0, x), y: (low, high), body: String::new(), labels: 0 };
        let (left, right) = (ROOM[0], WIDTH - ROOM[1]);
        let bottom = HEIGHT - ROOM[3];
        chart.text((left, 22.0), "start", "600", "#111827", title);
        for at in marks(low, high, y_step) {
            let y = chart.at(0.0, at).1;
            chart.segment((left, y), (right, y), "#e5e7eb", "");
            chart.text((left - 8.0, y + 4.0), "end", "400", GREY, &y_written(at));
        }
        for at in marks(0.0, x, x_step) {
            let x = chart.at(at, low).0;
            chart.text((x, bottom + 18.0), "middle", "400", GREY, &x_written(at));
        }
        chart.text(((left + right) / 2.0, bottom + 38.0), "middle", "400", GREY, x_title);
        chart
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let within =
            |value: f64, (from, to): (f64, f64)| (value.clamp(from, to) - from) / (to - from);
        let (width, height) = (WIDTH - ROOM[0] - ROOM[1], HEIGHT - ROOM[2] - ROOM[3]);
        (ROOM[0] + within(x, self.x) * width, HEIGHT - ROOM[3] - within(y, self.y) * height)
    }

    pub(crate) fn line(&mut self, points: &[(f64, f64)], colour: &str) {
        let points = self.points(points.iter());
        let _ = writeln!(
            self.body,
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2.5"/>"#
        );
    }

    /// What lies between two ends: (x, low, high).
    pub(crate) fn band(&mut self, ends: &[(f64, f64, f64)], colour: &str) {
        let low: Vec<_> = ends.iter().map(|(x, low, _)| (*x, *low)).collect();
        let high: Vec<_> = ends.iter().rev().map(|(x, _, high)| (*x, *high)).collect();
        let points = self.points(low.iter().chain(&high));
        let _ = writeln!(
            self.body,
            r#"<polygon points="{points}" fill="{colour}" fill-opacity="0.18" stroke="none"/>"#
        );
    }

    /// A line over the whole width, at this height.
    pub(crate) fn level(&mut self, y: f64, colour: &str, label: &str) {
        let (from, to) = (self.at(self.x.0, y), self.at(self.x.1, y));
        self.segment(from, to, colour, "6 4");
        self.text((to.0 - 4.0, to.1 - 6.0), "end", "400", colour, label);
    }

    /// A line over the whole height, at this width.
    pub(crate) fn mark(&mut self, x: f64, colour: &str, label: &str) {
        let (from, to) = (self.at(x, self.y.0), self.at(x, self.y.1));
        self.segment(from, to, colour, "6 4");
        self.text((from.0 + 5.0, from.1 - 8.0), "start", "400", colour, label);
    }

    /// What a colour stands for: one below the other, from this place on.
    pub(crate) fn label(&mut self, (x, y): (f64, f64), colour: &str, label: &str) {
        let (x, y) = self.at(x, y);
        let y = y + 18.0 * self.labels as f64;
        self.labels += 1;
        self.text((x, y), "start", "600", colour, label);
    }

    /// A bar from one value to another, with a point.
    pub(crate) fn bar(&mut self, y: f64, (low, point, high): (f64, f64, f64), colour: &str) {
        let (from, to, middle) = (self.at(low, y), self.at(high, y), self.at(point, y));
        let _ = writeln!(
            self.body,
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{colour}" stroke-width="7" stroke-linecap="round" stroke-opacity="0.45"/><circle cx="{:.1}" cy="{:.1}" r="5" fill="{colour}"/>"#,
            from.0, from.1, to.0, to.1, middle.0, middle.1
        );
    }

    /// Words at a place.
    pub(crate) fn words(&mut self, (x, y): (f64, f64), colour: &str, words: &str) {
        let (x, y) = self.at(x, y);
        self.text((x, y + 4.0), "start", "400", colour, words);
    }

    pub(crate) fn svg(&self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.body
        )
    }

    fn points<'a>(&self, points: impl Iterator<Item = &'a (f64, f64)>) -> String {
        let mut text = String::new();
        for (x, y) in points {
            let (x, y) = self.at(*x, *y);
            let _ = write!(text, "{x:.1},{y:.1} ");
        }
        text.trim_end().to_owned()
    }

    fn segment(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, dashes: &str) {
        let _ = writeln!(
            self.body,
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{colour}" stroke-dasharray="{dashes}"/>"#,
            from.0, from.1, to.0, to.1
        );
    }

    fn text(&mut self, at: (f64, f64), anchor: &str, weight: &str, colour: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            self.body,
            r#"<text x="{:.1}" y="{:.1}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">{text}</text>"#,
            at.0, at.1
        );
    }
}

fn marks(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    let count = ((to - from) / step + 1e-9).floor() as u32;
    (0..=count).map(move |at| from + f64::from(at) * step)
}
