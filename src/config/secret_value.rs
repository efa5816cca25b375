//! A value that is a secret wherever it stands.

use super::REDACTED;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A value of the user's types that is never shown: `Debug`, `Display` and serialisation give
/// `[redacted]`; [`expose`](Self::expose) gives the value. It is read as a `T` is.
///
/// With the `schema` feature the schema of a `Secret` says `writeOnly`, so that the value is a
/// secret to whoever checks a config against it, whatever its key.
///
/// ```
/// use serde::Deserialize;
/// use serde_json::json;
/// use tower_spearmint::{Config, config::Secret};
///
/// #[derive(Debug, Deserialize)]
/// struct Llm { model: String, api_key: Secret<String> }
///
/// let llm: Llm = Config::new(json!({ "model": "small", "api_key": "k-1" }))?.bind("")?;
/// assert_eq!(llm.api_key.expose(), "k-1");
/// assert_eq!(format!("{llm:?}"), "Llm { model: \"small\", api_key: [redacted] }");
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, taken out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Secret_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let inner = generator.subschema_for::<T>();
        schemars::json_schema!({ "writeOnly": true, "allOf": [inner] })
    }
}
