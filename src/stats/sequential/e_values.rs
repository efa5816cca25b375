//! Evidence as a number, and what is done with several of them.

/// How much the data speak against a null hypothesis, as the capital of one who bets against it and began with 1: if the
/// null hypothesis holds, its expectation is at most 1 whenever one stops, so that it ever
/// reaches `1 / alpha` with a probability of at most `alpha`.
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

    /// Whether the null hypothesis is rejected at this error probability; never if it is not between 0 and 1.
    pub fn rejects(&self, alpha: f64) -> bool {
        alpha > 0.0 && alpha < 1.0 && self.ln >= -alpha.ln()
    }

    /// The evidence of both together, of data that do not depend on each other (or where the later bet
    /// only depends on what came before): the product. None times infinite is none.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let ln = self.ln + other.ln;
        Self { ln: if ln.is_nan() { f64::NEG_INFINITY } else { ln } }
    }

    /// The evidence of all together, however they depend on each other: their mean (Vovk & Wang,
    /// *E-values: calibration, combination and applications*, arXiv 1912.06116, proposition 3.1). Of none: 1.
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
