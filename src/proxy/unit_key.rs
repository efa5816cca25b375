//! Where the key of a unit is found.

use super::{
    headers::ClientAddr,
    target::header_name,
    visitor::{CookieText, Fresh, SetCookie},
};
use crate::{
    assign::UnitKey,
    config::{ConfigError, Document, canonical_json},
    http::{JsonBody, cookies::cookie, trace},
};
use http::{HeaderName, Request};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, IntoDeserializer as _,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use std::{borrow::Cow, fmt};

/// What tells units apart, and `salt` (the name of the experiment, if there is none) which of them
/// go where.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct UnitSettings {
    /// Two experiments with one salt draw alike [default: the name of the experiment].
    #[serde(default)]
    pub(super) salt: Option<String>,
    /// Where the key of a unit is found; of several sources, the first that is there counts.
    pub(super) key: UnitKeySources,
}

/// One source, or several: the first that is there counts.
#[derive(Debug, Clone)]
pub(super) struct UnitKeySources(Vec<UnitKeySource>);

/// Where the key of a unit is found, in a file.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum UnitKeySource {
    /// The value of this header.
    Header(String),
    /// The value of this cookie.
    Cookie(CookieText),
    /// A JSON pointer into the body.
    Json(String),
    /// A segment of the path, from 1.
    Path(usize),
    /// The caller's address.
    ClientAddress,
    /// Of `traceparent`.
    TraceId,
    /// A key of `baggage`.
    Baggage(String),
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for UnitKeySources {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "UnitKeySources".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let one = generator.subschema_for::<UnitKeySource>();
        schemars::json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

impl<'de> Deserialize<'de> for UnitKeySources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = UnitKeySources;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a source as in { header: x-user-id }, or a list of them,")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<UnitKeySources, E> {
                UnitKeySource::deserialize(text.into_deserializer())
                    .map(|s| UnitKeySources(vec![s]))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<UnitKeySources, A::Error> {
                UnitKeySource::deserialize(MapAccessDeserializer::new(map))
                    .map(|source| UnitKeySources(vec![source]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<UnitKeySources, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(UnitKeySources)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// The same, checked.
#[derive(Debug, Clone)]
pub(super) struct KeySource(Box<[Source]>);

#[derive(Debug, Clone)]
enum Source {
    Header(HeaderName),
    Cookie(String),
    Json(String),
    Path(usize),
    ClientAddress,
    TraceId,
    Baggage(String),
}

impl KeySource {
    /// `at`: the path of `sources` in the document.
    pub(super) fn new(
        document: &Document,
        at: &str,
        UnitKeySources(sources): &UnitKeySources,
    ) -> Result<Self, ConfigError> {
        if sources.is_empty() {
            return Err(document.error(at, "empty; name a source, as in { header: x-user-id }"));
        }
        let is_list = document.get(at).is_some_and(serde_json::Value::is_array);
        let sources = sources.iter().enumerate().map(|(position, source)| {
            let at = if is_list { format!("{at}[{position}]") } else { at.to_owned() };
            Ok(match source {
                UnitKeySource::Header(name) => {
                    Source::Header(header_name(document, &format!("{at}.header"), name)?)
                }
                UnitKeySource::Cookie(text) => {
                    text.check(document, &format!("{at}.cookie"))?;
                    Source::Cookie(text.name().to_owned())
                }
                UnitKeySource::Json(pointer)
                    if !pointer.is_empty() && !pointer.starts_with('/') =>
                {
                    let message = format!("`{pointer}` is not a JSON pointer; write `/{pointer}`");
                    return Err(document.error(&format!("{at}.json"), message));
                }
                UnitKeySource::Json(pointer) => Source::Json(pointer.clone()),
                UnitKeySource::Path(0) => {
                    let message = "segments count from 1: of /users/42 the second is 42";
                    return Err(document.error(&format!("{at}.path"), message));
                }
                UnitKeySource::Path(number) => Source::Path(*number),
                UnitKeySource::ClientAddress => Source::ClientAddress,
                UnitKeySource::TraceId => Source::TraceId,
                UnitKeySource::Baggage(key) => Source::Baggage(key.clone()),
            })
        });
        sources.collect::<Result<_, _>>().map(Self)
    }
}

impl UnitKeySources {
    /// Whether some source looks into the JSON body.
    pub(super) fn reads_json(&self) -> bool {
        self.0.iter().any(|source| matches!(source, UnitKeySource::Json(_)))
    }

    /// The cookie that is given to whoever has none, if one is.
    pub(super) fn set_cookie(&self) -> Option<SetCookie> {
        self.0.iter().find_map(|source| match source {
            UnitKeySource::Cookie(text) => text.set_cookie(),
            _ => None,
        })
    }
}

impl<B> UnitKey<Request<B>> for KeySource {
    fn unit_key<'a>(&self, request: &'a Request<B>) -> Option<Cow<'a, [u8]>> {
        // All who send an empty one are not one unit.
        self.0.iter().find_map(|source| source.key(request).filter(|key| !key.is_empty()))
    }
}

impl Source {
    fn key<'a, B>(&self, request: &'a Request<B>) -> Option<Cow<'a, [u8]>> {
        let (headers, extensions) = (request.headers(), request.extensions());
        let key = match self {
            Self::Header(name) => headers.get(name)?.as_bytes(),
            Self::Cookie(name) => match cookie(headers, name) {
                Some(value) if !value.is_empty() => value,
                _ => extensions.get::<Fresh>()?.of(name)?.as_bytes(),
            },
            Self::Json(pointer) => match extensions.get::<JsonBody>()?.pointer(pointer)? {
                serde_json::Value::String(text) => text.as_bytes(),
                // 42.0 is 42. An integer beyond 2^53 has no canonical form; its digits will do.
                value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
                    let text = canonical_json(value).unwrap_or_else(|_| value.to_string());
                    return Some(Cow::Owned(text.into_bytes()));
                }
                // A map or a list is nobody's name.
                _ => return None,
            },
            Self::Path(number) => request.uri().path().split('/').nth(*number)?.as_bytes(),
            Self::ClientAddress => {
                let ClientAddr(address) = extensions.get()?;
                let address = address.ip().to_canonical().to_string();
                return Some(Cow::Owned(address.into_bytes()));
            }
            Self::TraceId => trace::trace_id(headers)?,
            Self::Baggage(key) => {
                return Some(Cow::Owned(trace::baggage_value(headers, key)?.into_bytes()));
            }
        };
        Some(Cow::Borrowed(key))
    }
}
