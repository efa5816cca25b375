//! Documents as text: YAML and JSON that read back as the same value.

use super::{Document, Origin, Trace, dotlist::without_secrets};
use crate::config::{SecretKeys, path};
use serde_json::Value;
use std::fmt::Write as _;

/// How a document is printed: without secrets and without origins, unless asked.
///
/// ```
/// use tower_spearmint::config::{Document, Print};
///
/// let mut document = Document::from_json_str("{ \"model\": \"small\", \"api_key\": \"k\" }")?;
/// document.set("top_p=1")?;
/// assert_eq!(
///     document.to_yaml(&Print::default()),
///     "api_key: \"[redacted]\"\nmodel: small\ntop_p: 1\n"
/// );
/// assert_eq!(
///     document.to_yaml(&Print::default().with_secrets().with_origins()),
///     "api_key: k # <text>:1:32\nmodel: small # <text>:1:12\ntop_p: 1 # override `top_p=1`\n"
/// );
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Print {
    /// What is hidden, if anything is.
    secrets: Secrets,
    origins: bool,
}

#[derive(Debug, Clone)]
enum Secrets {
    Hidden(SecretKeys),
    Shown,
}

impl Default for Secrets {
    fn default() -> Self {
        Self::Hidden(SecretKeys::default())
    }
}

impl Print {
    /// With the secrets, so that what is printed reads back as the same value.
    #[must_use]
    pub fn with_secrets(mut self) -> Self {
        self.secrets = Secrets::Shown;
        self
    }

    /// With the caller's rule for what is a secret.
    #[must_use]
    pub fn hiding(mut self, secrets: SecretKeys) -> Self {
        self.secrets = Secrets::Hidden(secrets);
        self
    }

    /// With the origin of each leaf in a comment (YAML only).
    #[must_use]
    pub const fn with_origins(mut self) -> Self {
        self.origins = true;
        self
    }

    fn visible(&self, document: &Document) -> Value {
        match &self.secrets {
            Secrets::Hidden(secrets) => {
                secrets.clone().and_drawn(document.drawn(), "").redact(document.value())
            }
            Secrets::Shown => document.value().clone(),
        }
    }

    /// An override is quoted as it was given; the caller may know more secrets than it did.
    fn origin(&self, origin: &Origin) -> String {
        match (origin, &self.secrets) {
            (Origin::Override(text), Secrets::Hidden(secrets)) => {
                Origin::Override(without_secrets(text, secrets).into()).to_string()
            }
            _ => origin.to_string(),
        }
    }
}

impl Document {
    /// This document as YAML, in block style, with the keys in their order.
    pub fn to_yaml(&self, print: &Print) -> String {
        let mut out = String::new();
        let trace = print.origins.then_some((&self.trace, print));
        block(&mut out, &print.visible(self), 0, &Around { trace, path: String::new() });
        out
    }

    /// This document as JSON, in lines.
    pub fn to_json(&self, print: &Print) -> String {
        format!("{:#}\n", print.visible(self))
    }

    /// The origin of each leaf, by its path, in the order of the keys. An empty map or list is a
    /// leaf, too.
    pub fn origins(&self, print: &Print) -> Vec<(String, String)> {
        let mut out = Vec::new();
        self.leaves(&self.value, String::new(), print, &mut out);
        out
    }

    fn leaves(&self, value: &Value, path: String, print: &Print, out: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    self.leaves(value, path::child(&path, key), print, out);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    self.leaves(item, path::item(&path, at), print, out);
                }
            }
            _ => {
                if let Some(origin) = self.trace.nearest(&path) {
                    let origin = print.origin(origin);
                    out.push((path, origin));
                }
            }
        }
    }
}

/// A value as YAML, in block style. It reads back as the same value.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    block(&mut out, value, 0, &Around { trace: None, path: String::new() });
    out
}

/// What is known of where a value stands.
struct Around<'a> {
    trace: Option<(&'a Trace, &'a Print)>,
    path: String,
}

impl Around<'_> {
    fn step(&self, path: impl FnOnce(&str) -> String) -> Self {
        // Paths are only of use to find origins.
        let path = self.trace.map_or_else(String::new, |_| path(&self.path));
        Self { trace: self.trace, path }
    }

    fn comment(&self, out: &mut String) {
        let Some((trace, print)) = self.trace else { return };
        if let Some(origin) = trace.nearest(&self.path) {
            // A file may be called anything.
            let _ = write!(out, " # {}", print.origin(origin).replace(char::is_control, " "));
        }
    }
}

/// Writes a value that begins at the start of a line, or behind a `- `.
fn block(out: &mut String, value: &Value, indent: usize, around: &Around<'_>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    spaces(out, indent);
                }
                scalar(out, key);
                out.push(':');
                after(out, value, indent, &around.step(|path| path::child(path, key)));
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    spaces(out, indent);
                }
                out.push_str("- ");
                block(out, item, indent + 2, &around.step(|path| path::item(path, at)));
            }
        }
        leaf => {
            match leaf {
                Value::Object(_) => out.push_str("{}"),
                Value::Array(_) => out.push_str("[]"),
                Value::String(text) => scalar(out, text),
                other => {
                    let _ = write!(out, "{other}");
                }
            }
            around.comment(out);
            out.push('\n');
        }
    }
}

/// Writes a value behind its key.
fn after(out: &mut String, value: &Value, indent: usize, around: &Around<'_>) {
    let is_block = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        spaces(out, indent + 2);
        block(out, value, indent + 2, around);
    } else {
        out.push(' ');
        block(out, value, indent, around);
    }
}

fn spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

/// A text without quotes if every YAML reader takes it for a text, else in double quotes.
fn scalar(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // What an editor does not show, or takes for the end of a line.
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Errs on the side of quotes: YAML 1.1 readers have words and numbers of their own.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan", "infinity"];
    let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let rest = text.chars().all(|c| c.is_alphanumeric() || "_-./ :@+,=".contains(c));
    (first || is_quantity(text))
        && rest
        && !text.contains(": ")
        && !text.ends_with([':', ' '])
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `2s`, `0.5h`, `64KiB`: a number to no reader.
fn is_quantity(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let based = ["0x", "0o", "0b"].iter().any(|base| text.to_ascii_lowercase().starts_with(base));
    number.len() < text.len()
        && !based
        && number.split('.').count() <= 2
        && number.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}
