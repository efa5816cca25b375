//! From a text to a [`Template`], in one pass.
//!
//! The grammar is OmegaConf's (its documentation, "The OmegaConf grammar"), read by recursive
//! descent. What differs is listed in `docs/configuration.md`.

mod arguments;

pub(super) use arguments::parse_value;

use super::template::{Call, Insert, Key, Piece, Reference, Template, is_special_in_keys};

/// Honest references are not nested this deep.
pub(super) const MAX_NESTING: usize = 32;

type Parsed<T> = Result<T, String>;

/// Whether there is anything to parse: a text without `${` stands for itself.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// Parses a text.
pub(super) fn parse(text: &str) -> Parsed<Template> {
    let mut parser = Parser { text, at: 0, nesting: 0 };
    parser.template(None)
}

/// The beginning of a text, for a message.
fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    nesting: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(format!("nested deeper than {MAX_NESTING} levels"));
        }
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    /// A text with references, to its end or to the closing `quote`.
    fn template(&mut self, quote: Option<char>) -> Parsed<Template> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let start = self.at;
        loop {
            let rest = self.rest();
            let plain = rest
                .find(|c: char| c == '\\' || c == '$' || Some(c) == quote)
                .unwrap_or(rest.len());
            text.push_str(&rest[..plain]);
            self.at += plain;
            let rest = self.rest();
            let after = rest.trim_start_matches('\\');
            let slashes = rest.len() - after.len();
            let opens = after.starts_with("${");
            let quotes = quote.is_some_and(|quote| after.starts_with(quote));
            self.at += slashes;
            if !(opens || quotes) {
                // Backslashes escape nothing else.
                text.push_str(&rest[..slashes]);
                let Some(next) = after.chars().next() else {
                    if quote.is_some() {
                        let from = excerpt(&self.text[start.saturating_sub(1)..]);
                        return Err(format!("the quote that begins at `{from}` is not closed"));
                    }
                    break;
                };
                if slashes == 0 {
                    text.push(next);
                    self.at += next.len_utf8();
                }
                continue;
            }
            text.push_str(&rest[..slashes / 2]);
            if slashes % 2 == 1 {
                let literal = if opens { 2 } else { 1 };
                text.push_str(&after[..literal]);
                self.at += literal;
            } else if opens {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Insert(self.insert()?));
            } else {
                self.at += 1;
                break;
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Template(pieces))
    }

    /// From `${` to `}`.
    fn insert(&mut self) -> Parsed<Insert> {
        self.nested(|parser| {
            let start = parser.at;
            parser.at += 2;
            parser.skip_space();
            let insert = match parser.resolver_name() {
                Some(name) => Insert::Call(Call { name, arguments: parser.arguments(start)? }),
                None => Insert::Reference(parser.reference(start)?),
            };
            parser.skip_space();
            if parser.take("}") {
                return Ok(insert);
            }
            Err(parser.unexpected(start))
        })
    }

    /// What to say where a `}` should stand.
    fn unexpected(&self, start: usize) -> String {
        let whole = excerpt(&self.text[start..]);
        match self.peek() {
            None => format!("`{whole}` is not closed; a `}}` is missing"),
            Some(':') => format!(
                "`{whole}`: a `:` stands only after the name of a resolver, as in `${{env:HOME}}`"
            ),
            Some(_) => format!(
                "`{whole}`: `{}` is not expected; a `}}` ends a reference, and before a special \
                 character in a key stands a `\\`, as in `${{my\\ key}}`",
                excerpt(self.rest())
            ),
        }
    }

    /// `name.name:`, or nothing if that is not what stands here.
    fn resolver_name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c)))
            .unwrap_or(rest.len());
        let name = &rest[..end];
        let is_name = name.split('.').all(|part| {
            part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        });
        let after = rest[end..].trim_start_matches([' ', '\t']);
        if !is_name || !after.starts_with(':') {
            return None;
        }
        self.at += rest.len() - after.len() + 1;
        Some(name.to_owned())
    }

    fn reference(&mut self, start: usize) -> Parsed<Reference> {
        let before = self.rest();
        self.at += before.len() - before.trim_start_matches('.').len();
        let up = before.len() - self.rest().len();
        let mut keys = Vec::new();
        loop {
            if self.take("[") {
                let key = self.key(start, true)?;
                if !self.take("]") {
                    let whole = excerpt(&self.text[start..]);
                    return Err(format!("`{whole}`: a `]` is missing"));
                }
                keys.push(key);
            } else if keys.is_empty() || self.take(".") {
                keys.push(self.key(start, false)?);
            } else {
                return Ok(Reference { up, keys });
            }
        }
    }

    fn key(&mut self, start: usize, bracketed: bool) -> Parsed<Key> {
        if self.rest().starts_with("${") {
            return Ok(Key::Insert { insert: self.insert()?, bracketed });
        }
        let mut name = String::new();
        let mut characters = self.rest().char_indices();
        let mut end = self.rest().len();
        while let Some((at, character)) = characters.next() {
            let opens = self.rest()[at..].starts_with("${");
            if character == '\\' {
                let Some((_, escaped)) = characters.next().filter(|(_, c)| is_special_in_keys(*c))
                else {
                    end = at;
                    break;
                };
                name.push(escaped);
            } else if opens || (is_special_in_keys(character) && !"$,=".contains(character)) {
                end = at;
                break;
            } else {
                name.push(character);
            }
        }
        self.at += end;
        if !name.is_empty() {
            return Ok(Key::Name(name));
        }
        let whole = excerpt(&self.text[start..]);
        Err(match self.peek() {
            None => format!("`{whole}` is not closed; a `}}` is missing"),
            Some('}') => format!("`{whole}`: a key is missing before the `}}`"),
            Some(_) => format!("`{whole}`: a key is missing at `{}`", excerpt(self.rest())),
        })
    }
}

#[cfg(test)]
mod tests;
