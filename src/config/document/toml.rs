//! Documents from TOML.

use super::{
    Document, Origin, Spot, Trace,
    lines::Lines,
    text::{MAX_BYTES, MAX_DEPTH, syntax},
};
use crate::config::{ConfigError, path::Trail};
use serde_json::{Map, Number, Value};
use std::{borrow::Cow, ops::Range, sync::Arc};
use toml::{
    Spanned,
    de::{DeFloat, DeInteger, DeTable, DeValue},
};

impl Document {
    /// Reads a TOML text. Dates and times become texts.
    ///
    /// # Errors
    ///
    /// When it is not TOML, is larger than 16 MiB or nested deeper than 64 levels, repeats a key, or
    /// has a number that would lose digits. The error names the line and column.
    pub fn from_toml_str(text: &str) -> Result<Self, ConfigError> {
        parse(text, &"<text>".into())
    }
}

pub(super) fn parse(text: &str, place: &Arc<str>) -> Result<Document, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(syntax(place, Spot::START, "larger than 16 MiB"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let reader = Reader { lines: Lines::new(text), place };
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let message = match message.as_str() {
            "duplicate key" => {
                let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
                format!("the key `{key}` is written twice in one map; keep one of them")
            }
            "cannot recurse further; max recursion depth met" | "recursion limit" => {
                format!("nested deeper than {MAX_DEPTH} levels")
            }
            message => format!("not TOML: {message}"),
        };
        reader.wrong(at, message)
    })?;
    let (value, trace) = reader.table(table.into_inner(), 0..0, &Trail::Top, 0)?;
    Ok(Document::read(place.clone(), value, trace))
}

struct Reader<'a> {
    lines: Lines<'a>,
    place: &'a Arc<str>,
}

type Read = Result<(Value, Trace), ConfigError>;

impl Reader<'_> {
    fn table(&self, table: DeTable<'_>, at: Range<usize>, path: &Trail<'_>, depth: usize) -> Read {
        let mut map = Map::new();
        let mut traces = Vec::new();
        for (key, value) in table {
            let at = key.span();
            let key: String = key.into_inner().into_owned();
            let trail = Trail::Key(path, &key);
            let (value, trace) = self.value(value, Some(at), &trail, depth + 1)?;
            traces.push((key.as_str().into(), trace));
            map.insert(key, value);
        }
        Ok((Value::Object(map), Trace::map(self.origin(at.start), traces)))
    }

    /// `key`: where the key of a table or list stands, which is more telling than its bracket.
    fn value(
        &self,
        value: Spanned<DeValue<'_>>,
        key: Option<Range<usize>>,
        path: &Trail<'_>,
        depth: usize,
    ) -> Read {
        let own = value.span();
        let at = key.unwrap_or_else(|| own.clone());
        if depth > MAX_DEPTH {
            return Err(self.wrong(at.start, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let value = match value.into_inner() {
            DeValue::Table(table) => return self.table(table, at, path, depth),
            DeValue::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                let mut traces = Vec::with_capacity(items.len());
                for (at, item) in items.into_iter().enumerate() {
                    let (item, trace) =
                        self.value(item, None, &Trail::Item(path, at), depth + 1)?;
                    list.push(item);
                    traces.push(trace);
                }
                return Ok((Value::Array(list), Trace::list(self.origin(at.start), traces)));
            }
            DeValue::String(text) => Value::String(Cow::into_owned(text)),
            DeValue::Boolean(value) => Value::Bool(value),
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Integer(number) => Value::Number(integer(&number).ok_or_else(|| {
                let number = number.as_str();
                let lost = "does not fit 64 bits and would lose digits; write it in quotes";
                self.wrong(own.start, format!("`{path}`: {number} {lost}"))
            })?),
            DeValue::Float(number) => Value::Number(float(&number).ok_or_else(|| {
                let number = number.as_str();
                self.wrong(own.start, format!("`{path}`: {number} is not a finite number"))
            })?),
        };
        Ok((value, Trace::whole(self.origin(own.start))))
    }

    fn origin(&self, at: usize) -> Origin {
        Origin::File { place: self.place.clone(), spot: self.lines.spot(at) }
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> ConfigError {
        syntax(self.place, self.lines.spot(at), message)
    }
}

fn integer(number: &DeInteger<'_>) -> Option<Number> {
    let wide = i128::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()?;
    i64::try_from(wide).map(Number::from).or_else(|_| u64::try_from(wide).map(Number::from)).ok()
}

fn float(number: &DeFloat<'_>) -> Option<Number> {
    Number::from_f64(number.as_str().replace('_', "").parse().ok()?)
}
