//! The parameters of a call: JSON in the body, or the query of a `GET`, and parts of the path.

mod number;

use super::error::ApiError;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The parameters of a call by name.
///
/// They follow the JSON of protocol buffers (<https://protobuf.dev/programming-guides/json>): a
/// 64-bit number may be a string, an absent field and `null` are the same, and unknown fields
/// are passed over.
#[derive(Debug)]
pub(super) enum Input {
    /// JSON as it came, until it is known what is wanted of it.
    Body(Bytes),
    Map(Map<String, Value>),
}

impl Default for Input {
    fn default() -> Self {
        Self::Map(Map::new())
    }
}

impl Input {
    /// The body of a call; an empty one is no parameters.
    pub(super) fn of_body(body: Bytes) -> Self {
        if body.trim_ascii().is_empty() { Self::default() } else { Self::Body(body) }
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
        Self::Map(map)
    }

    /// Adds a part of the path.
    pub(super) fn set(&mut self, name: &str, value: String) -> Result<(), ApiError> {
        if let Self::Body(body) = self {
            *self = Self::Map(match serde_json::from_slice(body) {
                Ok(Value::Object(map)) => map,
                Ok(_) => return Err(not_an_object()),
                Err(error) => return Err(not_json(&error)),
            });
        }
        if let Self::Map(map) = self {
            map.insert(name.to_owned(), Value::String(value));
        }
        Ok(())
    }

    /// All of them as `T`.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Result<T, ApiError> {
        match std::mem::take(self) {
            Self::Map(map) => serde_path_to_error::deserialize(Value::Object(map))
                .map_err(|error| invalid_at(error.path(), error.inner())),
            Self::Body(body) => {
                serde_json::from_slice(&body).map_err(|error| explain::<T>(&body, &error))
            }
        }
    }
}

/// What is wrong with a body that could not be read, and where. Looking costs more than reading
/// did, so it is done only now.
fn explain<T: DeserializeOwned>(body: &[u8], error: &serde_json::Error) -> ApiError {
    match serde_json::from_slice::<Value>(body) {
        Err(error) => not_json(&error),
        Ok(value @ Value::Object(_)) => match serde_path_to_error::deserialize::<_, T>(value) {
            Err(error) => invalid_at(error.path(), error.inner()),
            // A name that stands twice, say.
            Ok(_) => ApiError::invalid(format!("Invalid request body: {error}.")),
        },
        Ok(_) => not_an_object(),
    }
}

fn not_an_object() -> ApiError {
    ApiError::invalid("Invalid request body: expected a JSON object.")
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::invalid(format!("Invalid JSON in request body: {error}."))
}

fn invalid_at(path: &serde_path_to_error::Path, error: &serde_json::Error) -> ApiError {
    ApiError::invalid(format!("Invalid value for parameter '{path}': {error}"))
}

/// The value of a parameter that must be there, and not be empty.
pub(super) fn required(value: Option<String>, name: &str) -> Result<String, ApiError> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| ApiError::missing(name))
}

/// A number, also one that is written as a string.
pub(super) fn int<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    from.deserialize_option(number::Int)
}

/// A number, also one that is written as a string; `NaN`, `Infinity` and `-Infinity` are.
pub(super) fn float<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    from.deserialize_option(number::Float)
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
