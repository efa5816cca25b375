//! Configs from YAML, with the line and column of everything.
//!
//! A file holds one config, several documents, or a list; a directory is read recursively in
//! sorted order. YAML's loose scalars are pinned down, so that a file means the same to every
//! reader: `true`/`false` are the only booleans, a number that would lose digits (`010`, `2^64`)
//! is an error, and a key written twice is an error.
//!
//! ```
//! use tower_spearmint::ConfigPool;
//!
//! let pool = ConfigPool::from_yaml_str("
//! - config_id: stable
//!   model: small-v1
//! - config_id: candidate
//!   model: small-v2
//! ")?;
//! assert_eq!(pool.len(), 2);
//!
//! let error = ConfigPool::from_yaml_str("{ config_id: a, size: 010 }").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "<text>:1:23: `size`: `010` is not a plain number; write 10, or \"010\" for a text"
//! );
//! # Ok::<(), tower_spearmint::config::ConfigError>(())
//! ```

use super::{Config, ConfigError, ConfigPool, SecretKeys, path};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
};

/// The most bytes one YAML text may have: far above honest files, far below a hostile one.
const MAX_BYTES: usize = 16 << 20;

/// Honest files are not nested this deep.
const MAX_DEPTH: usize = 64;
const MAX_DOCUMENTS: usize = 100_000;
/// An alias of an alias of an alias … grows fast.
const MAX_ANCHORED: usize = 100_000;
/// Some 50 KiB for each level, in a debug build.
const PARSER_STACK: usize = 16 << 20;

impl ConfigPool {
    /// A pool from YAML text: one config, several documents, or a list.
    ///
    /// # Errors
    ///
    /// When the text is not YAML, a document is not a config, there are none, or two different
    /// ones share an id. The error names the line and column.
    pub fn from_yaml_str(text: &str) -> Result<Self, ConfigError> {
        Self::placed(configs_of(&parse(text, "<text>")?)?, "<text>")
    }

    /// As [`ConfigPool::from_yaml_str`], from a file.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_str`], and when the file cannot be read.
    pub fn from_yaml_file(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let file = file.as_ref();
        let place = file.display().to_string();
        Self::placed(configs_of(&parse(&read(file)?, &place)?)?, &place)
    }

    /// A pool from every `*.yaml` and `*.yml` below a directory, in the order of their paths.
    /// Names that begin with a dot are passed over.
    ///
    /// # Errors
    ///
    /// As [`ConfigPool::from_yaml_file`].
    pub fn from_dir(directory: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let directory = directory.as_ref();
        let mut files = Vec::new();
        collect(directory, &mut Vec::new(), &mut files)?;
        files.sort();
        let mut configs = Vec::new();
        for file in files {
            configs.extend(configs_of(&parse(&read(&file)?, &file.display().to_string())?)?);
        }
        Self::placed(configs, &directory.display().to_string())
    }
}

/// Honest trees are not this deep.
const MAX_DIRECTORY_DEPTH: usize = 32;

/// `above`: the directories around this one, as they are really called, since symbolic links may
/// make a circle.
fn collect(
    directory: &Path,
    above: &mut Vec<PathBuf>,
    files: &mut Vec<PathBuf>,
) -> Result<(), ConfigError> {
    let failed = |source| ConfigError::Read { path: directory.to_owned(), source };
    let real = directory.canonicalize().map_err(failed)?;
    if above.contains(&real) {
        return Err(failed(std::io::Error::other("a link to a directory that it stands in")));
    }
    if above.len() >= MAX_DIRECTORY_DEPTH {
        return Err(failed(std::io::Error::other("nested more than 32 deep")));
    }
    above.push(real);
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, above, files)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
        }
    }
    above.pop();
    Ok(())
}

pub(crate) fn read(file: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { path: file.to_owned(), source };
    let size = std::fs::metadata(file).map_err(failed)?.len();
    if size > MAX_BYTES as u64 {
        return Err(failed(std::io::Error::other("larger than 16 MiB")));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let bytes = error.as_bytes();
        let at = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&bytes[..at]);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        syntax(
            &file.display().to_string(),
            Spot { line, column },
            format!("the byte {:#04x} is not UTF-8; save the file as UTF-8", bytes[at]),
        )
    })
}

