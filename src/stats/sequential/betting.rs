//! The mean of scores between 0 and 1, for few observations as for many.
//!
//! For each candidate of the mean, two players bet: one that the scores are larger, one that they
//! are smaller. If the candidate is the mean, neither gets rich, whatever the distribution is. So
//! this holds from the first observation on, and is narrow where scores vary little; for it the
//! order of observations matters, and instead of sums there is a state that is fed.

use super::{EValue, checked};
use crate::stats::Interval;

/// A confidence sequence for the mean of scores from 0 to 1, that is fed score by score.
///
/// The hedged capital of Waudby-Smith & Ramdas, *Estimating means of bounded random variables by
/// betting* (JRSS B 86(1), 2024, arXiv 2010.09686, the hedged capital process), for each candidate
/// `m` of a grid:
///
/// `K⁺ = Π (1 + min(λₜ, ½ / m) (xₜ − m))`, `K⁻ = Π (1 − min(λₜ, ½ / (1 − m)) (xₜ − m))`,
/// `λₜ = √( 2 ln(2 / alpha) / (σ̂²ₜ₋₁ t ln(1 + t)) )`
///
/// where `σ̂²` is the variance of the scores before, with one score of ½ and variance ¼ as if it
/// had been seen. `K⁺` falls with `m` and `K⁻` rises; the interval lies between the last candidate
/// for which `K⁺ / 2` ever exceeded `1 / alpha`, and the first for which `K⁻ / 2` did.
///
/// Each score costs two logarithms per candidate.
///
/// ```
/// use tower_spearmint::stats::sequential::betting::Betting;
///
/// let mut quality = Betting::new(0.05, 1_000).unwrap();
/// for _ in 0..50 {
///     quality.observe(0.9);
///     quality.observe(0.8);
/// }
/// let mean = quality.interval().unwrap();
/// assert!(mean.contains(0.85) && mean.width() < 0.15, "{mean:?}");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Betting {
    alpha: f64,
    count: u64,
    refused: u64,
    sum: f64,
    squares: f64,
    /// The logarithms of both capitals, per candidate.
    up: Box<[f64]>,
    down: Box<[f64]>,
    /// The last candidate that is too small, and the first that is too large.
    too_small: Option<usize>,
    too_large: Option<usize>,
}

impl Betting {
    /// With an error probability of `alpha`, and this many steps between the candidates (10 to
    /// 10,000; others count as the nearest): the interval is at most two of them wider than it
    /// might be. `None` if `alpha` is not between 0 and 1.
    pub fn new(alpha: f64, steps: usize) -> Option<Self> {
        let candidates = vec![0.0; steps.clamp(10, 10_000) + 1].into_boxed_slice();
        Some(Self {
            alpha: checked(alpha)?,
            count: 0,
            refused: 0,
            sum: 0.0,
            squares: 0.0,
            up: candidates.clone(),
            down: candidates,
            too_small: None,
            too_large: None,
        })
    }

    /// Takes a score. One that is not from 0 to 1 is refused, and counted.
    pub fn observe(&mut self, score: f64) {
        if !(0.0..=1.0).contains(&score) {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        // The bets are made before the score is seen.
        let bet = self.bet();
        let steps = (self.up.len() - 1) as f64;
        for (at, (up, down)) in self.up.iter_mut().zip(&mut self.down).enumerate() {
            let candidate = at as f64 / steps;
            *up += (bet.min(0.5 / candidate) * (score - candidate)).ln_1p();
            *down += (-bet.min(0.5 / (1.0 - candidate)) * (score - candidate)).ln_1p();
        }
        self.count += 1;
        self.sum += score;
        let mean = (0.5 + self.sum) / (self.count as f64 + 1.0);
        self.squares += (score - mean).powi(2);
        self.refute();
    }

    /// `λ` for the next score.
    fn bet(&self) -> f64 {
        let next = self.count as f64 + 1.0;
        let variance = (0.25 + self.squares) / next;
        (2.0 * (2.0 / self.alpha).ln() / (next * next.ln_1p() * variance)).sqrt()
    }

    fn refute(&mut self) {
        let enough = (2.0 / self.alpha).ln();
        self.too_small = self.too_small.max(self.up.iter().rposition(|up| *up > enough));
        let too_large = self.down.iter().position(|down| *down > enough);
        self.too_large = [self.too_large, too_large].into_iter().flatten().min();
    }

    /// How many scores were taken.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many were refused, for they were not from 0 to 1.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// All means that were not refuted at any time; `None` if none is left, which has a probability
    /// of at most `alpha` while the mean stays the same: then it did not.
    pub fn interval(&self) -> Option<Interval> {
        let steps = (self.up.len() - 1) as f64;
        let end =
            |candidate: Option<usize>, else_: f64| candidate.map_or(else_, |at| at as f64 / steps);
        Interval::new(end(self.too_small, 0.0), end(self.too_large, 1.0))
    }

    /// The evidence that the mean is above `mean`, now: the capital of the first player, of the
    /// next candidate that is not below. `None` if that is not from 0 to 1.
    pub fn above(&self, mean: f64) -> Option<EValue> {
        let at = (self.at(mean)?).ceil() as usize;
        self.up.get(at).and_then(|ln| EValue::from_ln(*ln))
    }

    /// The evidence that the mean is below `mean`, now, likewise.
    pub fn below(&self, mean: f64) -> Option<EValue> {
        let at = (self.at(mean)?).floor() as usize;
        self.down.get(at).and_then(|ln| EValue::from_ln(*ln))
    }

    fn at(&self, mean: f64) -> Option<f64> {
        (0.0..=1.0).contains(&mean).then(|| mean * (self.up.len() - 1) as f64)
    }

    /// Adds what another state was fed with, of scores of the same mean that this one was not: the
    /// capitals are multiplied. That is as true as one state would be that had been fed with all,
    /// though not the same, as the bets were made in ignorance of each other. What either has
    /// refuted stays refuted, each with its own probability of `alpha` to err: with `n` states that
    /// were fed, give each `alpha / n`, or read only the merged one.
    ///
    /// False, and nothing is done, if `alpha` or the number of candidates is not the same.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.alpha != other.alpha || self.up.len() != other.up.len() {
            return false;
        }
        for (mine, theirs) in [(&mut self.up, &other.up), (&mut self.down, &other.down)] {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.count = self.count.saturating_add(other.count);
        self.refused = self.refused.saturating_add(other.refused);
        self.sum += other.sum;
        self.squares += other.squares;
        self.refute();
        true
    }
}
