//! The means of two arms of units, of which something may have been known before.
//!
//! What a unit did before it was exposed to anything is no effect of a config, and goes with what it does later:
//! some buy often. So the mean of an arm is taken for units of which both arms have as many of each kind:
//! CUPED (Deng, Xu, Kohavi & Walker, *Improving the sensitivity of online controlled experiments by utilizing
//! pre-experiment data*, WSDM 2013).

#[cfg(test)]
mod tests;

use super::ratio::{self, Together};
use crate::stats::{
    Interval, JointSummary,
    sequential::means::{ENOUGH, Estimate},
};

/// The units of an arm in one epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Units {
    /// What came after their exposure, and before.
    pub(super) joint: JointSummary,
    /// Those that have something from before.
    pub(super) units_before: u64,
}

/// The means of the baseline and of the candidate, over all epochs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means {
    /// As they are.
    pub(super) plain: [Estimate; 2],
    /// As they would be if what came before were the same in both arms.
    adjusted: [Estimate; 2],
    /// Of the adjusted.
    covariance: f64,
}

impl Means {
    /// Epochs are strata, in each of which the split was another one: both arms are weighted by how much the epoch
    /// tells of their difference, `n m / (n + m)` for `n` and `m` units, as is usual since Cochran (*Some methods for strengthening
    /// the common χ² tests*, Biometrics 10(4), 1954). By the number of units of both, an epoch in which the candidate had few,
    /// and none of them did anything yet, would be certain and weigh most.
    ///
    /// A unit that comes back keeps its arm, and its outcomes follow its exposures in several epochs. How many do is
    /// not known, so the means of epochs may depend on one another in any way: standard errors are added up, and
    /// the units are those of the epoch that has the most.
    ///
    /// Whether the adjusted means are taken is decided by how far they scatter, not by what they say.
    pub(super) fn of(epochs: &[[Units; 2]]) -> Self {
        let (plain, scatter) = over(epochs, |_| 0.0);
        let (adjusted, less) = over(epochs, theta);
        if less.of_difference() < scatter.of_difference() {
            Self { plain, adjusted, covariance: less.both }
        } else {
            Self { plain, adjusted: plain, covariance: 0.0 }
        }
    }

    /// By what share of the baseline's mean the candidate's is above it.
    pub(super) fn difference(&self) -> Option<f64> {
        let [one, other] = &self.adjusted;
        (one.value > 0.0).then(|| other.value / one.value - 1.0)
    }

    /// Where that lies, but with probability `alpha`; `positive` if no unit's outcomes come to less than 0. (Then no
    /// mean is either, whatever an adjusted one happens to be.) Where nothing scatters nothing is said.
    pub(super) fn relative(&self, positive: bool, alpha: f64) -> Interval {
        let [one, other] = &self.adjusted;
        let scatter = self.plain.iter().all(|arm| arm.variance > 0.0);
        if !scatter || self.difference().is_none() {
            return Interval::EVERYTHING;
        }
        let together = if positive {
            Together::ByAndPositive(self.covariance)
        } else {
            Together::By(self.covariance)
        };
        ratio::interval(one, other, together, alpha)
    }

    /// By what share the variance of the difference is less than that of the plain means; `None` if nothing was
    /// adjusted.
    pub(super) fn variance_less(&self) -> Option<f64> {
        let of = |arms: &[Estimate; 2]| arms[0].variance + arms[1].variance;
        let less = 1.0 - (of(&self.adjusted) - 2.0 * self.covariance) / of(&self.plain);
        (self.adjusted != self.plain).then_some(less)
    }
}

/// By how much the outcomes of an epoch go with what came before: so that the difference of the means scatters
/// least, which it never does more than the plain one's then, even if the arms have unequal shares and differ
/// in how they go (Lin, *Agnostic notes on regression adjustments to experimental data*, Annals of Applied Statistics
/// 7(1), 2013). 0 where too little came before to tell.
///
/// That it is estimated from the same units changes a difference by the product of two errors that both vanish,
/// which is nothing beside the width of an interval (Waudby-Smith et al., arXiv 2103.06476, section 3.3).
fn theta(arms: &[Units; 2]) -> f64 {
    if arms.iter().any(|arm| arm.units_before < ENOUGH) {
        return 0.0;
    }
    let sum = |of: fn(&JointSummary) -> f64| -> f64 {
        arms.iter().map(|arm| of(&arm.joint) / arm.joint.count as f64).sum()
    };
    let theta = sum(|arm| arm.covariance) / sum(|arm| arm.y_variance);
    let residual = arms.iter().map(|arm| arm.joint.minus(theta).variance / arm.joint.x_variance);
    // What is left of the scatter must be more than rounding.
    if theta.is_finite() && residual.into_iter().all(|left| left > 1e-9) { theta } else { 0.0 }
}

