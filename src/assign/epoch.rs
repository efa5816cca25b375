//! The version of weights and rules.

use crate::config::{Config, canonical_json};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::{Map, Value};
use std::fmt;

/// The version of the weights and rules by which an experiment assigns.
///
/// The fingerprint depends on nothing but those rules and is the same on every replica; the number
/// counts how often another file, or another layer, came into use since the process started. Branches of different fingerprints
/// were assigned differently: do not pool them.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::assign::Epoch;
///
/// let first = Epoch::of(&json!({ "weights": [9, 1] }));
/// assert_eq!(first.to_string(), "1-afbe801e86ef3ebe");
/// let same = Epoch::of(&json!({ "weights": [9.0, 1.0] })).following(first);
/// assert_eq!((same.number(), same.fingerprint()), (2, first.fingerprint()));
/// assert_ne!(Epoch::of(&json!({ "weights": [1, 1] })).fingerprint(), first.fingerprint());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch {
    number: u64,
    fingerprint: u64,
}

impl Epoch {
    /// The first epoch under these rules. The fingerprint is the first eight bytes of the BLAKE3
    /// hash of their canonical JSON (RFC 8785), big-endian.
    pub fn of(rules: &Value) -> Self {
        // An integer beyond 2^53 has no canonical form; its digits will do.
        let text = canonical_json(rules).unwrap_or_else(|_| rules.to_string());
        let hash = blake3::hash(text.as_bytes());
        let fingerprint =
            hash.as_bytes()[..8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        Self { number: 1, fingerprint }
    }

    /// The first epoch of a strategy over these configs, under rules of its own.
    pub(crate) fn of_rules<'a>(
        strategy: &str,
        configs: impl Iterator<Item = &'a Config>,
        mut rules: Map<String, Value>,
    ) -> Self {
        let ids: Vec<_> = configs.map(|config| config.id().as_str()).collect();
        rules.insert("strategy".to_owned(), Value::from(strategy));
        rules.insert("configs".to_owned(), Value::from(ids));
        Self::of(&Value::Object(rules))
    }

    /// An epoch as it was recorded.
    pub const fn recorded(number: u64, fingerprint: u64) -> Self {
        Self { number, fingerprint }
    }

    /// This epoch as the one after `previous`: its number is one higher.
    #[must_use]
    pub const fn following(mut self, previous: Self) -> Self {
        self.number = previous.number.saturating_add(1);
        self
    }

    /// The number, from 1: how many epochs this process has seen.
    pub const fn number(self) -> u64 {
        self.number
    }

    /// What the rules come to: equal on every replica that assigns by the same rules.
    pub const fn fingerprint(self) -> u64 {
        self.fingerprint
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.number, self.fingerprint)
    }
}

impl Serialize for Epoch {
    /// The fingerprint as 16 hexadecimal digits: not every reader of JSON holds 64 bits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut epoch = serializer.serialize_struct("Epoch", 2)?;
        epoch.serialize_field("number", &self.number)?;
        epoch.serialize_field("fingerprint", &format!("{:016x}", self.fingerprint))?;
        epoch.end()
    }
}

#[cfg(feature = "store")]
impl<'de> serde::Deserialize<'de> for Epoch {
    /// As it is serialised.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Fields {
            number: u64,
            fingerprint: String,
        }
        let Fields { number, fingerprint } = Fields::deserialize(deserializer)?;
        let fingerprint =
            u64::from_str_radix(&fingerprint, 16).map_err(serde::de::Error::custom)?;
        Ok(Self { number, fingerprint })
    }
}
