//! When two numbers count as one.

use crate::config::Exact;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Number, Value};

/// How far two numbers may be apart and still count as equal: `|a − b| ≤ absolute`, or
/// `|a − b| ≤ relative · max(|a|, |b|)`. Without one, they must be the same number; 1 and 1.0 are.
///
/// In a file: `{ absolute: 0.01, relative: 1e-6 }`, or a number, which is the absolute one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tolerance {
    absolute: f64,
    relative: f64,
}

impl Tolerance {
    /// None: the same number.
    pub const EXACT: Self = Self { absolute: 0.0, relative: 0.0 };

    /// So far apart, whatever their size. Not a number, or less than zero, is none.
    #[must_use]
    pub const fn absolute(absolute: f64) -> Self {
        Self::EXACT.or_absolute(absolute)
    }

    /// This share of the larger one. Not a number, or less than zero, is none.
    #[must_use]
    pub const fn relative(relative: f64) -> Self {
        Self::EXACT.or_relative(relative)
    }

    /// Also equal if they are `absolute` apart.
    #[must_use]
    pub const fn or_absolute(self, absolute: f64) -> Self {
        Self { absolute: if absolute > 0.0 { absolute } else { 0.0 }, ..self }
    }

    /// Also equal if they are this share of the larger one apart.
    #[must_use]
    pub const fn or_relative(self, relative: f64) -> Self {
        Self { relative: if relative > 0.0 { relative } else { 0.0 }, ..self }
    }

    pub(super) fn is_exact(self) -> bool {
        self == Self::EXACT
    }

    /// Whether `a` and `b` count as one number.
    pub(super) fn covers(self, a: &Number, b: &Number) -> bool {
        self.spans(Exact::of(a), Exact::of(b))
    }

    pub(super) fn spans(self, a: Exact, b: Exact) -> bool {
        if a == b {
            return true;
        }
        if self.is_exact() {
            return false;
        }
        let distance = match (a, b) {
            (Exact::Integer(a), Exact::Integer(b)) => a.abs_diff(b) as f64,
            _ => (a.float() - b.float()).abs(),
        };
        let larger = a.float().abs().max(b.float().abs());
        distance.is_finite() && (distance <= self.absolute || distance <= self.relative * larger)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Tolerance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tolerance".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["number", "object"],
            "description": "A number, which is the absolute one, or both.",
            "minimum": 0,
            "properties": {
                "absolute": {
                    "type": "number",
                    "minimum": 0,
                    "description": "How far apart, whatever their size.",
                },
                "relative": {
                    "type": "number",
                    "minimum": 0,
                    "description": "The share of the larger one.",
                },
            },
            "additionalProperties": false,
        })
    }
}

impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = Value::deserialize(deserializer)?;
        let part = |found: &Value| found.as_f64().filter(|part| *part >= 0.0 && part.is_finite());
        let wrong = || {
            de::Error::custom(format!(
                "`{found}` is not a tolerance; write a number from 0, or {{ absolute: 0.01, \
                 relative: 1e-6 }}"
            ))
        };
        match &found {
            Value::Object(map) => {
                let mut tolerance = Self::EXACT;
                for (key, value) in map {
                    let value = part(value).ok_or_else(wrong)?;
                    match key.as_str() {
                        "absolute" => tolerance.absolute = value,
                        "relative" => tolerance.relative = value,
                        _ => return Err(wrong()),
                    }
                }
                Ok(tolerance)
            }
            number => part(number).map(Self::absolute).ok_or_else(wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn covers(tolerance: Tolerance, a: &str, b: &str) -> bool {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        let (a, b) = (number(a), number(b));
        assert_eq!(tolerance.covers(&a, &b), tolerance.covers(&b, &a));
        tolerance.covers(&a, &b)
    }

    #[test]
    fn one_number_has_many_spellings_and_large_integers_are_exact() {
        for (a, b) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("0", "-0.0"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert!(covers(Tolerance::EXACT, a, b), "{a} {b}");
        }
        for (a, b) in [
            ("1", "1.0000000000000002"),
            ("9007199254740993", "9007199254740992"),
            ("9007199254740993", "9007199254740992.0"),
            ("18446744073709551615", "18446744073709551614"),
            ("-9223372036854775808", "-9223372036854775807"),
            ("1e308", "-1e308"),
        ] {
            assert!(!covers(Tolerance::EXACT, a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_tolerance_is_absolute_or_relative_and_its_edge_counts_as_equal() {
        let absolute = Tolerance::absolute(0.5);
        assert!(covers(absolute, "1", "1.5") && !covers(absolute, "1", "1.500001"));
        let relative = Tolerance::relative(0.1);
        assert!(covers(relative, "100", "90") && !covers(relative, "100", "89.9"));
        assert!(!covers(relative, "0", "1e-300"));
        assert!(covers(relative.or_absolute(1e-9), "0", "1e-300"));
        assert!(!covers(Tolerance::relative(0.1), "1e308", "-1e308"));
        assert!(covers(Tolerance::absolute(1.0), "18446744073709551615", "18446744073709551614"));
    }

    #[test]
    fn a_file_says_a_number_or_both_parts() {
        let read = |value| serde_json::from_value::<Tolerance>(value);
        assert_eq!(read(json!(1e-6)).unwrap(), Tolerance::absolute(1e-6));
        assert_eq!(
            read(json!({ "absolute": 1, "relative": 0.5 })).unwrap(),
            Tolerance::absolute(1.0).or_relative(0.5)
        );
        for wrong in [json!(-1), json!("a"), json!({ "abs": 1 }), json!({ "relative": -0.1 })] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("is not a tolerance; write a number from 0"), "{error}");
        }
    }
}
