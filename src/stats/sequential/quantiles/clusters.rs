//! How far apart quantiles may be where whole units were assigned to an arm, not requests.

use super::super::{checked, means::SHARPEST};
use crate::stats::Interval;

/// The requests of an arm, and how they are spread over buckets of units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arm {
    /// All of them, by ascending values.
    pub cells: Vec<Cell>,
    /// The sum over all buckets of units of `n²`, where `n` is how many requests a bucket has.
    pub sizes: f64,
}

/// The requests whose values lie next to each other, and what units have of those above. Where that differs within the
/// cell, what makes more of it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    /// The values lie from here…
    pub low: f64,
    /// …to here; `f64::INFINITY` for what never came to an end.
    pub high: f64,
    /// So many requests have such a value.
    pub count: u64,
    /// The sum over all buckets of units of `(k − s n)²`, where `k` of a bucket's `n` requests are above such a value,
    /// and the share `s` of all.
    pub squares: f64,
    /// The same sum of `(k − s n) n`: whether those that have many requests have more above, too.
    pub with_sizes: f64,
}

/// A confidence sequence for how many times the first arm's `p`-quantile the second's is, with an error probability
/// of `alpha`, sharpest when it is as certain as `target` independent requests of each arm would make it.
///
/// The requests of a unit may be alike, units are independent of one another. If `x` is the first arm's quantile and
/// `y` the second's, then `1 − p` of the requests are above `x` in the one and above `y` in the other (Woodruff,
/// *Confidence intervals for medians and other position measures*, JASA 47(260), 1952). So it is asked of each pair
/// `(x, y)` whether both shares may be that, and the ratios of all pairs of which it is not refuted are the interval.
///
/// `v` is by how much the second share is above the first, and what the mean of both, weighted by requests, is off by. It is
/// refuted, with nine tenths of `alpha`, where the normal mixture speaks against it:
///
/// `½ vᵀ (Σ⁻¹ − (Σ + Λ)⁻¹) v ≥ ½ ln(det(Σ + Λ) / det Σ) − ln(0.9 alpha)`
///
/// (Abbasi-Yadkori, Pál & Szepesvári, *Improved algorithms for linear stochastic bandits*, NeurIPS 2011, theorem 1: of one
/// number it is the boundary of [`means::interval`](super::super::means::interval)). `Λ` is fixed: for the difference it
/// is sharpest at `target`, for the mean an eighth of that, as it only bounds where the difference has to be asked. With
/// the last tenth the mean is asked alone, as if it might be anywhere. `Σ` comes from what each bucket of units has
/// more of than is to be expected if the pair is right, which needs no estimate of what it refutes (as in
/// [`clusters`](super::super::clusters)). For a split that is not even, the variance of the difference is also computed as if
/// the units of each arm had been spread over both by their shares, and the larger counts; and none is less than it
/// were if all requests were independent. (Deng, Knoblich & Lu, *Applying the Delta Method in Metric Analytics*, arXiv
/// 1803.06336, have this variance for one look.)
///
/// It holds as the central limit theorem does, and where early and late requests are alike.
///
/// The cells of an arm ascend. With few units, or a few that have most of the requests, there are no ends. `None` if
/// `p` or `alpha` is not between 0 and 1, `target` not positive and finite, or the cells do not ascend.
///
/// ```
/// use tower_spearmint::stats::sequential::quantiles::clusters::{Arm, Cell, ratio};
///
/// // 500 units with 100 requests each, which take from 1 to 100 ms, or 10 % longer. All units are alike.
/// let arm = |times: f64| {
///     let of = |ms: f64| Cell { low: ms * times, high: ms * times, count: 500, ..Cell::default() };
///     Arm { cells: (1..=100).map(f64::from).map(of).collect(), sizes: 500.0 * 100_f64.powi(2) }
/// };
/// let found = ratio(&arm(1.0), &arm(1.1), 0.5, 0.05, 1e4).unwrap();
/// assert!(found.contains(1.1) && found.low > 1.05 && found.high < 1.15, "{found:?}");
/// ```
pub fn ratio(first: &Arm, second: &Arm, p: f64, alpha: f64, target: f64) -> Option<Interval> {
    let (p, alpha) = (checked(p)?, checked(alpha)?);
    let share = 1.0 - p;
    if !(target > 0.0 && target.is_finite() && first.is_sound() && second.is_sound()) {
        return None;
    }
    let (Some(one), Some(other)) = (first.steps(share), second.steps(share)) else {
        return Some(Interval::EVERYTHING);
    };
    let both = Both::new([first, second], share, alpha, target);
    let (first, second) = both.near(one, other);
    let pairs = first.iter().flat_map(|one| second.iter().map(move |other| (one, other)));
    let left = pairs.filter(|(one, other)| both.may_be(one, other));
    let ratios = left.map(|(one, other)| Interval {
        low: if one.high > 0.0 { other.low / one.high } else { 0.0 },
        high: if one.low > 0.0 { other.high / one.low } else { f64::INFINITY },
    });
    let hull = |one: Interval, other: Interval| Interval {
        low: one.low.min(other.low),
        high: one.high.max(other.high),
    };
    // (∞ over ∞ may be anything.)
    let known = |found: &Interval| !found.low.is_nan();
    let found = ratios.map(|ratio| if known(&ratio) { ratio } else { Interval::EVERYTHING });
    Some(found.reduce(hull).unwrap_or(Interval::EVERYTHING))
}

