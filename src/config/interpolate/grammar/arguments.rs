//! The arguments of calls, typed as OmegaConf types them.

use super::super::template::{Argument, Piece, Template};
use super::{Parsed, Parser, excerpt};
use serde_json::{Map, Number, Value};

/// Parses one argument that is all of the text and refers to nothing, as `oc.decode` wants it.
pub(in super::super) fn parse_value(text: &str) -> Parsed<Value> {
    let mut parser = Parser { text, at: 0, nesting: 0 };
    parser.skip_space();
    let argument = parser.argument(Within::Alone)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(format!("`{}` is left over", excerpt(&text[parser.at..])));
    }
    value_of(argument)
}

fn value_of(argument: Argument) -> Parsed<Value> {
    Ok(match argument {
        Argument::Plain(value) => value,
        Argument::Text(Template(pieces)) => match pieces.as_slice() {
            [] => Value::from(""),
            [Piece::Text(text)] => Value::from(text.as_str()),
            _ => return Err("a reference in a decoded text is not followed".to_owned()),
        },
        Argument::Insert(_) => {
            return Err("a reference in a decoded text is not followed".to_owned());
        }
        Argument::List(items) => items.into_iter().map(value_of).collect::<Parsed<_>>()?,
        Argument::Map(entries) => Value::Object(
            entries
                .into_iter()
                .map(|(key, argument)| Ok((key, value_of(argument)?)))
                .collect::<Parsed<Map<_, _>>>()?,
        ),
    })
}

/// What an argument stands in, which says what ends it.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Call,
    List,
    Map,
    Alone,
}

