//! The value of an override or a variable: a bare word, a text in quotes, `[a list]`, `{a: map}`.
//!
//! As YAML's flow style, with three differences that suit a command line: a bare word at the top is
//! all that is there (`a: b`, `x #1` and `a, b` are texts), the blank after a map's colon may be left
//! out, and `${…}` needs no quotes.

use super::{scalar::plain, text::MAX_DEPTH};
use serde_json::{Map, Value};

/// What is wrong, and at which byte.
pub(super) type Wrong = (usize, String);

pub(super) fn parse(text: &str) -> Result<Value, Wrong> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    match reader.peek() {
        Some('"' | '\'' | '[' | '{') => {
            let value = reader.value(0)?;
            reader.skip_space();
            match reader.peek() {
                None => Ok(value),
                Some(_) => {
                    Err(reader.wrong("more text after the end of the value; quote the whole"))
                }
            }
        }
        _ => plain(text.trim()).map_err(|message| (reader.at, message)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, Wrong> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        match self.peek() {
            Some('[') => self.list(depth),
            Some('{') => self.map(depth),
            Some('"' | '\'') => self.quoted().map(Value::String),
            _ => {
                let at = self.at;
                plain(self.word(&[',', ']', '}'])).map_err(|message| (at, message))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        self.next();
        loop {
            self.skip_space();
            match self.peek() {
                Some(']') => break,
                Some(',' | '}') => return Err(self.wrong("a value is expected here")),
                _ => items.push(self.value(depth + 1)?),
            }
            if self.ends(']')? {
                break;
            }
        }
        self.next();
        Ok(Value::Array(items))
    }

    fn map(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut map = Map::new();
        self.next();
        loop {
            self.skip_space();
            let at = self.at;
            let key = match self.peek() {
                Some('}') => break,
                Some('"' | '\'') => self.quoted()?,
                _ => self.word(&[':', ',', ']', '}']).to_owned(),
            };
            self.skip_space();
            if self.peek() != Some(':') {
                return Err(self.wrong("a map is written as {key: value}; a `:` is expected here"));
            }
            self.next();
            self.skip_space();
            let value = match self.peek() {
                Some(',' | '}') => Value::Null,
                _ => self.value(depth + 1)?,
            };
            if map.insert(key, value).is_some() {
                return Err((
                    at,
                    "this key is written twice in one map; keep one of them".to_owned(),
                ));
            }
            if self.ends('}')? {
                break;
            }
        }
        self.next();
        Ok(Value::Object(map))
    }

    /// Whether the list or map is at its end; else moves over the comma.
    fn ends(&mut self, end: char) -> Result<bool, Wrong> {
        self.skip_space();
        match self.peek() {
            Some(',') => {
                self.next();
                Ok(false)
            }
            Some(found) if found == end => Ok(true),
            Some(_) => Err(self.wrong(format!("`,` or `{end}` is expected here"))),
            None => Err(self.wrong(format!("`{end}` is missing"))),
        }
    }

    /// Up to one of `ends`, which may stand inside `${…}`.
    fn word(&mut self, ends: &[char]) -> &str {
        let start = self.at;
        let mut open = 0_usize;
        let mut before = '\0';
        while let Some(character) = self.peek() {
            match character {
                '{' if before == '$' || open > 0 => open += 1,
                '}' if open > 0 => open -= 1,
                _ if open == 0 && ends.contains(&character) => break,
                _ => {}
            }
            before = character;
            self.next();
        }
        self.text[start..self.at].trim()
    }

    fn quoted(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        let quote = self.next();
        let mut out = String::new();
        loop {
            match self.next() {
                None => return Err((start, "the quote is not closed".to_owned())),
                found if found == quote => {
                    // In single quotes, two of them are one.
                    if quote == Some('\'') && self.peek() == quote {
                        self.next();
                        out.push('\'');
                    } else {
                        return Ok(out);
                    }
                }
                Some('\\') if quote == Some('"') => out.push(self.escape()?),
                Some(character) => out.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        let at = self.at - 1;
        let wrong = || {
            (at, "no such escape; there are \\n \\t \\r \\0 \\\\ \\\" \\/ \\xHH \\uHHHH".to_owned())
        };
        Ok(match self.next().ok_or_else(wrong)? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'b' => '\u{8}',
            'f' => '\u{c}',
            same @ ('\\' | '"' | '/') => same,
            'x' => self.hex(2).and_then(char::from_u32).ok_or_else(wrong)?,
            'U' => self.hex(8).and_then(char::from_u32).ok_or_else(wrong)?,
            'u' => {
                let unit = self.hex(4).ok_or_else(wrong)?;
                if (0xD800..0xDC00).contains(&unit) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low =
                        self.hex(4).and_then(|low| low.checked_sub(0xDC00)).filter(|l| *l < 0x400);
                    let low = low.ok_or_else(wrong)?;
                    char::from_u32(0x10000 + ((unit - 0xD800) << 10) + low).ok_or_else(wrong)?
                } else {
                    char::from_u32(unit).ok_or_else(wrong)?
                }
            }
            _ => return Err(wrong()),
        })
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text = self.text.get(self.at..self.at + digits)?;
        self.at += digits;
        text.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(text, 16).ok())?
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn wrong(&self, message: impl Into<String>) -> Wrong {
        (self.at, message.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_read_as_this_table_says() {
        for (text, expected) in [
            ("", Value::Null),
            (" 1e-3 ", json!(0.001)),
            ("true", json!(true)),
            ("http://a:80/x?y={z}", json!("http://a:80/x?y={z}")),
            ("a: b", json!("a: b")),
            ("x #1, 2", json!("x #1, 2")),
            ("'it''s'", json!("it's")),
            (r#""a\n\u00e9\ud83d\ude00\x41""#, json!("a\né😀A")),
            ("'1'", json!("1")),
            ("[]", json!([])),
            ("{}", json!({})),
            (
                "[1, two, 'th,ree', [4], {five: 5},]",
                json!([1, "two", "th,ree", [4], { "five": 5 }]),
            ),
            (
                "{a: 1, 'b c':  x y , d: {e: , f: ~}}",
                json!({ "a": 1, "b c": "x y", "d": { "e": null, "f": null } }),
            ),
            ("{a:1,b:http://x:80}", json!({ "a": 1, "b": "http://x:80" })),
            ("[${a.b}, ${env:X,{1}}]", json!(["${a.b}", "${env:X,{1}}"])),
            ("${a.b}", json!("${a.b}")),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_the_byte_at_which_they_stand() {
        for (text, at, message) in [
            ("[1, 2", 5, "`]` is missing"),
            ("[1 2, ]]", 7, "more text after the end of the value; quote the whole"),
            ("[1, , 2]", 4, "a value is expected here"),
            ("{a}", 2, "a map is written as {key: value}; a `:` is expected here"),
            ("{a: 1, a: 2}", 7, "this key is written twice in one map; keep one of them"),
            ("'open", 0, "the quote is not closed"),
            ("'a' b", 4, "more text after the end of the value; quote the whole"),
            ("[010]", 1, "`010` is not a plain number; write 10, or \"010\" for a text"),
            (r#""\q""#, 1, r#"no such escape; there are \n \t \r \0 \\ \" \/ \xHH \uHHHH"#),
        ] {
            assert_eq!(parse(text), Err((at, message.to_owned())), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse(&deep).unwrap_err().1, "nested deeper than 64 levels");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "[\\[\\]{}:,'\"\\\\$u0-9a x\n\u{e9}]{0,60}|.{0,60}") {
            if let Err((at, _)) = parse(&text) {
                prop_assert!(text.is_char_boundary(at), "{at}");
            }
        }

        #[test]
        fn json_is_read_as_json(value in crate::config::document::tests::value()) {
            prop_assert_eq!(parse(&value.to_string()), Ok(value));
        }
    }
}