/// One YAML document: its value, and where each part of it was written.
#[derive(Debug, Clone)]
pub struct Document {
    place: String,
    value: Value,
    spots: HashMap<String, Spot>,
    /// Paths that were set from a command line, and how.
    overrides: Vec<(String, String)>,
}

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
}

impl Document {
    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The part at `path`, if there is one.
    pub fn get(&self, path: &str) -> Option<&Value> {
        path::find(&self.value, path)
    }

    #[cfg(feature = "proxy")]
    pub(crate) const fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// Sets one value from `key=value` as it is given on a command line: the key is a dotted path
    /// (`shadow.sample`, `configs[1].upstream`), the value is read as YAML. Maps on the way that
    /// are not there are made. Errors about the value name the override.
    ///
    /// # Errors
    ///
    /// When the text is not of that form, the value is not YAML, or the path leads through
    /// something that is not a map or an item of a list.
    pub fn set(&mut self, text: &str) -> Result<(), ConfigError> {
        let place = format!("override `{text}`");
        let wrong = |message: &str| syntax(&place, Spot { line: 1, column: 1 }, message);
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| path::steps(key).next().is_some())
            .ok_or_else(|| wrong("not `key=value`; write one as in shadow.sample=0.1"))?;
        let value = match parse(value, &place)?.as_slice() {
            [] => Value::Null,
            [document] => document.value.clone(),
            _ => return Err(wrong("more than one YAML document")),
        };
        let target = path::steps(key).try_fold(&mut self.value, |value, step| match value {
            Value::Object(map) => Some(map.entry(step).or_insert(Value::Null)),
            Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
            Value::Null => {
                *value = Value::Object(Map::new());
                value.as_object_mut().map(|map| map.entry(step).or_insert(Value::Null))
            }
            _ => None,
        });
        *target.ok_or_else(|| {
            wrong("the path leads through something that is not a map or a list item")
        })? = value;
        let key = path::steps(key).fold(String::new(), |path, step| {
            if step.bytes().all(|b| b.is_ascii_digit()) {
                format!("{path}[{step}]")
            } else {
                path::join(&path, step)
            }
        });
        self.overrides.push((key, text.to_owned()));
        Ok(())
    }

    /// Where the value at `path` was written, or else the nearest part around it.
    pub fn spot(&self, path: &str) -> Spot {
        let mut path = path;
        loop {
            if let Some(spot) = self.spots.get(path) {
                return *spot;
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = &path[..at],
                None if path.is_empty() => return Spot { line: 1, column: 1 },
                None => path = "",
            }
        }
    }

    /// An error at `path` that names the file, the line and the column.
    pub fn error(&self, path: &str, message: impl fmt::Display) -> ConfigError {
        let Spot { line, column } = self.spot(path);
        let set = self.overrides.iter().rev().find(|(key, _)| {
            path.strip_prefix(key.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        if let Some((_, text)) = set {
            return ConfigError::Override {
                text: text.clone(),
                message: format!("`{path}`: {message}"),
            };
        }
        let message =
            if path.is_empty() { message.to_string() } else { format!("`{path}`: {message}") };
        ConfigError::Syntax { place: self.place.clone(), line, column, message }
    }

    /// Binds the part at `path` to a type.
    ///
    /// # Errors
    ///
    /// When it does not fit; the error names the file, the line and the column.
    pub fn bind<T: serde::de::DeserializeOwned>(&self, at: &str) -> Result<T, ConfigError> {
        let value = path::find(&self.value, at).unwrap_or(&Value::Null);
        serde_path_to_error::deserialize(value).map_err(|error| {
            let inside = path::join(at, &error.path().to_string());
            let message = helpful(&error.into_inner().to_string());
            // serde names an unknown key in the message only; point at the key itself.
            let unknown = message.strip_prefix("unknown key `").and_then(|m| m.split('`').next());
            match unknown {
                Some(key) if !inside.ends_with(key) => {
                    self.error(&path::join(&inside, key), message)
                }
                _ => self.error(&inside, message),
            }
        })
    }
}

/// Reads every document of a YAML text.
///
/// # Errors
///
/// When it is not YAML, is beyond the bounds against hostile files, repeats a key, or has a
/// number that would lose digits.
pub fn parse(text: &str, place: &str) -> Result<Vec<Document>, ConfigError> {
    // The parser's frames are so large that 64 levels overflow the usual stack of a thread.
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(PARSER_STACK)
            .spawn_scoped(scope, || parse_here(text, place))
            .map(|parser| parser.join().ok())
            .unwrap_or_default()
            .unwrap_or_else(|| {
                Err(syntax(place, Spot { line: 1, column: 1 }, "no thread to read it on"))
            })
    })
}

