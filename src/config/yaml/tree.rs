//! The nodes of a text, each with its place, and the pinned typing of scalars.

use crate::config::{
    ConfigError, Origin, Spot,
    document::{Trace, check_number, text::syntax},
    path::Trail,
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::{fmt, sync::Arc};

struct Reader<'a> {
    text: &'a str,
    place: &'a Arc<str>,
}

impl Tree {
    /// The value of a document, and where each part of it was written.
    pub(super) fn read(self, text: &str, place: &Arc<str>) -> Result<(Value, Trace), ConfigError> {
        Reader { text, place }.value(self, &Trail::Top, None)
    }
}

impl Reader<'_> {
    /// `key`: where the key of a map or list stands. A block map begins at its first key; its own
    /// key is more telling.
    fn value(
        &self,
        Tree(node): Tree,
        path: &Trail<'_>,
        key: Option<Spot>,
    ) -> Result<(Value, Trace), ConfigError> {
        let location = node.defined;
        let spot = Spot { line: location.line(), column: location.column() };
        let origin = |spot| Origin::File { place: self.place.clone(), spot };
        let raw = location
            .span()
            .byte_offset()
            .zip(location.span().byte_len())
            .and_then(|(start, len)| self.text.get(start as usize..(start + len) as usize));
        let value = match node.value {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Text(text) => Value::String(text),
            Kind::Integer(number) => {
                self.check_plain(raw, spot, path)?;
                Value::Number(number)
            }
            Kind::Float(float) => {
                self.check_plain(raw, spot, path)?;
                let number = Number::from_f64(float).ok_or_else(|| {
                    syntax(self.place, spot, format!("`{path}`: {float} is not a finite number"))
                })?;
                Value::Number(number)
            }
            Kind::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                let mut traces = Vec::with_capacity(items.len());
                for (at, item) in items.into_iter().enumerate() {
                    let (item, trace) = self.value(item, &Trail::Item(path, at), None)?;
                    list.push(item);
                    traces.push(trace);
                }
                let trace = Trace::list(origin(key.unwrap_or(spot)), traces);
                return Ok((Value::Array(list), trace));
            }
            Kind::Map(entries) => {
                let mut map = Map::new();
                let mut traces = Vec::with_capacity(entries.len());
                for (key, item) in entries {
                    let at = Spot { line: key.defined.line(), column: key.defined.column() };
                    let (item, trace) =
                        self.value(item, &Trail::Key(path, &key.value), Some(at))?;
                    traces.push((key.value.as_str().into(), trace));
                    map.insert(key.value, item);
                }
                let trace = Trace::map(origin(key.unwrap_or(spot)), traces);
                return Ok((Value::Object(map), trace));
            }
        };
        Ok((value, Trace::whole(origin(spot))))
    }

    /// A number must be written so that every YAML reader takes it for the same number.
    fn check_plain(
        &self,
        raw: Option<&str>,
        spot: Spot,
        path: &Trail<'_>,
    ) -> Result<(), ConfigError> {
        let Some(raw) = raw.map(str::trim) else { return Ok(()) };
        check_number(raw)
            .map_err(|message| syntax(self.place, spot, format!("`{path}`: {message}")))
    }
}

/// A node of the text with its place.
pub(super) struct Tree(Spanned<Kind>);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

enum Kind {
    Null,
    Bool(bool),
    Integer(Number),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Spanned<String>, Tree)>),
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Map(entries))
    }
}
