//! Evidence as a number, and what is done with several of them.

use crate::stats::Interval;

/// How much the data speak against a null hypothesis, as the capital of one who bets against it and
/// began with 1: if the null hypothesis holds, its expectation is at most 1 whenever one stops, so
/// that it ever reaches `1 / alpha` with a probability of at most `alpha`.
///
/// Kept as a logarithm, for it easily exceeds what a float can hold.
///
/// ```
/// use tower_spearmint::stats::sequential::EValue;
///
/// let evidence = EValue::from_ln(3.5).unwrap();
/// assert!(evidence.rejects(0.05) && !evidence.rejects(0.01));
/// assert!((evidence.p_value() - 0.0302).abs() < 1e-4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct EValue {
    ln: f64,
}

impl EValue {
    /// No evidence for or against.
    pub const ONE: Self = Self { ln: 0.0 };

    /// What cannot be under the null hypothesis has been seen.
    pub const INFINITE: Self = Self { ln: f64::INFINITY };

    /// With this natural logarithm; `None` if that is not a number.
    pub fn from_ln(ln: f64) -> Option<Self> {
        (!ln.is_nan()).then_some(Self { ln })
    }

    /// Its natural logarithm, which may be infinite.
    pub fn ln(&self) -> f64 {
        self.ln
    }

    /// Itself; infinite from about e⁷⁰⁹ on.
    pub fn value(&self) -> f64 {
        self.ln.exp()
    }

    /// The anytime-valid p-value that goes with it: `min(1, 1 / e)`.
    pub fn p_value(&self) -> f64 {
        (-self.ln).exp().min(1.0)
    }

    /// Whether the null hypothesis is rejected at this error probability; never if it is not
    /// between 0 and 1.
    pub fn rejects(&self, alpha: f64) -> bool {
        alpha > 0.0 && alpha < 1.0 && self.ln >= -alpha.ln()
    }

    /// The evidence of both together, of data that do not depend on each other (or where the later
    /// bet only depends on what came before): the product. None times infinite is none.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let ln = self.ln + other.ln;
        Self { ln: if ln.is_nan() { f64::NEG_INFINITY } else { ln } }
    }

    /// The evidence of all together, however they depend on each other: their mean (Vovk & Wang,
    /// *E-values: calibration, combination and applications*, arXiv 1912.06116). Of none: 1.
    ///
    /// ```
    /// use tower_spearmint::stats::sequential::EValue;
    ///
    /// let e = |value: f64| EValue::from_ln(value.ln()).unwrap();
    /// assert!((EValue::mean(&[e(1.0), e(29.0), e(30.0)]).value() - 20.0).abs() < 1e-9);
    /// ```
    pub fn mean(of: &[Self]) -> Self {
        let largest = of.iter().fold(f64::NEG_INFINITY, |largest, e| largest.max(e.ln));
        if of.is_empty() {
            return Self::ONE;
        }
        if largest.is_infinite() {
            return Self { ln: largest };
        }
        let sum: f64 = of.iter().map(|e| (e.ln - largest).exp()).sum();
        Self { ln: largest + (sum / of.len() as f64).ln() }
    }
}

/// The part of `alpha` that each of so many questions gets, so that with a probability of
/// `1 − alpha` none of all is answered wrongly (Bonferroni): for each arm and each metric that is
/// to decide. With no questions, all of it; `None` if `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::e_values::share_of;
///
/// // Two candidates, and error rate, latency and quality of each.
/// assert_eq!(share_of(0.06, 2 * 3), Some(0.01));
/// ```
pub fn share_of(alpha: f64, questions: usize) -> Option<f64> {
    Some(super::checked(alpha)? / questions.max(1) as f64)
}

/// Which of the null hypotheses are rejected, by position, if of all that are, the share of those
/// that hold is to be at most `alpha` in expectation: the e-BH procedure, which allows for any
/// dependence between them (Wang & Ramdas, *False discovery rate control with e-values*, JRSS B
/// 84(3), 2022, arXiv 2009.02824).
///
/// Those with the `k` largest e-values of all `n`, for the largest `k` for which each of them is at
/// least `n / (k alpha)`. None, if `alpha` is not between 0 and 1.
///
/// ```
/// use tower_spearmint::stats::sequential::{EValue, e_values::discoveries};
///
/// let e = |value: f64| EValue::from_ln(value.ln()).unwrap();
/// assert_eq!(discoveries(&[e(45.0), e(1.0), e(60.0), e(0.2)], 0.05), [0, 2]);
/// ```
pub fn discoveries(of: &[EValue], alpha: f64) -> Vec<usize> {
    let Some(alpha) = super::checked(alpha) else { return Vec::new() };
    let mut by_size: Vec<usize> = (0..of.len()).collect();
    by_size.sort_by(|one, other| of[*other].ln.total_cmp(&of[*one].ln));
    let enough = |k: usize| of[by_size[k - 1]].ln >= (of.len() as f64 / (k as f64 * alpha)).ln();
    let found = (1..=of.len()).rev().find(|k| enough(*k)).unwrap_or(0);
    by_size.truncate(found);
    by_size.sort_unstable();
    by_size
}

/// The intersection of all intervals of a confidence sequence that were read so far: it contains
/// the truth with the same probability as all of them together, and never widens again.
///
/// ```
/// use tower_spearmint::stats::{Interval, sequential::e_values::Running};
///
/// let mut running = Running::default();
/// running.narrow(Interval { low: -1.0, high: 2.0 });
/// assert_eq!(running.narrow(Interval { low: 0.5, high: 3.0 }), Some(Interval { low: 0.5, high: 2.0 }));
/// // What is asked has changed meanwhile: no single value fits all that was read.
/// assert_eq!(running.narrow(Interval { low: 4.0, high: 5.0 }), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Running {
    left: Option<Interval>,
}

impl Default for Running {
    fn default() -> Self {
        Self { left: Some(Interval::EVERYTHING) }
    }
}

impl Running {
    /// Takes the interval that is read now, and answers what is left: `None`, and so for ever, once
    /// that is nothing. That has a probability of at most `alpha`, unless what is estimated does
    /// not stay the same: then begin again, from data since the change.
    pub fn narrow(&mut self, now: Interval) -> Option<Interval> {
        self.left = self.left.and_then(|left| left.intersect(&now));
        self.left
    }

    /// What is left.
    pub fn left(&self) -> Option<Interval> {
        self.left
    }
}
