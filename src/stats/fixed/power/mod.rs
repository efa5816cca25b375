//! How many observations it takes, before they are there.

mod means;
mod projection;
mod proportions;
mod solve;

pub use means::{detectable_effect, power_of_means, size_for_means};
pub use projection::{StillNeeded, still_needed};
pub use proportions::{detectable_increase, power_of_proportions, size_for_proportions};

/// Which differences a test is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sides {
    /// Of the sign that is expected only.
    One,
    /// Of either sign.
    #[default]
    Two,
}

/// How a comparison is going to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Design {
    /// With which chance a difference may be found where there is none, between 0 and 1. Default
    /// 0.05.
    pub alpha: f64,
    /// In both directions, or one. Default both.
    pub sides: Sides,
    /// How many observations the control has for each of the treatment. Default 1.
    pub ratio: f64,
}

impl Default for Design {
    fn default() -> Self {
        Self { alpha: 0.05, sides: Sides::Two, ratio: 1.0 }
    }
}

/// The most observations of the treatment that are counted with.
const MOST: f64 = 1e15;

impl Design {
    /// The chance in the tail on the side of the difference.
    fn tail(&self) -> Option<f64> {
        let fit =
            self.alpha > 0.0 && self.alpha < 1.0 && self.ratio > 0.0 && self.ratio.is_finite();
        fit.then_some(match self.sides {
            Sides::One => self.alpha,
            Sides::Two => 0.5 * self.alpha,
        })
    }

    /// A power that more observations can reach: above alpha, which it has without a difference.
    fn reachable(&self, power: f64) -> bool {
        self.alpha < power && power < 1.0
    }

    /// The least observations of the treatment with which both sides have two.
    fn least(&self) -> f64 {
        (2.0 / self.ratio).max(2.0)
    }

    /// The least observations of the treatment with which a test has this `power`, from
    /// [`least`](Self::least) on; `None` beyond [`MOST`].
    fn size(&self, power: f64, of: impl Fn(f64) -> Option<f64>) -> Option<f64> {
        let least = self.least();
        // Rounding must not lead below the least.
        let short = |ln_size: f64| Some(of(ln_size.exp().max(least))? - power);
        if !self.reachable(power) || least > MOST {
            return None;
        }
        if of(least)? >= power {
            return Some(least);
        }
        Some(solve::rising(least.ln(), MOST.ln(), short)?.exp())
    }
}
