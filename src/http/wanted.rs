//! What is wanted of a header or a cookie, as it is written in a file.

use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A value, or whether there is one.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(untagged))]
#[derive(Debug, Clone)]
pub(crate) enum WantedText {
    There(bool),
    Is(String),
}

impl<'de> Deserialize<'de> for WantedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = WantedText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the value as a text, or true or false for whether it is there,")
            }

            fn visit_bool<E>(self, is_there: bool) -> Result<WantedText, E> {
                Ok(WantedText::There(is_there))
            }

            fn visit_str<E>(self, value: &str) -> Result<WantedText, E> {
                Ok(WantedText::Is(value.to_owned()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}