impl Parser<'_> {
    /// The arguments of a call, up to its `}`.
    pub(super) fn arguments(&mut self, start: usize) -> Parsed<Vec<Argument>> {
        self.skip_space();
        if self.rest().starts_with('}') {
            return Ok(Vec::new());
        }
        let arguments = self.list(Within::Call)?;
        if self.peek() == Some('}') {
            return Ok(arguments);
        }
        Err(match self.peek() {
            None => format!("`{}` is not closed; a `}}` is missing", excerpt(&self.text[start..])),
            Some(_) => format!(
                "`{}`: a `,` or `}}` is expected at `{}`",
                excerpt(&self.text[start..]),
                excerpt(self.rest())
            ),
        })
    }

    /// Arguments with commas between them.
    fn list(&mut self, within: Within) -> Parsed<Vec<Argument>> {
        let mut items = Vec::new();
        loop {
            self.skip_space();
            items.push(self.argument(within)?);
            self.skip_space();
            if !self.take(",") {
                return Ok(items);
            }
        }
    }

    fn argument(&mut self, within: Within) -> Parsed<Argument> {
        match self.peek() {
            Some(quote @ ('\'' | '"')) => {
                self.at += 1;
                self.template(Some(quote)).map(Argument::Text)
            }
            Some('[') => self.nested(|parser| {
                parser.at += 1;
                parser.skip_space();
                let items = if parser.peek() == Some(']') {
                    Vec::new()
                } else {
                    parser.list(Within::List)?
                };
                parser.close("]", "list").map(|()| Argument::List(items))
            }),
            Some('{') => self.nested(|parser| {
                parser.at += 1;
                let entries = parser.entries()?;
                parser.close("}", "map").map(|()| Argument::Map(entries))
            }),
            _ => self.unquoted(within),
        }
    }

    fn close(&mut self, end: &str, what: &str) -> Parsed<()> {
        self.skip_space();
        if self.take(end) {
            return Ok(());
        }
        let rest = self.rest();
        let at =
            if rest.is_empty() { "the end".to_owned() } else { format!("`{}`", excerpt(rest)) };
        Err(format!("a {what} among arguments is not closed: a `{end}` is missing before {at}"))
    }

    fn entries(&mut self) -> Parsed<Vec<(String, Argument)>> {
        let mut entries: Vec<(String, Argument)> = Vec::new();
        self.skip_space();
        if self.peek() == Some('}') {
            return Ok(entries);
        }
        loop {
            self.skip_space();
            let key = match self.argument(Within::Map)? {
                Argument::Text(Template(pieces)) => match pieces.as_slice() {
                    [Piece::Text(text)] => text.clone(),
                    _ => return Err("a key of a map among arguments is a plain text".to_owned()),
                },
                Argument::Plain(value) => value.to_string(),
                _ => return Err("a key of a map among arguments is a plain text".to_owned()),
            };
            self.skip_space();
            if !self.take(":") {
                return Err(format!("a `:` is missing after the key `{key}` among arguments"));
            }
            self.skip_space();
            entries.push((key, self.argument(Within::List)?));
            self.skip_space();
            if !self.take(",") {
                return Ok(entries);
            }
        }
    }

    /// A number, `true`, `null` or a text, up to what ends it. White space around it is no part
    /// of it.
    fn unquoted(&mut self, within: Within) -> Parsed<Argument> {
        let start = self.at;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut text = String::new();
        // How much of `text` is more than trailing white space.
        let mut kept = 0;
        let mut is_plain = true;
        loop {
            let rest = self.rest();
            let Some(next) = rest.chars().next() else { break };
            if rest.starts_with("${") {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                kept = 0;
                pieces.push(Piece::Insert(self.insert()?));
                continue;
            }
            let ends = match next {
                ',' => within != Within::Alone,
                '}' | ']' => true,
                ':' => within == Within::Map,
                '\'' | '"' | '[' | '{' => {
                    return Err(format!(
                        "`{next}` inside an argument at `{}`; put the whole argument in quotes",
                        excerpt(&self.text[start..])
                    ));
                }
                _ => false,
            };
            if ends {
                break;
            }
            self.at += next.len_utf8();
            let escaped = (next == '\\').then(|| self.peek()).flatten();
            match escaped {
                Some(escaped) if "\\()[]{}:=, \t".contains(escaped) => {
                    is_plain = false;
                    text.push(escaped);
                    self.at += escaped.len_utf8();
                    kept = text.len();
                }
                _ => {
                    text.push(next);
                    if !matches!(next, ' ' | '\t' | '\n' | '\r') {
                        kept = text.len();
                    }
                }
            }
        }
        text.truncate(kept);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        match pieces.as_slice() {
            [] => Err(format!(
                "an argument is empty before {}; an empty text is written ''",
                match self.peek() {
                    Some(next) => format!("`{next}`"),
                    None => "the end".to_owned(),
                }
            )),
            [Piece::Text(text)] if is_plain => {
                Ok(plain(text)?.unwrap_or(Argument::Text(Template(pieces))))
            }
            [Piece::Insert(insert)] => Ok(Argument::Insert(insert.clone())),
            _ => Ok(Argument::Text(Template(pieces))),
        }
    }
}

/// `null`, a boolean or a number, as OmegaConf types them; anything else is a text.
fn plain(text: &str) -> Parsed<Option<Argument>> {
    let value = match text.to_ascii_lowercase().as_str() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match number(text)? {
            Some(number) => Value::Number(number),
            None => return Ok(None),
        },
    };
    Ok(Some(Argument::Plain(value)))
}

fn number(text: &str) -> Parsed<Option<Number>> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let joined = digits.bytes().all(|b| b.is_ascii_digit() || b"._eE+-".contains(&b));
    let apart = digits
        .split(['.', 'e', 'E', '+', '-'])
        .all(|run| !run.starts_with('_') && !run.ends_with('_') && !run.contains("__"));
    if !starts || !joined || !apart || !digits.contains(|c: char| c.is_ascii_digit()) {
        return Ok(None);
    }
    let bare: String = text.chars().filter(|c| *c != '_' && *c != '+').collect();
    if digits.bytes().all(|b| b.is_ascii_digit() || b == b'_') {
        if digits.len() > 1 && digits.starts_with('0') {
            return Ok(None);
        }
        let number = bare.parse::<i64>().map(Number::from);
        let number = number.or_else(|_| bare.parse::<u64>().map(Number::from));
        return number.map(Some).map_err(|_| {
            format!("{text} does not fit 64 bits and would lose digits; write it in quotes")
        });
    }
    let bare = text.strip_prefix('+').unwrap_or(text).replace('_', "");
    Ok(bare.parse::<f64>().ok().and_then(Number::from_f64))
}
