//! A percentage of units, apart from everything else.

use super::{inside, sticky::Keyed};
use serde::Deserialize;

/// A percentage of units, chosen by a salt of its own: for rules of who is eligible.
///
/// ```
/// use tower_spearmint::assign::Percentage;
///
/// let some = Percentage::new("beta-2026", 12.5);
/// let count = (0..1_000).filter(|n| some.has(format!("user-{n}").as_bytes())).count();
/// assert_eq!(count, 117);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Text")]
pub struct Percentage {
    key: Keyed,
    share: f64,
}

impl Percentage {
    /// This percentage of all units, from 0 to 100 (values outside count as the nearest). Rules
    /// with the same salt choose the same units.
    pub fn new(salt: &str, percent: f64) -> Self {
        let key = Keyed::new("tower-spearmint percentage v1", salt);
        Self { key, share: (percent / 100.0).clamp(0.0, 1.0) }
    }

    /// Whether a unit is among them.
    pub fn has(&self, key: &[u8]) -> bool {
        inside(self.point(key), self.share)
    }

    pub(crate) fn point(&self, key: &[u8]) -> u64 {
        self.key.words(key)[0]
    }
}

/// A percentage of units.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// Rules with the same salt choose the same units.
    salt: String,
    /// From 0 to 100.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Percent"))]
    percent: f64,
}

#[cfg(feature = "schema")]
crate::config::schema::written::written_as!(Percentage, Text);

impl TryFrom<Text> for Percentage {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        if (0.0..=100.0).contains(&text.percent) {
            return Ok(Self::new(&text.salt, text.percent));
        }
        Err(format!("{} is not a percentage of units; write a number from 0 to 100", text.percent))
    }
}
