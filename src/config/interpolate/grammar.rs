//! From a text to a [`Template`], in one pass.
//!
//! The grammar is OmegaConf's (its documentation, "The OmegaConf grammar"), read by recursive
//! descent. What differs is listed in `docs/configuration.md`.

use super::template::{
    Argument, Call, Insert, Key, Piece, Reference, Template, is_special_in_keys,
};
use serde_json::{Map, Number, Value};

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

/// Parses one argument that is all of the text and refers to nothing, as `oc.decode` wants it.
pub(super) fn parse_value(text: &str) -> Parsed<Value> {
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

/// The beginning of a text, for a message.
fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// What an argument stands in, which says what ends it.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Call,
    List,
    Map,
    Alone,
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

    /// The arguments of a call, up to its `}`.
    fn arguments(&mut self, start: usize) -> Parsed<Vec<Argument>> {
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
                Ok(plain(text)?.unwrap_or_else(|| Argument::Text(Template(pieces))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    fn insert() -> impl Strategy<Value = Insert> {
        let key = "[a-z0-9_$.\\[ü \\\\:'-]{1,4}".prop_map(Key::Name);
        let keys = prop::collection::vec(key, 1..4);
        let leaf =
            (0_usize..3, keys).prop_map(|(up, keys)| Insert::Reference(Reference { up, keys }));
        leaf.prop_recursive(4, 24, 4, |inner| {
            let argument = argument(inner.clone());
            let keyed = (any::<bool>(), inner, 0_usize..2).prop_map(|(bracketed, insert, up)| {
                let key = Key::Insert { insert, bracketed };
                Insert::Reference(Reference { up, keys: vec![Key::Name("k".to_owned()), key] })
            });
            let call = ("[a-z]{1,3}(\\.[a-z_-]{1,3}){0,2}", prop::collection::vec(argument, 0..4))
                .prop_filter("a name", |(name, _)| {
                    name.split('.').all(|part| !part.starts_with('-'))
                })
                .prop_map(|(name, arguments)| Insert::Call(Call { name, arguments }));
            prop_oneof![keyed, call]
        })
    }

    fn argument(
        insert: impl Strategy<Value = Insert> + Clone + 'static,
    ) -> BoxedStrategy<Argument> {
        let leaf = prop_oneof![
            Just(Argument::Plain(Value::Null)),
            any::<bool>().prop_map(|b| Argument::Plain(b.into())),
            any::<i64>().prop_map(|n| Argument::Plain(n.into())),
            any::<f64>()
                .prop_filter("finite", |f| f.is_finite())
                .prop_map(|f| Argument::Plain(f.into())),
            template(insert.clone()).prop_map(Argument::Text),
            insert.prop_map(Argument::Insert),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Argument::List),
                prop::collection::vec(("[a-z' \\\\$]{1,4}", inner), 0..3).prop_map(Argument::Map),
            ]
        })
        .boxed()
    }

    fn template(insert: impl Strategy<Value = Insert>) -> impl Strategy<Value = Template> {
        let text = r#"([a-z${}\\'" \n]|\$\{){1,6}"#;
        prop::collection::vec((prop::option::of(text), insert), 0..3)
            .prop_flat_map(move |pairs| (Just(pairs), prop::option::of(text)))
            .prop_map(|(pairs, last)| {
                let mut pieces = Vec::new();
                for (text, insert) in pairs {
                    pieces.extend(text.map(Piece::Text));
                    pieces.push(Piece::Insert(insert));
                }
                pieces.extend(last.map(Piece::Text));
                Template(pieces)
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_printed_parses_to_the_same(template in template(insert())) {
            let printed = template.to_string();
            prop_assert_eq!(parse(&printed), Ok(template), "{}", printed);
        }

        #[test]
        fn what_parses_prints_as_a_text_that_parses_to_the_same(
            text in r"([$.\[\]{}:,'\\ a1-]|\$\{|env:|b\.c|'x'){0,24}",
        ) {
            if let Ok(template) = parse(&text) {
                prop_assert_eq!(parse(&template.to_string()), Ok(template));
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,64}") {
            let _ = parse(&text);
            let _ = parse_value(&text);
        }

        #[test]
        fn a_literal_text_stands_for_itself(text in r#"([a-z${}\\]|\$\{){0,12}"#) {
            let literal = Template::of_text(&text);
            prop_assert_eq!(parse(&literal.to_string()), Ok(literal));
        }
    }

    #[test]
    fn a_megabyte_is_parsed_in_one_pass() {
        for piece in
            ["${", "${a}", "\\", "$", "${a:", "${a:'", "${a:[", "${a.", "\\${", "'", "${a:b,"]
        {
            let text = piece.repeat((1 << 20) / piece.len());
            let start = Instant::now();
            let _ = parse(&text);
            // Some ms; a quadratic parser would take minutes.
            assert!(start.elapsed() < Duration::from_secs(5), "{piece}: {:?}", start.elapsed());
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}a{}", "${".repeat(depth), "}".repeat(depth));
        assert!(parse(&nested(MAX_NESTING)).is_ok());
        assert!(parse(&nested(MAX_NESTING + 1)).is_err());
        let lists = format!("${{a:{}{}}}", "[".repeat(40), "]".repeat(40));
        assert_eq!(parse(&lists), Err("nested deeper than 32 levels".to_owned()));
    }
}