impl Arm {
    fn is_sound(&self) -> bool {
        let sound = |cell: &Cell| 0.0 <= cell.low && cell.low <= cell.high && cell.squares >= 0.0;
        let ascend = self.cells.windows(2).all(|pair| pair[0].high <= pair[1].low);
        self.cells.iter().all(sound) && ascend && self.sizes >= 0.0
    }

    fn requests(&self) -> f64 {
        self.cells.iter().map(|cell| cell.count as f64).sum()
    }

    /// Where the quantile may lie: in any cell, below the first, or above the last. `None` without requests.
    fn steps(&self, share: f64) -> Option<Vec<Step>> {
        let (first, last) = (self.cells.first()?, self.cells.last()?);
        let requests = self.requests();
        if requests <= 0.0 {
            return None;
        }
        let none = Cell::default();
        let below = Cell { high: first.low, ..none };
        let beyond = Cell { low: last.high, high: f64::INFINITY, ..none };
        let independent = share * (1.0 - share) / requests;
        let mut above = requests;
        let cells = std::iter::once(&below).chain(&self.cells).chain(std::iter::once(&beyond));
        let steps = cells.map(|cell| {
            let from = above / requests - share;
            above = (above - cell.count as f64).max(0.0);
            Step {
                low: cell.low,
                high: cell.high,
                off: [above / requests - share, from],
                variance: (cell.squares / (requests * requests)).max(independent),
                with_sizes: cell.with_sizes / (requests * requests),
                sizes: self.sizes / (requests * requests),
            }
        });
        Some(steps.collect())
    }
}

/// Where a quantile may lie.
#[derive(Debug, Clone, Copy)]
struct Step {
    low: f64,
    high: f64,
    /// By how much the share of the requests that are above is off, at the end and at the beginning of it.
    off: [f64; 2],
    /// Of that share.
    variance: f64,
    with_sizes: f64,
    sizes: f64,
}

impl Step {
    fn middle(&self) -> f64 {
        0.5 * (self.off[0] + self.off[1])
    }

    /// How much larger the variance is for what each bucket of units should have if the share were off by so much.
    fn more(&self, off: f64) -> f64 {
        (off * (2.0 * self.with_sizes + off * self.sizes)).max(0.0)
    }
}

/// What is known of either arm.
#[derive(Debug, Clone, Copy)]
struct Known {
    variance: f64,
    /// By how much more if the shares are the same.
    same: f64,
    /// By how much more if they are what they should be.
    right: f64,
}

/// What is asked of both arms.
struct Both {
    /// What refutes, as a logarithm.
    enough: f64,
    /// What part of all requests each arm has.
    weights: [f64; 2],
    /// `Λ`.
    prior: Square,
}

impl Both {
    /// By how much less is expected of the mean of both shares than of their difference.
    const MEAN: f64 = 0.125;
    /// The part of `alpha` for the mean alone.
    const OF_MEAN: f64 = 0.1;
    /// Before anything is seen, it may be off by any share: the variance of that.
    const ANYWHERE: f64 = 0.04;

    fn new(arms: [&Arm; 2], share: f64, alpha: f64, target: f64) -> Self {
        let requests = arms.map(Arm::requests);
        let one = SHARPEST * share * (1.0 - share) / target;
        Self {
            enough: -alpha.ln(),

            weights: requests.map(|some| some / (requests[0] + requests[1])),
            prior: Square { a: 2.0 * one, b: 0.0, d: 0.5 * one * Self::MEAN },
        }
    }

    fn may_be(&self, one: &Step, other: &Step) -> bool {
        let apart = other.middle() - one.middle();
        let of = |step: &Step, apart: f64| Known {
            variance: step.variance,
            same: step.more(apart),
            right: step.more(step.middle()),
        };
        let [weight, rest] = self.weights;
        let told = self.told([of(one, -rest * apart), of(other, weight * apart)]);
        let mean = |end: usize| weight * one.off[end] + rest * other.off[end];
        let mean = mean(0).max(-mean(1)).max(0.0);
        let refuted = told.by_arms(self.weights).least([one.off, other.off]) > told.reach
            || mean * mean > told.reach_of_mean;
        // (What is no number refutes nothing.)
        !refuted
    }

