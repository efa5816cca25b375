//! Whether two arms had the same requests.

/// How the requests of two arms belong together, and with them what speaks for and against either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// Each went to one arm only: what is seen of one arm does not depend on the other.
    Apart,
    /// Each went to both, as with a shadow: if one is slow, so is the other, as a rule.
    Shared,
}

impl Requests {
    /// What speaks against both of two hypotheses, each about an arm, as a logarithm: the product
    /// of what speaks against either; or, if they may depend on each other in any way, the mean.
    pub(super) fn together(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Apart => one + other,
            Self::Shared => {
                let larger = one.max(other);
                if larger.is_infinite() {
                    return larger;
                }
                larger + (0.5 * ((one - larger).exp() + (other - larger).exp())).ln()
            }
        }
    }

    /// So much must speak against one alone that both together come to `enough`, if what speaks
    /// against the other is at least `other`; or a little more.
    pub(super) fn alone(self, enough: f64, other: f64) -> f64 {
        match self {
            Self::Apart => enough - other,
            Self::Shared => enough + std::f64::consts::LN_2,
        }
    }
}
