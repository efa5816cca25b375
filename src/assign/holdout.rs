//! Units that take part in no experiment.

use super::{inside, sticky::Keyed};
use serde::Deserialize;
use serde_json::{Value, json};

/// Units that take part in no experiment which names the same hold-out: what all experiments
/// together do is seen against them.
///
/// In a file: `holdout: { salt: global, share: 0.05 }`.
///
/// ```
/// use tower_spearmint::assign::Holdout;
///
/// let holdout = Holdout::new("global", 0.05);
/// let held = (0..1_000).filter(|n| holdout.holds(format!("user-{n}").as_bytes())).count();
/// assert_eq!(held, 52);
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "HoldoutText")]
pub struct Holdout {
    salt: String,
    key: Keyed,
    share: f64,
}

impl Holdout {
    /// Holds out this share of all units, from 0 to 1 (values outside count as the nearest).
    /// Experiments with the same salt hold out the same units.
    pub fn new(salt: &str, share: f64) -> Self {
        let key = Keyed::new("tower-spearmint holdout v1", salt);
        Self { salt: salt.to_owned(), key, share: share.clamp(0.0, 1.0) }
    }

    /// Whether a unit is held out.
    pub fn holds(&self, key: &[u8]) -> bool {
        self.has(self.point(key))
    }

    pub(crate) fn point(&self, key: &[u8]) -> u64 {
        self.key.words(key)[0]
    }

    pub(crate) fn has(&self, point: u64) -> bool {
        inside(point, self.share)
    }

    pub(crate) const fn share(&self) -> f64 {
        self.share
    }

    pub(crate) fn rules(&self) -> Value {
        json!({ "salt": self.salt, "share": self.share })
    }
}

/// Units that take part in no experiment with the same hold-out.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldoutText {
    /// Experiments with the same salt hold out the same units.
    salt: String,
    /// The share of all units that is held out.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Share"))]
    share: f64,
}

#[cfg(feature = "schema")]
crate::config::schema::written::written_as!(Holdout, HoldoutText);

impl TryFrom<HoldoutText> for Holdout {
    type Error = String;

    fn try_from(text: HoldoutText) -> Result<Self, String> {
        if (0.0..=1.0).contains(&text.share) {
            return Ok(Self::new(&text.salt, text.share));
        }
        Err(format!("{} is not a share of units; write a number from 0 to 1", text.share))
    }
}
