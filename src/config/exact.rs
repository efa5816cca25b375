//! When two numbers are one.

use serde_json::Number;

/// A number such that equal ones are the same: integers of 64 bits are exact, and so is a float
/// that is one of them. Larger integers were rounded to a double when they were read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Exact {
    Integer(i128),
    Float(f64),
}

impl Exact {
    pub(crate) fn of(number: &Number) -> Self {
        if let Some(integer) = number.as_i64() {
            return Self::Integer(integer.into());
        }
        if let Some(integer) = number.as_u64() {
            return Self::Integer(integer.into());
        }
        let float = number.as_f64().unwrap_or(f64::INFINITY);
        // Every whole float of this size is an `i128`, so the cast is exact.
        let whole = float.fract() == 0.0 && float.abs() < 1e38;
        if whole { Self::Integer(float as i128) } else { Self::Float(float) }
    }

    pub(crate) const fn float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}
