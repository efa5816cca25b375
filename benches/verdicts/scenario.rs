//! What an experiment is made of whose truth is known.

use tower_spearmint::report::Metric;

/// How an arm behaves.
#[derive(Clone, Copy)]
pub(crate) struct Arm {
    /// Of a request it fails with this probability.
    pub(crate) failing: f64,
    /// The median of how long it takes, in ms.
    pub(crate) ms: f64,
    /// Of its branches so many are never recorded.
    pub(crate) lost: f64,
    /// Its answer differs from the primary's with this probability, for no good reason.
    pub(crate) wrong: f64,
    /// What is said of it is so many times as much.
    pub(crate) more: f64,
    /// And with this probability by a hundred times the mean more than that.
    pub(crate) rarely: f64,
}

/// Who gets what.
#[derive(Clone, Copy)]
pub(crate) enum Split {
    /// Each request has its shadow.
    Shadow,
    /// And one more of the primary's config, whose answers differ by chance as the shadow's do.
    ShadowAndControl,
    /// Each request for itself, the second arm with this share in the first half, and with that in the
    /// second.
    Requests(f64, f64),
    /// Units, likewise.
    Units(Traffic, Luck, f64, f64),
}

/// How many requests units have.
#[derive(Clone, Copy)]
pub(crate) enum Traffic {
    /// All as many.
    Uniform,
    /// As Zipf's law has it: the second half as many as the first, the third a third.
    Zipf,
    /// Each has three requests, one after the other, and does not come again.
    Passing,
    /// The same, and in the second half they all come again.
    Returning,
    /// All as many, of ten times as many units.
    Many,
}

/// How a unit differs from the others.
#[derive(Clone, Copy)]
pub(crate) enum Luck {
    /// It fails up to twice as often as all together, or never.
    Own,
    /// All its requests fail, or none.
    AllOrNothing,
}

/// How long requests take, beside each other.
#[derive(Clone, Copy)]
pub(crate) enum Times {
    /// The logarithm scatters by this standard deviation.
    LogNormal(f64),
    /// With this exponent: 1.2 has a mean, and no variance.
    Pareto(f64),
}

/// What the mean is of that is compared.
#[derive(Clone, Copy)]
pub(crate) enum Numbers {
    Nothing,
    /// What the service says of each request. Those of a unit are alike, and so are those of a pair.
    OfRequests(Law),
    /// What so many units of each arm do later, some at once, some as late as it ends; and what it is worth.
    OfUnits(f64, Law),
}

/// How numbers scatter, beside their mean of 1.
#[derive(Clone, Copy)]
pub(crate) enum Law {
    /// Not at all.
    One,
    /// From 0 to 2, all as often.
    Uniform,
    /// The logarithm scatters by this standard deviation.
    LogNormal(f64),
    /// With this exponent: 2 and below has no variance.
    Pareto(f64),
    /// All are 0 but for this share, whose logarithm scatters by 1.
    Rare(f64),
}

/// What would be right to say, and so what is false.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Truth {
    /// Both arms are the same: neither `ship`, nor `keep` for harm.
    Same,
    /// The candidate is exactly as much worse as it may be: neither, too.
    AtMargin,
    /// It is exactly as much better as is worth it: no `keep`, neither for harm nor for want of use.
    AtMinimum,
    /// It is to be shipped.
    Better,
    /// It is to be kept out.
    Worse,
    /// The means are the same, but for what seldom happens: nothing is promised before it has.
    Unseen,
    /// The split is not what it should be.
    Broken,
}

/// What a textbook's test would compare, planned for one look.
#[derive(Clone, Copy)]
pub(crate) enum Planned {
    Nothing,
    /// Error rates.
    Errors,
    /// How many take longer than the baseline's quantile.
    Quantile(f64),
    /// Means; where units have something or nothing, how many have.
    Means,
}

#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) truth: Truth,
    pub(crate) requests: u64,
    pub(crate) split: Split,
    pub(crate) arms: [Arm; 2],
    pub(crate) times: Times,
    pub(crate) numbers: Numbers,
    /// How much worse the mean of these may be; without it, it is to be better.
    pub(crate) margin: Option<f64>,
    /// By how much the load makes everything slower and fail more, at its worst: a factor.
    pub(crate) load: f64,
    /// By how much more it fails at its worst, whatever the load.
    pub(crate) outage: f64,
    pub(crate) metrics: &'static [Metric],
    pub(crate) planned: Planned,
}

impl Scenario {
    /// Whether `ship`, `keep` for harm, `keep` for want of use, and `broken` are false.
    pub(crate) fn false_ones(&self) -> [bool; 4] {
        match self.truth {
            Truth::Same | Truth::AtMargin => [true, true, false, true],
            Truth::AtMinimum | Truth::Better => [false, true, true, true],
            Truth::Worse => [true, false, false, true],
            Truth::Unseen => [false, true, false, true],
            Truth::Broken => [false, false, false, false],
        }
    }

    /// How many requests a test needs that is planned for one look, for a chance of 80 % to find what there is,
    /// with an error of 5 % on both sides together.
    pub(crate) fn planned(&self) -> Option<u64> {
        use tower_spearmint::stats::{
            fixed::{Design, size_for_proportions},
            special::{normal_upper, normal_upper_inverse},
        };
        let [one, other] = self.arms;
        let (share, more) = match (self.planned, self.times) {
            (Planned::Means, _) => return self.numbers.planned(one.more, other.more),
            (Planned::Errors, _) => (one.failing, other.failing - one.failing),
            (Planned::Quantile(q), Times::LogNormal(spread)) => {
                let at = normal_upper_inverse(1.0 - q);
                let above = normal_upper(at + (one.ms / other.ms).ln() / spread);
                (1.0 - q, above - (1.0 - q))
            }
            _ => return None,
        };
        let each = size_for_proportions(Design::default(), share, more, 0.8)?;
        Some((2.0 * each).ceil() as u64)
    }
}
