//! Which keys hold secrets, and how they are kept out of sight.

use super::interpolate::Drawn;
use serde_json::{Map, Value, json};
use std::{borrow::Cow, collections::BTreeSet, sync::LazyLock};

/// What stands in place of a secret wherever a config is shown or recorded.
pub const REDACTED: &str = "[redacted]";

/// The rule for which keys hold secrets: those whose last words are one of the patterns.
///
/// `api_key` matches `api_key`, `OPENAI_API_KEY`, `openaiApiKey` and `x-api-key`; `token` matches
/// `access_token`, but neither `max_tokens` nor `token_count`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretKeys {
    patterns: Vec<String>,
    /// Values that are secrets under whatever key, by their paths in a config.
    paths: BTreeSet<String>,
    /// Values that may be shown, but that no error quotes.
    unquoted: BTreeSet<String>,
}

const DEFAULT: &[&str] = &[
    "access_key",
    "access_key_id",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "client_secret",
    "connection_string",
    "cookie",
    "credential",
    "credentials",
    "database_url",
    "dsn",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "secret",
    "secret_key",
    "secrets",
    "session_id",
    "set_cookie",
    "signing_key",
    "token",
];

static USUAL: LazyLock<SecretKeys> =
    LazyLock::new(|| SecretKeys::none().and(DEFAULT.iter().copied()));

impl Default for SecretKeys {
    fn default() -> Self {
        USUAL.clone()
    }
}

impl SecretKeys {
    /// No key is a secret.
    pub const fn none() -> Self {
        Self { patterns: Vec::new(), paths: BTreeSet::new(), unquoted: BTreeSet::new() }
    }

    /// The default, made once.
    pub(crate) fn usual() -> &'static Self {
        &USUAL
    }

    /// Adds patterns, in any of the usual spellings (`apiKey`, `api_key`, `API-KEY`).
    #[must_use]
    pub fn and<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        self.patterns.extend(
            patterns
                .into_iter()
                .map(|pattern| words(pattern).into_owned())
                .filter(|word| !word.is_empty()),
        );
        self
    }

    /// Adds what the values at and below `base` were drawn from when references were resolved: what
    /// was made of a secret is one under whatever key, and no error quotes what came from the
    /// environment or a file. `base` is where the config stands in what was resolved.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_spearmint::{Config, config::{SecretKeys, interpolate::{Resolvers, resolve}}};
    ///
    /// let mut value = json!({ "password": "sesame", "greeting": "open ${password}" });
    /// let drawn = resolve(&mut value, &Resolvers::standard())?;
    /// let config = Config::with_secrets(value, &SecretKeys::default().and_drawn(&drawn, ""))?;
    /// assert_eq!(config.get::<String>("greeting")?, "open sesame");
    /// assert_eq!(config.redacted()["greeting"], "[redacted]");
    /// # Ok::<(), tower_spearmint::config::ConfigError>(())
    /// ```
    #[must_use]
    pub fn and_drawn(mut self, drawn: &Drawn, base: &str) -> Self {
        for (path, sources) in drawn.below(base) {
            // In a template a secret is whatever may come to stand there.
            let path = match path.find(".$") {
                _ if path.starts_with('$') => "",
                Some(word) => &path[..word],
                None => path,
            };
            if sources.is_secret() {
                self.paths.insert(path.to_owned());
            } else if !sources.may_be_quoted() {
                self.unquoted.insert(path.to_owned());
            }
        }
        self
    }

    /// The paths of values that no error quotes though they are shown.
    pub(crate) fn unquoted(&self) -> impl Iterator<Item = &str> {
        self.unquoted.iter().map(String::as_str)
    }

    /// Adds single values by their paths (`llm.seal`, `items[0].seal`), whatever their keys.
    #[must_use]
    pub fn at<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.paths.extend(paths.into_iter().map(Into::into));
        self
    }

    /// Whether the value under `key` is a secret.
    pub fn matches(&self, key: &str) -> bool {
        let key = words(key);
        self.patterns.iter().any(|pattern| {
            key.strip_suffix(pattern.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('_'))
        })
    }

    /// Whether what stands at `path` is a secret, or is part of one.
    pub(crate) fn cover(&self, path: &str) -> bool {
        super::path::steps(path).any(|step| self.matches(&step)) || self.hide(path)
    }

    /// Whether what stands at `path` is a secret, or is part of one, whatever its keys.
    pub(crate) fn hide(&self, path: &str) -> bool {
        self.paths.iter().any(|secret| super::path::within(path, secret).is_some())
    }

    /// `value` with each secret replaced by [`REDACTED`].
    pub fn redact(&self, value: &Value) -> Value {
        self.replace(value, "", &|_| Value::String(REDACTED.to_owned()))
    }

    /// `value`, which stands at `base` of a config, with each secret replaced by its own path:
    /// what the id is made of.
    pub(crate) fn by_path(&self, value: &Value, base: &str) -> Value {
        self.replace(value, base, &|path| json!({ "$secret": path }))
    }

    /// Whether there may be anything in `value` to hide.
    pub(crate) fn are_in(&self, value: &Value) -> bool {
        !self.paths.is_empty() || self.keys_are_in(value)
    }

    fn keys_are_in(&self, value: &Value) -> bool {
        match value {
            Value::Object(map) => map
                .iter()
                .any(|(key, value)| (hides(value) && self.matches(key)) || self.keys_are_in(value)),
            Value::Array(items) => items.iter().any(|item| self.keys_are_in(item)),
            Value::String(text) => without_userinfo(text).is_some(),
            _ => false,
        }
    }

    fn replace(&self, value: &Value, path: &str, with: &dyn Fn(&str) -> Value) -> Value {
        if !self.paths.is_empty() && self.paths.contains(path) && hides(value) {
            return with(path);
        }
        match value {
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, value)| {
                        let path = super::path::child(path, key);
                        let hide = self.matches(key) && hides(value);
                        let value =
                            if hide { with(&path) } else { self.replace(value, &path, with) };
                        (key.clone(), value)
                    })
                    .collect::<Map<_, _>>(),
            ),
            Value::Array(items) => Value::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.replace(item, &super::path::item(path, at), with))
                    .collect(),
            ),
            Value::String(text) => match without_userinfo(text) {
                Some(clean) => Value::String(clean),
                None => value.clone(),
            },
            other => other.clone(),
        }
    }
}

