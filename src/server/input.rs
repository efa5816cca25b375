//! The parameters of a call: JSON in the body, or the query of a `GET`, and parts of the path.

use super::error::ApiError;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The parameters of a call by name.
///
/// They follow the JSON of protocol buffers (<https://protobuf.dev/programming-guides/json>): a
/// 64-bit number may be a string, an absent field and `null` are the same, and unknown fields
/// are passed over.
#[derive(Debug, Default)]
pub(super) struct Input(Map<String, Value>);

impl Input {
    /// The body of a call; an empty one is no parameters.
    pub(super) fn of_body(body: &[u8]) -> Result<Self, ApiError> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(ApiError::invalid("Invalid request body: expected a JSON object.")),
            Err(error) => Err(ApiError::invalid(format!("Invalid JSON in request body: {error}."))),
        }
    }

    /// The query of a call; a name that stands several times is a list.
    pub(super) fn of_query(query: &str) -> Self {
        let mut map = Map::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = Value::String(value.into_owned());
            match map.get_mut(&*name) {
                None => {
                    map.insert(name.into_owned(), value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Self(map)
    }

    /// Adds a part of the path.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), Value::String(value));
    }

    /// All of them as `T`.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Result<T, ApiError> {
        let map = Value::Object(std::mem::take(&mut self.0));
        serde_path_to_error::deserialize(map).map_err(|error| {
            let path = error.path().to_string();
            ApiError::invalid(format!("Invalid value for parameter '{path}': {}", error.inner()))
        })
    }
}

/// The value of a parameter that must be there, and not be empty.
pub(super) fn required(value: Option<String>, name: &str) -> Result<String, ApiError> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| ApiError::missing(name))
}

/// A number, also one that is written as a string.
pub(super) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Float(f64),
        Text(String),
    }
    match Option::<Written>::deserialize(from)? {
        None => Ok(None),
        Some(Written::Number(number)) => Ok(Some(number)),
        Some(Written::Float(number)) if number.fract() == 0.0 && number.abs() < 2f64.powi(53) => {
            Ok(Some(number as i64))
        }
        Some(Written::Float(number)) => {
            Err(serde::de::Error::custom(format!("{number} is not a whole number")))
        }
        Some(Written::Text(text)) => text
            .trim()
            .parse()
            .map(Some)
            .map_err(|_| serde::de::Error::custom(format!("{text:?} is not a whole number"))),
    }
}

/// A list; one value alone, as a query has it, is a list of one.
pub(super) fn list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Written>::deserialize(from)? {
        None => Vec::new(),
        Some(Written::One(one)) => vec![one],
        Some(Written::Many(many)) => many,
    })
}
