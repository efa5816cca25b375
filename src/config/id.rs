//! The identity of a config.

use super::{ConfigError, path};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// The stable identity of a config: the user's `config_id`, or else the BLAKE3 hash (64 hex
/// digits) of its canonical JSON. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfigId(Arc<str>);

impl ConfigId {
    pub(crate) fn named(id: &str) -> Self {
        Self(id.into())
    }

    /// What stands under `config_id`, if anything does.
    pub(crate) fn own(value: Option<&Value>) -> Result<Option<Self>, ConfigError> {
        match value {
            None => Ok(None),
            Some(Value::String(id)) if !id.trim().is_empty() => Ok(Some(Self(id.as_str().into()))),
            // Something in it may be a secret.
            Some(other @ (Value::Array(_) | Value::Object(_))) => {
                Err(ConfigError::BadId { found: path::kind(other).to_owned() })
            }
            Some(other) => Err(ConfigError::BadId { found: other.to_string() }),
        }
    }

    pub(crate) fn of_canonical(canonical: &str) -> Self {
        Self(blake3::hash(canonical.as_bytes()).to_hex().as_str().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id for people: a content hash is cut to its first 12 digits, a name is whole.
    pub fn short(&self) -> &str {
        let is_hash = self.0.len() == 64 && self.0.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash { &self.0[..12] } else { &self.0 }
    }
}

impl std::borrow::Borrow<str> for ConfigId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConfigId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConfigId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl serde::Serialize for ConfigId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "store")]
impl<'de> serde::Deserialize<'de> for ConfigId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|id| Self(id.into()))
    }
}
