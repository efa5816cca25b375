//! A rule as it is written in a file.

use super::{Node, Rule};
use crate::{
    assign::Percentage,
    http::{matches::Wanted, wanted::WantedText},
};
use http::{HeaderValue, Method};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which requests may take part; what stands beside each other must all hold.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RuleText {
    /// All of these hold.
    all: Vec<Rule>,
    /// At least one of these holds.
    any: Option<Vec<Rule>>,
    /// This does not hold.
    not: Option<Box<Rule>>,
    /// Headers by their values; `true` or `false`: whether one is there.
    header: BTreeMap<String, WantedText>,
    /// Cookies by their values; `true` or `false`: whether one is there.
    cookie: BTreeMap<String, WantedText>,
    /// One of these paths; a `*` at the end takes all that begin so.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::OneOrMany"))]
    #[serde(deserialize_with = "one_or_many")]
    path: Vec<String>,
    /// One of these methods.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::OneOrMany"))]
    #[serde(deserialize_with = "one_or_many")]
    method: Vec<String>,
    /// JSON pointers into the body (RFC 6901) and their values.
    json: BTreeMap<String, Value>,
    /// One of these methods of gRPC, as in `rank.Ranker/Rank` or `rank.Ranker/*`.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::OneOrMany"))]
    #[serde(deserialize_with = "one_or_many")]
    grpc_method: Vec<String>,
    /// A percentage of units.
    percentage: Option<Percentage>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "write a text, or a list of texts")]
    enum Text {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Text::deserialize(deserializer)? {
        Text::One(text) => vec![text],
        // Without this it would be as if nothing was asked.
        Text::Many(texts) if texts.is_empty() => {
            return Err(de::Error::custom("empty; no request would fit"));
        }
        Text::Many(texts) => texts,
    })
}

impl TryFrom<RuleText> for Rule {
    type Error = String;

    fn try_from(text: RuleText) -> Result<Self, String> {
        let mut rules = text.all;
        if let Some(any) = text.any {
            if any.is_empty() {
                return Err("`any` is empty; no request would fit".to_owned());
            }
            rules.push(Self::any(any));
        }
        rules.extend(text.not.map(|rule| Self(Node::Not(rule))));
        for (name, wanted) in text.header {
            let parsed = name.parse().map_err(|_| format!("`{name}` is not a header's name"))?;
            let wanted = match wanted {
                WantedText::There(true) => Wanted::There,
                WantedText::There(false) => Wanted::NotThere,
                WantedText::Is(value) => Wanted::Is(
                    HeaderValue::from_str(&value)
                        .map_err(|_| format!("the value of `{name}` cannot be in a header"))?,
                ),
            };
            rules.push(Self(Node::Header(parsed, wanted)));
        }
        for (name, wanted) in text.cookie {
            let wanted = match wanted {
                WantedText::There(there) => Err(there),
                WantedText::Is(value) => Ok(value),
            };
            rules.push(Self(Node::Cookie(name, wanted)));
        }
        for path in &text.path {
            if !path.starts_with('/') && path != "*" {
                return Err(format!(
                    "`{path}` does not begin with a slash; write it as in /rank or /v2/*"
                ));
            }
        }
        rules.extend(one_of(text.path.into_iter().map(Self::path)));
        let methods = text.method.into_iter().map(|name| match name.parse::<Method>() {
            Ok(method) if name == name.to_ascii_uppercase() => Ok(Self::method(method)),
            _ => Err(format!("`{name}` is not a method; write it as in GET, POST")),
        });
        rules.extend(one_of(methods.collect::<Result<Vec<_>, _>>()?));
        for (pointer, value) in text.json {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return Err(format!("`{pointer}` is not a JSON pointer; write `/{pointer}`"));
            }
            rules.push(Self::json(pointer, value));
        }
        for method in &text.grpc_method {
            if method.starts_with('/') || !method.contains('/') {
                return Err(format!(
                    "`{method}` is not a gRPC method; write it as in rank.Ranker/Rank or rank.Ranker/*"
                ));
            }
        }
        rules.extend(one_of(text.grpc_method.into_iter().map(Self::grpc_method)));
        rules.extend(text.percentage.map(Self::percentage));
        Ok(Self::all(rules))
    }
}

/// One of these, if there are any.
fn one_of(rules: impl IntoIterator<Item = Rule>) -> Option<Rule> {
    let rules: Vec<_> = rules.into_iter().collect();
    (!rules.is_empty()).then(|| Rule::any(rules))
}
