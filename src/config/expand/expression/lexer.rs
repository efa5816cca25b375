//! From the text of an expression to its tokens.

use super::{ExpressionError, Path};
use crate::config::path;
use serde_json::{Number, Value};

/// Honest conditions are shorter.
const MAX_CHARACTERS: usize = 4_096;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Literal(Value),
    Path(Path),
    /// An operator, a bracket, a comma, or a word that is an operator.
    Symbol(&'static str),
    End,
}

const SYMBOLS: [&str; 16] =
    ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", "[", "]", ",", "="];
const WORDS: [&str; 4] = ["and", "or", "not", "in"];

struct Lexer<'a> {
    text: &'a str,
    characters: Vec<char>,
    at: usize,
}

/// Each token with its column, in characters from 1; the last is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, ExpressionError> {
    let characters: Vec<char> = text.chars().take(MAX_CHARACTERS + 1).collect();
    let mut lexer = Lexer { text, characters, at: 0 };
    if lexer.characters.len() > MAX_CHARACTERS {
        return Err(lexer.wrong(0, format!("longer than {MAX_CHARACTERS} characters")));
    }
    let mut tokens = Vec::new();
    loop {
        while lexer.peek().is_some_and(char::is_whitespace) {
            lexer.at += 1;
        }
        let start = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push((token, start + 1));
        if is_end {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> ExpressionError {
        ExpressionError { text: self.text.to_owned(), column: at + 1, message: message.into() }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.characters[start..self.at].iter().collect()
    }

    fn token(&mut self) -> Result<Token, ExpressionError> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        let next = self.characters.get(self.at + 1).copied();
        if first.is_ascii_digit() || (first == '.' && next.is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        match first {
            '\'' | '"' => self.quoted(first).map(|text| Token::Literal(Value::String(text))),
            '`' => {
                let start = self.at;
                let text = self.quoted('`')?;
                self.path(start, &text)
            }
            first if first.is_alphabetic() || first == '_' => self.word(),
            _ => self.symbol(first, next),
        }
    }

    fn symbol(&mut self, first: char, next: Option<char>) -> Result<Token, ExpressionError> {
        let found = SYMBOLS.iter().find(|symbol| {
            let mut wanted = symbol.chars();
            wanted.next() == Some(first) && wanted.next().is_none_or(|c| Some(c) == next)
        });
        let advice = match (first, next) {
            ('=', _) if found == Some(&"=") => "`=` is no comparison; write `==`",
            ('&', _) => "write `and`",
            ('|', _) => "write `or`",
            ('!', _) if found.is_none() => "write `not`",
            _ => "",
        };
        match found {
            Some(symbol) if advice.is_empty() => {
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
            _ if !advice.is_empty() => Err(self.wrong(self.at, advice)),
            _ => Err(self.wrong(self.at, format!("`{first}` means nothing here"))),
        }
    }

    fn number(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        let mut text = self.take_while(|c| c.is_alphanumeric() || c == '.' || c == '_');
        // The sign of an exponent.
        if text.ends_with(['e', 'E']) && self.peek().is_some_and(|c| c == '-' || c == '+') {
            text.extend(self.peek());
            self.at += 1;
            text += &self.take_while(|c| c.is_ascii_digit());
        }
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
        let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
        match number.and_then(Number::from_f64) {
            Some(number) => Ok(Token::Literal(Value::Number(number))),
            None => Err(self.wrong(start, format!("`{text}` is not a number"))),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, ExpressionError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.at += 1;
            match character {
                '\\' if quote != '`' => match self.peek() {
                    Some(escaped) if escaped == '\\' || escaped == '\'' || escaped == '"' => {
                        text.push(escaped);
                        self.at += 1;
                    }
                    _ => {
                        let message = "only \\\\, \\' and \\\" are written with a backslash";
                        return Err(self.wrong(self.at - 1, message));
                    }
                },
                character if character == quote => return Ok(text),
                character => text.push(character),
            }
        }
        Err(self.wrong(start, format!("the closing {quote} is missing")))
    }

    fn word(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        let mut text = String::new();
        loop {
            text += &self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
            if self.peek() != Some('[') {
                break;
            }
            let from = self.at;
            self.at += 1;
            let index = self.take_while(|c| c.is_ascii_digit());
            if index.is_empty() || self.peek() != Some(']') {
                return Err(self.wrong(from, "a place in a list is a number, as in stops[0]"));
            }
            self.at += 1;
            text += &format!("[{index}]");
        }
        if let Some(word) = WORDS.iter().find(|word| **word == text) {
            return Ok(Token::Symbol(word));
        }
        match &*text {
            "true" => Ok(Token::Literal(Value::Bool(true))),
            "false" => Ok(Token::Literal(Value::Bool(false))),
            "null" => Ok(Token::Literal(Value::Null)),
            _ => self.path(start, &text),
        }
    }

    fn path(&self, start: usize, text: &str) -> Result<Token, ExpressionError> {
        let steps: Path = path::steps(text).map(Into::into).collect();
        if steps.is_empty() {
            return Err(self.wrong(start, "an empty path"));
        }
        Ok(Token::Path(steps))
    }
}
