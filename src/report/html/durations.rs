//! How long the branches of the arms took, over one another.

use super::{
    figures::arms,
    numbers::{count, duration, percent},
    plot::{Line, Plot, Ticks},
};
use crate::{report::Report, store::Histogram};
use maud::{Markup, html};
use std::ops::RangeInclusive;

/// Points of a line at most.
const BINS: usize = 64;

/// A drawing, and the same as a table.
pub(crate) fn durations(report: &Report) -> Markup {
    let arms: Vec<_> = arms(report).filter(|arm| arm.duration.count() > 0).collect();
    let Some(bins) = Bins::over(arms.iter().map(|arm| &arm.duration)) else {
        return html! { p { "No branch has ended by itself yet." } };
    };
    let lines: Vec<_> = arms
        .iter()
        .map(|arm| Line {
            name: format!("{} ({})", arm.config_id.short(), arm.role),
            points: bins.shares(&arm.duration),
        })
        .collect();
    let table = html! {
        table data-kind="durations" {
            caption { "Share of the branches of each arm by how long they took" }
            thead { tr {
                th scope="col" { "up to" }
                @for line in &lines { th.number scope="col" { (line.name) } }
            } }
            tbody {
                @for bin in 0..bins.len() {
                    tr {
                        th scope="row" data-value=(bins.end(bin)) { (duration(Some(bins.end(bin)))) }
                        @for line in &lines {
                            td.number data-value=(format!("{:.5}", line.points[bin])) { (percent(Some(line.points[bin]))) }
                        }
                    }
                }
            }
        }
    };
    let slow = arms.iter().filter(|arm| arm.duration.timeouts() > 0);
    html! {
        figure.chart {
            (Plot {
                label: "How long the branches of the arms took, on a logarithmic scale; the table below has the numbers",
                lines: &lines,
                ticks: &bins.ticks(),
            }.draw())
            figcaption { "Share of the branches by how long they took, on a logarithmic scale." }
            details { summary { "The same as a table" } div.scroll tabindex="0" role="region" aria-label="How long they took" { (table) } }
        }
        @for arm in slow {
            p.muted { (arm.config_id.short()) ": " (count(arm.duration.timeouts())) " timed out, and are not drawn." }
        }
    }
}

/// Neighbouring buckets of the histograms together.
struct Bins {
    first: usize,
    /// Buckets of each.
    width: usize,
    count: usize,
}

impl Bins {
    /// From the fastest thousandth of any to the slowest; `None` if nothing ended.
    fn over<'a>(all: impl Iterator<Item = &'a Histogram>) -> Option<Self> {
        let (mut first, mut last) = (usize::MAX, 0);
        for histogram in all.filter(|all| all.count() > all.timeouts()) {
            let ended = histogram.count() - histogram.timeouts();
            let (mut seen, mut from) = (0, None);
            for (bucket, count) in histogram.buckets() {
                if seen * 1_000 <= ended * 999 {
                    last = last.max(bucket);
                }
                seen += count;
                if seen * 1_000 > ended {
                    from = from.or(Some(bucket));
                }
            }
            first = first.min(from.unwrap_or(usize::MAX));
        }
        if first > last {
            return None;
        }
        // A bin more on either side, so that a line begins and ends on the ground.
        let width = (last - first + 1).div_ceil(BINS - 2);
        let first = first.saturating_sub(width);
        Some(Self { first, width, count: (last - first) / width + 2 })
    }

    const fn len(&self) -> usize {
        self.count
    }

    /// The last value of a bin, in ns.
    fn end(&self, bin: usize) -> u64 {
        *Histogram::values_of(self.first + (bin + 1) * self.width - 1).end()
    }

    /// The share of the values in each bin, of all that the histogram holds.
    fn shares(&self, histogram: &Histogram) -> Vec<f64> {
        let mut shares = vec![0.0; self.count];
        for (bucket, count) in histogram.buckets() {
            let bin = bucket.checked_sub(self.first).map(|at| at / self.width);
            if let Some(share) = bin.and_then(|bin| shares.get_mut(bin)) {
                *share += count as f64 / histogram.count() as f64;
            }
        }
        shares
    }

    /// Where 1, 2 and 5 of each power of ten lie, from 0 to 1 of the width; fewer if they are many.
    fn ticks(&self) -> Ticks {
        let range: RangeInclusive<u64> = self.end(0)..=self.end(self.count - 1);
        let round = (0..19).flat_map(|power| [1, 2, 5].map(|lead| lead * 10_u64.pow(power)));
        let round: Vec<_> = round.filter(|value| range.contains(value)).collect();
        let few = round.len() <= 8;
        let is_power = |value: u64| 10_u64.pow(value.ilog10()) == value;
        let shown = round.into_iter().filter(|value| few || is_power(*value));
        let whole = (self.count * self.width) as f64;
        let place = |value: u64| (Histogram::bucket_of(value) + 1 - self.first) as f64 / whole;
        shown.map(|value| (place(value), duration(Some(value)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::new();
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    #[test]
    fn every_branch_is_in_one_bin_of_its_arm() {
        let (fast, slow) = (of((1..=500).map(|at| at * 10_000)), of([3_000_000_000]));
        let bins = Bins::over([&fast, &slow].into_iter()).unwrap();
        assert!(bins.len() <= BINS, "{}", bins.len());
        for histogram in [&fast, &slow] {
            let sum: f64 = bins.shares(histogram).iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        }
        assert!(bins.end(bins.len() - 1) > 3_000_000_000);
    }

    #[test]
    fn one_value_alone_can_be_drawn_and_none_cannot() {
        for value in [0, 1, 5_000_000, u64::MAX] {
            let one = of([value]);
            let bins = Bins::over(std::iter::once(&one)).unwrap();
            assert_eq!(bins.shares(&one).iter().sum::<f64>(), 1.0, "{value}");
            bins.ticks();
        }
        let mut late = Histogram::new();
        late.add_timeout(1);
        assert!(Bins::over([&Histogram::new(), &late].into_iter()).is_none());
    }
}
