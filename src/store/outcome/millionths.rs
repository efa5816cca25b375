//! Numbers that add up exactly.

/// The largest value, and the most that one unit counts for.
const MAX: i64 = 1_000_000_000 * ONE;
/// One, in millionths.
const ONE: i64 = 1_000_000;

/// A whole number of millionths: however they are added up, the sum is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Millionths(pub(super) i64);

impl Millionths {
    /// # Errors
    ///
    /// What is wrong with the value.
    pub(super) fn of(value: f64) -> Result<Self, String> {
        if !value.is_finite() {
            return Err(format!("the value {value} is no number"));
        }
        let scaled = (value * ONE as f64).round();
        if scaled.abs() > MAX as f64 {
            return Err(format!(
                "the value {value} is beyond ±10⁹; count in a larger unit (thousands, say)"
            ));
        }
        if scaled == 0.0 && value != 0.0 {
            return Err(format!(
                "the value {value} is less than a millionth; count in a smaller unit"
            ));
        }
        Ok(Self(scaled as i64))
    }

    /// What the total of a unit counts for in a mean.
    pub(super) fn counted(total: i64) -> i128 {
        i128::from(total.clamp(-MAX, MAX))
    }

    pub(super) fn to_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_to_the_millionth() {
        assert_eq!(Millionths::of(19.9), Ok(Millionths(19_900_000)));
        assert_eq!(Millionths::of(-0.000_001_4), Ok(Millionths(-1)));
        assert_eq!(Millionths::of(0.0), Ok(Millionths(0)));
        assert_eq!(Millionths(19_900_000).to_f64(), 19.9);
        for (value, reason) in [
            (
                1e9 + 1.0,
                "the value 1000000001 is beyond ±10⁹; count in a larger unit (thousands, say)",
            ),
            (4e-7, "the value 0.0000004 is less than a millionth; count in a smaller unit"),
            (f64::INFINITY, "the value inf is no number"),
        ] {
            assert_eq!(Millionths::of(value), Err(reason.to_owned()));
        }
    }

    #[test]
    fn one_unit_counts_for_a_billion_at_most() {
        assert_eq!(Millionths::counted(i64::MAX), 1_000_000_000_000_000);
        assert_eq!(Millionths::counted(-5), -5);
    }
}
