//! The value of a flag, as the type that was asked for.

use super::error;
use crate::config::{Config, nearest, path};
use open_feature::{EvaluationErrorCode, EvaluationResult, StructValue, Value};
use serde_json::{Map, Number, Value as Json};

/// Beyond this the integers of JSON are not exact in every language.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// A value of a config, and what it looks like without its secrets.
pub(super) struct Answer<'a> {
    key: &'a str,
    value: &'a Json,
    shown: Option<&'a Json>,
}

impl<'a> Answer<'a> {
    /// What is at `path` of the config; `key` is how it was asked for.
    pub(super) fn find(key: &'a str, config: &'a Config, path: &str) -> EvaluationResult<Self> {
        let value = path::find(config.value(), path).ok_or_else(|| missing(key, config, path))?;
        let answer = Self { key, value, shown: path::find(config.redacted(), path) };
        match is_secret(answer.value, answer.shown) {
            false => Ok(answer),
            true => {
                let message = format!(
                    "`{key}` is a secret, which no flag answers; read it from the config itself"
                );
                Err(error(EvaluationErrorCode::General("GENERAL".to_owned()), message))
            }
        }
    }

    pub(super) fn bool(self) -> EvaluationResult<bool> {
        self.value.as_bool().ok_or_else(|| self.mismatch("a boolean"))
    }

    /// `2.0` is the integer 2, as it is in the id of a config.
    pub(super) fn int(self) -> EvaluationResult<i64> {
        self.value.as_number().and_then(integer).ok_or_else(|| self.mismatch("an integer"))
    }

    pub(super) fn float(self) -> EvaluationResult<f64> {
        self.value.as_f64().ok_or_else(|| self.mismatch("a number"))
    }

    pub(super) fn string(self) -> EvaluationResult<String> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.mismatch("a string"))
    }

    pub(super) fn structure(self) -> EvaluationResult<StructValue> {
        match self.value {
            Json::Object(map) => structure(map, self.shown, self.key),
            _ => Err(self.mismatch("a map")),
        }
    }

    fn mismatch(&self, asked: &str) -> open_feature::EvaluationError {
        let is = match self.value {
            Json::Number(number) if integer(number).is_none() => "a number with a fraction",
            value => path::kind(value),
        };
        let hint = match self.value {
            Json::Array(_) => "; a list is answered within a map: ask for what it stands in",
            _ => "",
        };
        let message = format!("`{}` is {is}; {asked} was asked for{hint}", self.key);
        error(EvaluationErrorCode::TypeMismatch, message)
    }
}

/// A map or a list is no secret as a whole while some of it is shown.
fn is_secret(value: &Json, shown: Option<&Json>) -> bool {
    match (value, shown) {
        (Json::Object(_), Some(Json::Object(_))) | (Json::Array(_), Some(Json::Array(_))) => false,
        (value, shown) => shown != Some(value),
    }
}

fn integer(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let number = number.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= MAX_EXACT).then_some(number as i64)
    })
}

/// Without what has no place in it: secrets and nulls.
fn structure(
    map: &Map<String, Json>,
    shown: Option<&Json>,
    at: &str,
) -> EvaluationResult<StructValue> {
    let mut fields = StructValue::default();
    for (key, value) in map {
        let shown = shown.and_then(|shown| shown.get(key));
        if !value.is_null() && !is_secret(value, shown) {
            fields.add_field(key, converted(value, shown, &path::child(at, key))?);
        }
    }
    Ok(fields)
}

/// Numbers are what they are written as.
fn converted(value: &Json, shown: Option<&Json>, at: &str) -> EvaluationResult<Value> {
    Ok(match value {
        Json::Bool(is) => Value::Bool(*is),
        Json::String(text) => Value::String(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Int(integer),
            (None, Some(float)) => Value::Float(float),
            (None, None) => return Err(unanswerable(at, "a number beyond all floats")),
        },
        Json::Object(map) => Value::Struct(structure(map, shown, at)?),
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(place, item)| {
                let (shown, at) = (shown.and_then(|shown| shown.get(place)), path::item(at, place));
                // Left out, it would move all that follow.
                match is_secret(item, shown) {
                    true => Err(unanswerable(&at, "a secret")),
                    false => converted(item, shown, &at),
                }
            });
            Value::Array(items.collect::<EvaluationResult<_>>()?)
        }
        Json::Null => return Err(unanswerable(at, "null")),
    })
}

fn unanswerable(at: &str, what: &str) -> open_feature::EvaluationError {
    let message = format!("`{at}` is {what}, which a list of a flag cannot hold");
    error(EvaluationErrorCode::TypeMismatch, message)
}

/// Nothing is there: how far the path leads, and what may have been meant.
fn missing(key: &str, config: &Config, path: &str) -> open_feature::EvaluationError {
    let base = key.strip_suffix(path).unwrap_or(key).trim_end_matches('.');
    let (mut here, mut reached) = (config.value(), base.to_owned());
    let mut meant = String::new();
    for step in path::steps(path) {
        let next = match here {
            Json::Object(map) => map.get(&*step),
            Json::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(next) = next else {
            let keys = here.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
            if let Some(key) = nearest(&step, keys) {
                meant = format!("; did you mean `{}`?", path::child(&reached, key));
            }
            break;
        };
        reached = path::child(&reached, &step);
        here = next;
    }
    let (id, holds) = (config.id().short(), path::holds(here));
    let message = format!("`{key}`: not set in the config `{id}`; `{reached}` {holds}{meant}");
    error(EvaluationErrorCode::FlagNotFound, message)
}
