//! Numbers whose mean is known.

use crate::{
    random::Random,
    scenario::{Law, Numbers},
};
use tower_spearmint::stats::{
    fixed::{Design, size_for_means, size_for_proportions},
    special::normal_upper,
};

impl Law {
    /// One of them: the largest where `need`, which is normally distributed, is.
    pub(crate) fn draw(self, need: f64, random: &mut Random) -> f64 {
        // (From 0 to 1, and never 0: `need` is at most 8.6.)
        let above = normal_upper(need);
        match self {
            Self::One => 1.0,
            Self::Uniform => 2.0 * (1.0 - above),
            Self::LogNormal(spread) => (spread * need - spread * spread / 2.0).exp(),
            Self::Pareto(exponent) => above.powf(-exponent.recip()) * (1.0 - exponent.recip()),
            Self::Rare(share) if above < share => (random.normal() - 0.5).exp() / share,
            Self::Rare(_) => 0.0,
        }
    }

    /// The standard deviation.
    fn scatter(self) -> f64 {
        match self {
            Self::One => 0.0,
            Self::Uniform => 3_f64.sqrt().recip(),
            Self::LogNormal(spread) => (spread * spread).exp_m1().sqrt(),
            Self::Pareto(exponent) => (exponent * (exponent - 2.0)).sqrt().recip(),
            Self::Rare(share) => (1_f64.exp() / share - 1.0).sqrt(),
        }
    }
}

impl Numbers {
    /// How many requests a test of means (of units: of how many have something) needs for one look.
    pub(crate) fn planned(self, one: f64, other: f64) -> Option<u64> {
        let (design, power) = (Design::default(), 0.8);
        let (each, requests) = match self {
            Self::Nothing => return None,
            Self::OfRequests(law) => {
                (size_for_means(design, (other - one) / law.scatter(), power)?, 1)
            }
            Self::OfUnits(share, _) => {
                (size_for_proportions(design, share * one, share * (other - one), power)?, 3)
            }
        };
        Some(2 * requests * each.ceil() as u64)
    }
}