fn parse_here(text: &str, place: &str) -> Result<Vec<Document>, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(syntax(place, Spot { line: 1, column: 1 }, "larger than 16 MiB"));
    }
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        budget: serde_saphyr::budget! {
            max_nodes: 2_000_000,
            max_events: 8_000_000,
            max_depth: MAX_DEPTH,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_recorded_anchor_events: MAX_ANCHORED,
            max_documents: MAX_DOCUMENTS,
            max_total_scalar_bytes: MAX_BYTES,
        },
    };
    let trees: Vec<Tree> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            let spot = error.location().map_or(Spot { line: 1, column: 1 }, |location| Spot {
                line: location.line(),
                column: location.column(),
            });
            syntax(place, spot, plain_message(&error.without_snippet().to_string()))
        })?;
    trees
        .into_iter()
        .map(|tree| {
            let mut reader = Reader { text, place, spots: HashMap::new() };
            let value = reader.value(tree, "")?;
            let spots = reader.spots;
            Ok(Document { place: place.to_owned(), value, spots, overrides: Vec::new() })
        })
        .collect()
}

/// serde's message, in words for people who write files; with the nearest key where one is
/// unknown.
fn helpful(message: &str) -> String {
    let Some((found, expected)) =
        message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "))
    else {
        return message.replace("missing field", "missing key");
    };
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let nearest = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(found, key), *key))
        .min()
        .filter(|(distance, key)| *distance <= 2.max(key.len() / 3));
    match nearest {
        Some((_, key)) => format!("unknown key `{found}`; did you mean `{key}`?"),
        None => format!("unknown key `{found}`; there are {}", known.join(", ")),
    }
}

fn syntax(place: &str, spot: Spot, message: impl Into<String>) -> ConfigError {
    ConfigError::Syntax {
        place: place.to_owned(),
        line: spot.line,
        column: spot.column,
        message: message.into(),
    }
}

/// The parser repeats the position in its text, where ours stands in front already, and speaks to
/// programmers.
fn plain_message(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message).trim_end_matches([':', ',']);
    let (message, _advice) = message.split_once(", set ").unwrap_or((message, ""));
    if let Some(key) = message.strip_prefix("duplicate mapping key: ") {
        return format!("the key `{key}` is written twice in one map; keep one of them");
    }
    if message.starts_with("recursive references") {
        return "an alias stands inside the value it refers to".to_owned();
    }
    if let Some(bound) = message.strip_prefix("budget breached: ") {
        let name = bound.split(' ').next().unwrap_or_default();
        return match name {
            "Depth" => format!("nested deeper than {MAX_DEPTH} levels"),
            "RecordedAnchorEvents" => format!("more than {MAX_ANCHORED} values under anchors"),
            "Documents" => format!("more than {MAX_DOCUMENTS} documents"),
            _ => format!("beyond the bounds against hostile files: {bound}"),
        };
    }
    match message.strip_prefix("non-finite float ").and_then(|rest| rest.split_once(" rejected")) {
        Some((float, _)) => format!("{float} is not a finite number"),
        None => message.to_owned(),
    }
}

/// The configs of some documents, each with where it was written; a list counts as its items.
fn configs_of(documents: &[Document]) -> Result<Vec<(Config, String)>, ConfigError> {
    let mut configs = Vec::new();
    for document in documents {
        let paths = match &document.value {
            Value::Array(items) => (0..items.len()).map(|at| format!("[{at}]")).collect(),
            _ => vec![String::new()],
        };
        for at in paths {
            configs.push(document.config(&at)?);
        }
    }
    Ok(configs)
}

impl Document {
    /// The config at `path`, with the place it was written at.
    fn config(&self, at: &str) -> Result<(Config, String), ConfigError> {
        self.config_with(at, &SecretKeys::default())
    }

