//! How long the requests of units took, as far as it says how much units differ.

use super::arms::InEpoch;
use crate::{
    stats::sequential::quantiles::clusters::{Arm, Cell},
    store::{Histogram, UnitLatencies},
};

/// What is known of how long the requests of one bucket of units took.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    latencies: UnitLatencies,
    timed_out: u64,
}

impl Times {
    pub(super) fn add(&mut self, latencies: &UnitLatencies, timed_out: u64) {
        self.latencies.merge(latencies);
        self.timed_out += timed_out;
    }

    /// How many requests it knows.
    fn count(&self) -> u64 {
        self.latencies.buckets().map(|(_, count)| count).sum::<u64>() + self.timed_out
    }
}

/// The durations of an epoch, and how they are spread over units; `None` where it is not known of all requests which
/// unit's they are, and how long they took.
pub(super) fn by_units(epoch: &InEpoch) -> Option<Arm> {
    let whole = &epoch.whole.duration;
    let requests = whole.count();
    let known: u64 = epoch.units.times().map(Times::count).sum();
    if known == 0 || known != requests {
        return None;
    }
    let spreads = Spreads::of(epoch.units.times());
    let mut slower = requests;
    let mut cell = |(low, high), count, spreads: &[Spread]| {
        let from = slower;
        slower = slower.saturating_sub(count);
        let ends = [from, slower].map(|slower| slower as f64 / requests as f64);
        let most = |of: &dyn Fn(&Spread) -> f64| spreads.iter().map(of).fold(0.0, f64::max);
        let with_sizes = spreads.iter().map(Spread::with_sizes);
        Cell {
            low,
            high,
            count,
            squares: most(&|spread| spread.squares(ends[0]).max(spread.squares(ends[1]))),
            with_sizes: with_sizes.clone().sum::<f64>() / with_sizes.count() as f64,
        }
    };
    let ended = whole.buckets().map(|(bucket, count)| {
        let values = Histogram::values_of(bucket);
        let ends = (*values.start() as f64, *values.end() as f64);
        cell(ends, count, spreads.around(UnitLatencies::bucket_of(bucket)))
    });
    let mut cells: Vec<_> = ended.collect();
    if whole.timeouts() > 0 {
        let longest = cells.last().map_or(0.0, |cell| cell.high);
        cells.push(cell((longest, f64::INFINITY), whole.timeouts(), spreads.last()));
    }
    let sizes = epoch.units.times().map(|times| (times.count() as f64).powi(2));
    Some(Arm { cells, sizes: sizes.sum() })
}

/// How the requests that are slower than some time are spread over buckets of units, `k` of `n` in each, where their
/// share of all is `s`.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    requests: f64,
    /// `s`.
    share: f64,
    /// `Σ n²`.
    sizes: f64,
    /// `Σ k²`.
    slower: f64,
    /// `Σ k n`.
    both: f64,
}

impl Spread {
    /// `Σ (k − s n)²`, if `share` were slower than another time near this one: by as much as requests of a unit are
    /// alike here.
    fn squares(&self, share: f64) -> f64 {
        let own = self.slower - 2.0 * self.share * self.both + self.share.powi(2) * self.sizes;
        let independent = self.requests * self.share * (1.0 - self.share);
        let effect = if independent > 0.0 { (own / independent).max(1.0) } else { 1.0 };
        effect * self.requests * share * (1.0 - share)
    }

    /// `Σ (k − s n) n`.
    fn with_sizes(&self) -> f64 {
        self.both - self.share * self.sizes
    }
}

/// The same for the beginning of each bucket of latencies.
struct Spreads {
    /// The first bucket that a request is in.
    first: usize,
    /// Of that bucket and each above it, and of what timed out.
    from: Vec<Spread>,
}

impl Spreads {
    fn of<'a>(units: impl Iterator<Item = &'a Times> + Clone) -> Self {
        let buckets = || units.clone().flat_map(|times| times.latencies.buckets());
        let first = buckets().map(|(bucket, _)| bucket).min().unwrap_or(0);
        let beyond = buckets().map(|(bucket, _)| bucket + 1).max().unwrap_or(0);
        let mut from = vec![Spread::default(); beyond - first + 1];
        let mut counts = vec![0_u64; beyond - first + 1];
        for times in units {
            counts.fill(0);
            times.latencies.buckets().for_each(|(bucket, count)| counts[bucket - first] += count);
            counts[beyond - first] = times.timed_out;
            let requests = times.count() as f64;
            let mut slower = 0;
            for (spread, count) in from.iter_mut().zip(&counts).rev() {
                slower += count;
                let slower = slower as f64;
                spread.requests += requests;
                spread.sizes += requests * requests;
                spread.share += slower;
                spread.slower += slower * slower;
                spread.both += slower * requests;
            }
        }
        from.iter_mut().for_each(|spread| spread.share /= spread.requests);
        Self { first, from }
    }

    /// Those at both ends of a bucket of latencies.
    fn around(&self, bucket: usize) -> &[Spread] {
        let at = bucket.saturating_sub(self.first).min(self.from.len() - 1);
        &self.from[at..self.from.len().min(at + 2)]
    }

    fn last(&self) -> &[Spread] {
        &self.from[self.from.len() - 1..]
    }
}
