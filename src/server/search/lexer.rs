//! The words of a filter.

use super::super::error::ApiError;

/// The longest filter, in bytes. It leaves room for the ids of some thousand runs.
const MAX_BYTES: usize = 256 * 1024;

/// A word, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `status`, `metrics.loss`, ``tags.`a b` ``: letters, digits, `_` and `.`, and quoted parts.
    Name(&'a str),
    /// What stands between single or double quotes, as it stands there.
    Quoted(&'a str),
    /// A number as MLflow takes it: no `+`, and not hexadecimal.
    Number(&'a str),
    /// `=`, `!=`, `<` and the like, also such as mean nothing.
    Operator(&'a str),
    /// `(`, `)`, `,`.
    Mark(char),
}

/// Reads a filter, word by word.
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    /// # Errors
    ///
    /// When the filter is too long.
    pub(super) fn new(filter: &'a str) -> Result<Self, ApiError> {
        if filter.len() > MAX_BYTES {
            return Err(ApiError::invalid(format!("a filter has at most {MAX_BYTES} bytes")));
        }
        Ok(Self { rest: filter })
    }

    /// The next word; `None` at the end.
    ///
    /// # Errors
    ///
    /// On what can be no part of a filter.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, ApiError> {
        self.rest = self.rest.trim_start();
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        let second = self.rest[first.len_utf8()..].chars().next();
        let token = match first {
            '(' | ')' | ',' => {
                self.take(first.len_utf8());
                Token::Mark(first)
            }
            '<' | '>' | '=' | '!' | '~' => Token::Operator(self.take_while(is_operator)),
            '0'..='9' => self.number()?,
            '-' | '.' if second.is_some_and(|c| c.is_ascii_digit() || c == '.') => self.number()?,
            '\'' => Token::Quoted(self.quoted()?),
            '"' => {
                let before = self.rest;
                let inside = self.quoted()?;
                if self.rest.starts_with('.') {
                    self.rest = before;
                    self.name()?
                } else {
                    Token::Quoted(inside)
                }
            }
            '`' => self.name()?,
            c if is_of_name(c) => self.name()?,
            _ => return Err(self.unknown()),
        };
        Ok(Some(token))
    }

    /// What is left, for words about it.
    pub(super) const fn rest(&self) -> &'a str {
        self.rest
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        self.take(self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len()))
    }

    /// Plain parts and quoted ones, as long as they touch.
    fn name(&mut self) -> Result<Token<'a>, ApiError> {
        let from = self.rest;
        loop {
            self.take_while(|c| is_of_name(c) || c == '.');
            let joined = from.len() == self.rest.len() || self.before(from).ends_with('.');
            if joined && self.rest.starts_with(['`', '"', '\'']) {
                self.quoted()?;
            } else {
                break;
            }
        }
        Ok(Token::Name(self.before(from)))
    }

    fn before(&self, from: &'a str) -> &'a str {
        &from[..from.len() - self.rest.len()]
    }

    /// What stands between two quotes. A quote that is doubled, or follows a backslash, is no
    /// end, and stays as it is written.
    fn quoted(&mut self) -> Result<&'a str, ApiError> {
        let mut characters = self.rest.char_indices();
        let Some((_, quote)) = characters.next() else { return Err(self.unknown()) };
        while let Some((at, c)) = characters.next() {
            if c == '\\' && quote != '`' && self.rest[at + 1..].starts_with(quote) {
                // (At the very end of the filter it ends the text after all.)
                if self.rest[at + 2..].contains(quote) {
                    characters.next();
                }
            } else if c == quote {
                if self.rest[at + 1..].starts_with(quote) {
                    characters.next();
                } else {
                    let inside = &self.rest[1..at];
                    self.take(at + 1);
                    return Ok(inside);
                }
            }
        }
        Err(self.unknown())
    }

    fn number(&mut self) -> Result<Token<'a>, ApiError> {
        let from = self.rest;
        if self.rest.starts_with('-') {
            self.take(1);
        }
        self.take_while(|c| c.is_ascii_digit());
        if self.rest.starts_with('.') {
            self.take(1);
            self.take_while(|c| c.is_ascii_digit());
        }
        if self.rest.starts_with(['e', 'E']) {
            self.take(1);
            if self.rest.starts_with('-') {
                self.take(1);
            }
            self.take_while(|c| c.is_ascii_digit());
        }
        let number = self.before(from);
        let ends = !self.rest.starts_with(|c: char| is_of_name(c) || c == '.' || c == '+');
        if ends && number.ends_with(|c: char| c.is_ascii_digit() || c == '.') && number != "." {
            Ok(Token::Number(number))
        } else {
            self.rest = from;
            Err(self.unknown())
        }
    }

    /// The error for what comes next.
    pub(super) fn unknown(&self) -> ApiError {
        invalid_clause(self.rest.split_whitespace().next().unwrap_or_default())
    }
}

/// MLflow's words for what is no part of a filter.
pub(super) fn invalid_clause(text: &str) -> ApiError {
    ApiError::invalid(format!("Invalid clause(s) in filter string: '{text}'"))
}

const fn is_operator(c: char) -> bool {
    matches!(c, '<' | '>' | '=' | '!' | '~')
}

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