    /// As [`Document::config`], with the caller's rule for what is a secret.
    pub(crate) fn config_with(
        &self,
        at: &str,
        secrets: &SecretKeys,
    ) -> Result<(Config, String), ConfigError> {
        let value = path::find(&self.value, at).cloned().unwrap_or(Value::Null);
        let config = Config::with_secrets(value, secrets).map_err(|error| match error {
            // These know better where.
            ConfigError::Number(error) => {
                self.error(&path::join(at, &error.path), error.what_is_wrong())
            }
            ConfigError::BadId { ref found } => self
                .error(&path::join(at, "config_id"), format!("{found} is not a non-empty string")),
            other => self.error(at, other),
        })?;
        let Spot { line, .. } = self.spot(at);
        Ok((config, format!("{}:{line}", self.place)))
    }
}

struct Reader<'a> {
    text: &'a str,
    place: &'a str,
    spots: HashMap<String, Spot>,
}

impl Reader<'_> {
    fn value(&mut self, Tree(node): Tree, path: &str) -> Result<Value, ConfigError> {
        let location = node.defined;
        let spot = Spot { line: location.line(), column: location.column() };
        // A block map begins at its first key; a key's spot, set by the parent, is more telling.
        self.spots.entry(path.to_owned()).or_insert(spot);
        let raw = location
            .span()
            .byte_offset()
            .zip(location.span().byte_len())
            .and_then(|(start, len)| self.text.get(start as usize..(start + len) as usize));
        Ok(match node.value {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Text(text) => Value::String(text),
            Kind::Integer(number) => {
                self.check_plain(raw, spot, path)?;
                Value::Number(number)
            }
            Kind::Float(float) => {
                self.check_plain(raw, spot, path)?;
                let number = Number::from_f64(float).ok_or_else(|| {
                    syntax(self.place, spot, format!("`{path}`: {float} is not a finite number"))
                })?;
                Value::Number(number)
            }
            Kind::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.into_iter().enumerate() {
                    list.push(self.value(item, &format!("{path}[{at}]"))?);
                }
                Value::Array(list)
            }
            Kind::Map(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    let path = path::join(path, &key.value);
                    let Tree(inner) = &item;
                    let is_block = matches!(inner.value, Kind::Map(_) | Kind::List(_));
                    let at = if is_block { key.defined } else { inner.defined };
                    self.spots.insert(path.clone(), Spot { line: at.line(), column: at.column() });
                    let value = self.value(item, &path)?;
                    map.insert(key.value, value);
                }
                Value::Object(map)
            }
        })
    }

    /// A number must be written so that every YAML reader takes it for the same number.
    fn check_plain(&self, raw: Option<&str>, spot: Spot, path: &str) -> Result<(), ConfigError> {
        let Some(raw) = raw.map(str::trim) else { return Ok(()) };
        let digits = raw.trim_start_matches(['-', '+']);
        let lower = digits.to_ascii_lowercase();
        if digits.is_empty() || lower.starts_with("0x") || lower.starts_with("0o") {
            return Ok(());
        }
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            // An alias or a tagged scalar: its own text is not at this place.
            return Ok(());
        }
        let stripped = digits.trim_start_matches('0');
        let leading_zero = digits.len() > 1
            && digits.starts_with('0')
            && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if leading_zero || digits.contains(['_', ':']) {
            let plain = stripped.replace('_', "");
            return Err(syntax(
                self.place,
                spot,
                format!(
                    "`{path}`: `{raw}` is not a plain number; write {plain}, or \"{raw}\" for a text"
                ),
            ));
        }
        let integer = digits.bytes().all(|b| b.is_ascii_digit());
        if integer && raw.parse::<i64>().is_err() && raw.parse::<u64>().is_err() {
            return Err(syntax(
                self.place,
                spot,
                format!(
                    "`{path}`: {raw} does not fit 64 bits and would lose digits; write it in quotes"
                ),
            ));
        }
        Ok(())
    }
}

/// A node of the text with its place.
struct Tree(Spanned<Kind>);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

enum Kind {
    Null,
    Bool(bool),
    Integer(Number),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Spanned<String>, Tree)>),
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Map(entries))
    }
}
