//! A text with references in it, as it was parsed; printed, it is a text that parses to the same.

use serde_json::Value;
use std::fmt;

/// A text in pieces. No two texts stand side by side, and none is empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template(pub(super) Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Insert(Insert),
}

/// What stands between `${` and `}`.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Insert {
    Reference(Reference),
    Call(Call),
}

/// `a.b[0]`, or `.a` (`up` is 1), or `..a` (`up` is 2).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) up: usize,
    pub(super) keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Name(String),
    /// A key that is itself looked up; in brackets it is one key, otherwise it may be a path.
    Insert {
        insert: Insert,
        bracketed: bool,
    },
}

/// `name:argument,argument`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    /// `null`, a boolean, a number.
    Plain(Value),
    /// Quoted or not.
    Text(Template),
    /// A reference or a call alone: its type is kept.
    Insert(Insert),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Template {
    /// The one reference or call that is all of the text.
    pub(super) fn sole(&self) -> Option<&Insert> {
        match self.0.as_slice() {
            [Piece::Insert(insert)] => Some(insert),
            _ => None,
        }
    }

    /// A text that is taken literally.
    pub(super) fn of_text(text: &str) -> Self {
        Self(if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.to_owned())] })
    }

    /// Calls `change` with every reference in it, those in arguments and keys included.
    pub(super) fn each_reference(&mut self, change: &mut dyn FnMut(&mut Reference)) {
        for piece in &mut self.0 {
            if let Piece::Insert(insert) = piece {
                insert.each_reference(change);
            }
        }
    }

    /// Within quotes, the quote needs an escape, too.
    fn write(&self, f: &mut fmt::Formatter<'_>, quoted: bool) -> fmt::Result {
        let mut pieces = self.0.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Insert(insert) => write!(f, "{insert}")?,
                Piece::Text(text) => {
                    let special = match pieces.peek() {
                        Some(Piece::Insert(_)) => true,
                        _ => quoted,
                    };
                    write_text(f, text, quoted, special)?;
                }
            }
        }
        Ok(())
    }
}

/// Backslashes are doubled where the reader halves them: before `${`, and before a quote.
/// `special`: such a thing follows the text.
fn write_text(f: &mut fmt::Formatter<'_>, text: &str, quoted: bool, special: bool) -> fmt::Result {
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(['\\', '$', '\'']).unwrap_or(rest.len());
        f.write_str(&rest[..plain])?;
        rest = &rest[plain..];
        let after = rest.trim_start_matches('\\');
        let slashes = &rest[..rest.len() - after.len()];
        let opens = after.starts_with("${");
        let quote = quoted && after.starts_with('\'');
        f.write_str(slashes)?;
        if opens || quote || (after.is_empty() && special) {
            f.write_str(slashes)?;
        }
        rest = after;
        let taken = if opens {
            f.write_str("\\")?;
            2
        } else if quote {
            f.write_str("\\")?;
            1
        } else {
            usize::from(after.starts_with(['$', '\'']))
        };
        f.write_str(&rest[..taken])?;
        rest = &rest[taken..];
    }
    Ok(())
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl fmt::Display for Insert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(reference) => write!(f, "${{{reference}}}"),
            Self::Call(call) => write!(f, "${{{call}}}"),
        }
    }
}

impl Argument {
    fn each_reference(&mut self, change: &mut dyn FnMut(&mut Reference)) {
        match self {
            Self::Plain(_) => {}
            Self::Text(template) => template.each_reference(change),
            Self::Insert(insert) => insert.each_reference(change),
            Self::List(items) => items.iter_mut().for_each(|item| item.each_reference(change)),
            Self::Map(entries) => {
                entries.iter_mut().for_each(|(_, argument)| argument.each_reference(change));
            }
        }
    }
}

impl Insert {
    fn each_reference(&mut self, change: &mut dyn FnMut(&mut Reference)) {
        match self {
            Self::Call(call) => {
                call.arguments.iter_mut().for_each(|argument| argument.each_reference(change));
            }
            Self::Reference(reference) => {
                for key in &mut reference.keys {
                    if let Key::Insert { insert, .. } = key {
                        insert.each_reference(change);
                    }
                }
                change(reference);
            }
        }
    }

    /// As it is written, but without the arguments of calls, which may hold what no message may.
    pub(super) fn outline(&self) -> String {
        match self {
            Self::Call(call) => format!("${{{}:…}}", call.name),
            Self::Reference(Reference { up, keys }) => {
                let outlines: Vec<_> = keys
                    .iter()
                    .map(|key| match key {
                        Key::Name(name) => name.clone(),
                        Key::Insert { insert, .. } => insert.outline(),
                    })
                    .collect();
                format!("${{{}{}}}", ".".repeat(*up), outlines.join("."))
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..self.up {
            f.write_str(".")?;
        }
        for (at, key) in self.keys.iter().enumerate() {
            match key {
                Key::Insert { insert, bracketed: true } => write!(f, "[{insert}]")?,
                Key::Insert { insert, bracketed: false } if at == 0 => write!(f, "{insert}")?,
                Key::Insert { insert, bracketed: false } => write!(f, ".{insert}")?,
                Key::Name(name) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    for character in name.chars() {
                        if is_special_in_keys(character) {
                            f.write_str("\\")?;
                        }
                        write!(f, "{character}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// What ends a key unless a backslash stands before it.
pub(super) fn is_special_in_keys(character: char) -> bool {
    character.is_whitespace() || "\\$(){}[]:.,'\"=".contains(character)
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)?;
        write_list(f, &self.arguments)
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => write!(f, "{value}"),
            Self::Text(text) => write_quoted(f, text),
            Self::Insert(insert) => write!(f, "{insert}"),
            Self::List(items) => {
                f.write_str("[")?;
                write_list(f, items)?;
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("{")?;
                for (at, (key, argument)) in entries.iter().enumerate() {
                    if at > 0 {
                        f.write_str(",")?;
                    }
                    write_quoted(f, &Template::of_text(key))?;
                    write!(f, ":{argument}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[Argument]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(",")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &Template) -> fmt::Result {
    f.write_str("'")?;
    text.write(f, true)?;
    f.write_str("'")
}