/// Nothing is hidden by hiding `null` or a switch.
const fn hides(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(_))
}

/// The `user:password@` of each URL in a text, taken out: it is a secret under whatever key it
/// stands.
fn without_userinfo(text: &str) -> Option<String> {
    let (mut clean, mut rest) = (None::<String>, text);
    while let Some(at) = rest.find("://") {
        let (before, url) = (&rest[..at], &rest[at + 3..]);
        let has_scheme = before.ends_with(|last: char| last.is_ascii_alphanumeric());
        let hidden = if has_scheme { userinfo(url) } else { 0 };
        if hidden > 0 {
            let clean = clean.get_or_insert_with(|| text[..text.len() - rest.len()].to_owned());
            clean.extend([before, "://", REDACTED]);
        } else if let Some(clean) = &mut clean {
            clean.extend([before, "://"]);
        }
        rest = &url[hidden..];
    }
    clean.map(|clean| clean + rest)
}

/// How much of what follows `://` stands before the `@` of a user.
fn userinfo(url: &str) -> usize {
    let url =
        url.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'')).next().unwrap_or(url);
    let authority = url.split(['/', '?', '#']).next().unwrap_or(url);
    if let Some(at) = authority.rfind('@') {
        return at;
    }
    // A password with a slash in it ends the authority too soon: what stands there is no port then.
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((_, port)) if !authority.starts_with('[') && !is_port(port) => {
            url.rfind('@').unwrap_or(0)
        }
        _ => 0,
    }
}

/// `openaiApiKey`, `OPENAI-API-KEY` and `openai_api_key` are the same words.
fn words(key: &str) -> Cow<'_, str> {
    // Most keys are written that way already.
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut after_plain = false;
    let is_in_words = key.bytes().all(|byte| {
        let fits = is_plain(byte) || (byte == b'_' && after_plain);
        after_plain = is_plain(byte);
        fits
    });
    if is_in_words && !key.ends_with('_') {
        return Cow::Borrowed(key);
    }
    let mut out = String::with_capacity(key.len() + 4);
    let mut previous_lower = false;
    for character in key.chars() {
        if character.is_alphanumeric() {
            if character.is_uppercase() && previous_lower {
                out.push('_');
            }
            previous_lower = character.is_lowercase() || character.is_numeric();
            out.extend(character.to_lowercase());
        } else {
            previous_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_match_by_their_last_words() {
        let keys = SecretKeys::default();
        for secret in [
            "api_key",
            "OPENAI_API_KEY",
            "openaiApiKey",
            "x-api-key",
            "access_token",
            "Authorization",
            "db.password",
            "clientSecret",
            "proxy-authorization",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(keys.matches(secret), "{secret}");
        }
        for open in [
            "max_tokens",
            "token_count",
            "author",
            "keyboard",
            "passwordless",
            "tokenizer",
            "model",
        ] {
            assert!(!keys.matches(open), "{open}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_hidden_wherever_it_stands_and_however_it_is_written() {
        for (text, shown) in [
            // Keys in base 64 have slashes, which nobody escapes.
            ("redis://:ab/c+d=@host:6379/0", "redis://[redacted]@host:6379/0"),
            ("postgres://u:p/w?d#x@host/db", "postgres://[redacted]@host/db"),
            ("kafka://u:p@a:1,v:q@b:2/t", "kafka://[redacted]@b:2/t"),
            ("http://u:p@a,http://v:q@b", "http://[redacted]@a,http://[redacted]@b"),
            (
                "see http://u:p@a/b or (https://c:d@e)",
                "see http://[redacted]@a/b or (https://[redacted]@e)",
            ),
            ("jdbc:postgresql://u:p@h/db", "jdbc:postgresql://[redacted]@h/db"),
        ] {
            assert_eq!(without_userinfo(text).as_deref(), Some(shown));
        }
        for open in [
            "http://host/a@b",
            "http://host:80/a@b?c=d@e",
            "http://[::1]:80/@",
            "http://${host}:80/@x",
            "mail a@b: see ://c",
            "://a@b",
            "http://host, or write to a@b",
        ] {
            assert_eq!(without_userinfo(open), None, "{open}");
        }
    }

    #[test]
    fn secrets_are_hidden_at_any_depth_and_urls_lose_their_password() {
        let value = json!({
            "llm": { "api_key": "k", "nested": [{ "token": 12 }], "password": null },
            "upstream": "http://user:pw@host:80/a@b",
        });
        assert_eq!(
            SecretKeys::default().redact(&value),
            json!({
                "llm": { "api_key": REDACTED, "nested": [{ "token": REDACTED }], "password": null },
                "upstream": "http://[redacted]@host:80/a@b",
            })
        );
    }
}