    /// The steps that may be in a pair at all: as far off as they may be at most, if all that are left knew as little
    /// as any of them.
    fn near(&self, mut first: Vec<Step>, mut second: Vec<Step>) -> (Vec<Step>, Vec<Step>) {
        loop {
            let left = first.len() + second.len();
            if first.is_empty() || second.is_empty() {
                return (first, second);
            }
            let least = [&first, &second].map(|steps| {
                let least = steps.iter().map(|step| step.variance).fold(f64::INFINITY, f64::min);
                Known { variance: least, same: 0.0, right: 0.0 }
            });
            let farthest = |steps: &[Step]| {
                steps.iter().flat_map(|step| step.off).fold(0.0, |far: f64, off| far.max(off.abs()))
            };
            let apart = farthest(&first) + farthest(&second);
            let most = [&first, &second].map(|steps| {
                let most = |of: &dyn Fn(&Step) -> f64| steps.iter().map(of).fold(0.0, f64::max);
                let more = |step: &Step| step.more(apart).max(step.more(-apart));
                let more = most(&more);
                Known { variance: most(&|step| step.variance), same: more, right: more }
            });
            let reach = self.told(least).reach;
            let widest = self.told(most).by_arms(self.weights).inverse();
            let retain = |steps: &mut Vec<Step>, variance: f64| {
                let reach = (reach * variance).sqrt();
                // (What is no number refutes nothing.)
                steps.retain(|step| !(step.off[0] > reach || step.off[1] < -reach));
            };
            retain(&mut first, widest.a);
            retain(&mut second, widest.d);
            if first.len() + second.len() == left {
                return (first, second);
            }
        }
    }

    fn told(&self, [one, other]: [Known; 2]) -> Told {
        let [weight, rest] = self.weights;
        let same = [one, other].map(|arm| arm.variance + arm.same);
        let right = [one, other].map(|arm| arm.variance + arm.right);
        // As if the units of either had been spread over both.
        let by_shares = same[0] * weight / rest + same[1] * rest / weight;
        let variance = Square {
            a: (same[0] + same[1]).max(by_shares),
            b: rest * other.variance - weight * one.variance,
            d: weight * weight * right[0] + rest * rest * right[1],
        };
        let mixed = variance.plus(self.prior, 1.0);
        let anywhere = Self::ANYWHERE / variance.d;
        let enough = self.enough - Self::OF_MEAN.ln();
        Told {
            speaks: variance.inverse().plus(mixed.inverse(), -1.0),
            reach_of_mean: variance.d
                * (1.0 + anywhere.recip())
                * (2.0 * enough + anywhere.ln_1p()),
            reach: 2.0 * (self.enough - (1.0 - Self::OF_MEAN).ln())
                + (mixed.determinant() / variance.determinant()).ln(),
        }
    }
}

/// What speaks against a pair: it is refuted where the form of the difference of its shares, and of what their mean is
/// off by, is beyond the reach.
struct Told {
    speaks: Square,
    reach: f64,
    /// The same of the square of what the mean is off by alone.
    reach_of_mean: f64,
}

impl Told {
    /// The form in what the share of each arm is off by.
    fn by_arms(&self, [weight, rest]: [f64; 2]) -> Square {
        let Square { a, b, d } = self.speaks;
        Square {
            a: a - 2.0 * weight * b + weight * weight * d,
            b: -a + (weight - rest) * b + weight * rest * d,
            d: a + 2.0 * rest * b + rest * rest * d,
        }
    }
}

/// The symmetric matrix `[a b; b d]`.
#[derive(Debug, Clone, Copy)]
struct Square {
    a: f64,
    b: f64,
    d: f64,
}

impl Square {
    fn plus(self, other: Self, times: f64) -> Self {
        Self {
            a: self.a + times * other.a,
            b: self.b + times * other.b,
            d: self.d + times * other.d,
        }
    }

    fn determinant(self) -> f64 {
        self.a * self.d - self.b * self.b
    }

    fn inverse(self) -> Self {
        let by = self.determinant().recip();
        Self { a: self.d * by, b: -self.b * by, d: self.a * by }
    }

    fn at(self, x: f64, y: f64) -> f64 {
        self.a * x * x + 2.0 * self.b * x * y + self.d * y * y
    }

    /// The least of its form where `x` and `y` are between these.
    fn least(self, [xs, ys]: [[f64; 2]; 2]) -> f64 {
        let holds = |[low, high]: [f64; 2]| low <= 0.0 && 0.0 <= high;
        if holds(xs) && holds(ys) {
            return 0.0;
        }
        let along_x = ys.map(|y| self.at((-self.b * y / self.a).clamp(xs[0], xs[1]), y));
        let along_y = xs.map(|x| self.at(x, (-self.b * x / self.d).clamp(ys[0], ys[1])));
        along_x.into_iter().chain(along_y).fold(f64::INFINITY, f64::min)
    }
}