/// How far both means scatter, as far as it is the doing of some units: the variances, and the covariance.
#[derive(Debug, Clone, Copy, Default)]
struct Scatter {
    means: [f64; 2],
    both: f64,
}

impl Scatter {
    fn of_difference(&self) -> f64 {
        self.means[0] + self.means[1] - 2.0 * self.both
    }

    fn add(&mut self, other: &Self, times: f64) {
        self.means = std::array::from_fn(|at| self.means[at] + times * other.means[at]);
        self.both += times * other.both;
    }
}

/// The means over all epochs, with what `theta` says of each taken off.
fn over(epochs: &[[Units; 2]], theta: impl Fn(&[Units; 2]) -> f64) -> ([Estimate; 2], Scatter) {
    let all: f64 = epochs.iter().map(weight).sum();
    let each: Vec<_> =
        epochs.iter().map(|arms| (weight(arms) / all, within(arms, theta(arms)))).collect();
    let mut scatter = Scatter::default();
    for at in 0..2 {
        let error = |(share, (_, by)): &(f64, ([f64; 2], [Scatter; 2]))| {
            share * by[at].of_difference().max(0.0).sqrt()
        };
        let errors: f64 = each.iter().map(error).sum();
        // `(Σ √v)² ≤ Σ v / p` for shares `p` of 1 (Cauchy & Schwarz). With these that is equal for the difference,
        // and no less for any other combination of both means.
        for of in each.iter().filter(|of| error(of) > 0.0) {
            let (share, (_, by)) = of;
            scatter.add(&by[at], share * share * errors / error(of));
        }
    }
    let largest = epochs.iter().max_by(|one, other| weight(one).total_cmp(&weight(other)));
    let means = std::array::from_fn(|at| {
        let units = largest.map_or(0, |arms| arms[at].joint.count);
        let value = each.iter().map(|(share, (means, _))| share * means[at]).sum();
        Estimate { value, variance: scatter.means[at], count: units, smallest: units }
    });
    (means, scatter)
}

/// How much an epoch tells of a difference.
fn weight(arms: &[Units; 2]) -> f64 {
    let [one, other] = arms.map(|arm| arm.joint.count as f64);
    one * other / (one + other)
}

/// What is added to the variance of the mean of each arm, whose units scatter by these variances. An arm with fewer units scatters at least as the other; and one in which
/// nothing does, as if one of its units lay as far away as those of the other do: a hundred that bought nothing do not
/// say that nobody will.
fn more_scatter(residuals: [f64; 2], counts: [u64; 2]) -> [f64; 2] {
    let most = residuals[0].max(residuals[1]);
    let of = |at: usize| {
        let count = counts[at] as f64;
        let scatter = if residuals[at] > 0.0 { residuals[at] } else { most / count };
        let (count, smallest) = (counts[at], counts[at]);
        Estimate { value: 0.0, variance: scatter / count as f64, count, smallest }
    };
    let evened = ratio::evened(of(0), of(1));
    [0, 1].map(|at| evened[at].variance - residuals[at] / counts[at] as f64)
}

/// The means of both arms in an epoch, and how far they scatter by the units of either.
///
/// `x̄ − θ (ȳ − Y)`, where `Y` is the mean of what came before over both arms. That is an estimate as well, by which
/// the units of each arm have a part in both means: without it, a ratio that is not 1 would be too sure.
fn within(arms: &[Units; 2], theta: f64) -> ([f64; 2], [Scatter; 2]) {
    let counts = arms.map(|arm| arm.joint.count as f64);
    let shares = counts.map(|count| count / (counts[0] + counts[1]));
    let more_before = arms[1].joint.y_mean - arms[0].joint.y_mean;
    let means = [
        arms[0].joint.x_mean + theta * shares[1] * more_before,
        arms[1].joint.x_mean - theta * shares[0] * more_before,
    ];
    let more = more_scatter(
        arms.map(|arm| arm.joint.minus(theta).variance),
        arms.map(|arm| arm.joint.count),
    );
    let scatter = std::array::from_fn(|at| {
        let joint = &arms[at].joint;
        // Of what came before, with which factor it stands in the own mean, and in the other's.
        let (own, other) = (-theta * shares[1 - at], theta * shares[at]);
        let variance = joint.minus(-own).variance / counts[at] + more[at];
        let of_other = other * other * joint.y_variance / counts[at];
        let both = other * (joint.covariance + own * joint.y_variance) / counts[at];
        let means = if at == 0 { [variance, of_other] } else { [of_other, variance] };
        Scatter { means, both }
    });
    (means, scatter)
}
