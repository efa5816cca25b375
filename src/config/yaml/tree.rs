//! The nodes of a text, each with its place, and the pinned typing of scalars.

use super::{Spot, document::syntax, parse::shortened};
use crate::config::{ConfigError, path};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::{collections::HashMap, fmt};

/// What is read so far of one document.
struct Reader<'a> {
    text: &'a str,
    place: &'a str,
    spots: HashMap<String, Spot>,
}

impl Tree {
    /// The value of a document, and where each part of it was written.
    pub(super) fn read(
        self,
        text: &str,
        place: &str,
    ) -> Result<(Value, HashMap<String, Spot>), ConfigError> {
        let mut reader = Reader { text, place, spots: HashMap::new() };
        let value = reader.value(self, "")?;
        Ok((value, reader.spots))
    }
}

impl Reader<'_> {
    fn value(&mut self, Tree(node): Tree, path: &str) -> Result<Value, ConfigError> {
        let location = node.defined;
        let spot = Spot { line: location.line(), column: location.column() };
        // A block map begins at its first key; a key's spot, set by the parent, is more telling.
        self.spots.entry(path.to_owned()).or_insert(spot);
        let raw = location
            .span()
            .byte_offset()
            .zip(location.span().byte_len())
            .and_then(|(start, len)| self.text.get(start as usize..(start + len) as usize));
        Ok(match node.value {
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
                for (at, item) in items.into_iter().enumerate() {
                    list.push(self.value(item, &format!("{path}[{at}]"))?);
                }
                Value::Array(list)
            }
            Kind::Map(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    let path = path::join(path, &key.value);
                    let Tree(inner) = &item;
                    let is_block = matches!(inner.value, Kind::Map(_) | Kind::List(_));
                    let at = if is_block { key.defined } else { inner.defined };
                    self.spots.insert(path.clone(), Spot { line: at.line(), column: at.column() });
                    let value = self.value(item, &path)?;
                    map.insert(key.value, value);
                }
                Value::Object(map)
            }
        })
    }

    /// A number must be written so that every YAML reader takes it for the same number.
    fn check_plain(&self, raw: Option<&str>, spot: Spot, path: &str) -> Result<(), ConfigError> {
        let Some(raw) = raw.map(str::trim) else { return Ok(()) };
        let digits = raw.trim_start_matches(['-', '+']);
        let lower = digits.to_ascii_lowercase();
        if digits.is_empty() || lower.starts_with("0x") || lower.starts_with("0o") {
            return Ok(());
        }
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            // An alias or a tagged scalar: its own text is not at this place.
            return Ok(());
        }
        let stripped = digits.trim_start_matches('0');
        let leading_zero = digits.len() > 1
            && digits.starts_with('0')
            && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if leading_zero || digits.contains(['_', ':']) {
            let plain = shortened(stripped.replace('_', ""));
            let raw = shortened(raw.to_owned());
            return Err(syntax(
                self.place,
                spot,
                format!(
                    "`{path}`: `{raw}` is not a plain number; write {plain}, or \"{raw}\" for a text"
                ),
            ));
        }
        let integer = digits.bytes().all(|b| b.is_ascii_digit());
        if integer && raw.parse::<i64>().is_err() && raw.parse::<u64>().is_err() {
            let raw = shortened(raw.to_owned());
            return Err(syntax(
                self.place,
                spot,
                format!(
                    "`{path}`: {raw} does not fit 64 bits and would lose digits; write it in quotes"
                ),
            ));
        }
        Ok(())
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
