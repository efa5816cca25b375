//! From a template to the tree that gives its values by index.

use super::{
    SpaceError,
    node::{Entry, Frame, Node, order},
    numbers::Numbers,
    words::{Word, shown},
};
use crate::config::{SecretKeys, canonical_json, path};
use serde_json::{Map, Value, json};

/// Templates are not nested this deep.
const MAX_DEPTH: usize = 100;
/// So many numbers of sequences are written out, in all of a template. Longer ones are computed
/// when asked for.
const MAX_WRITTEN_OUT: u64 = 1 << 16;

/// Whether a value has `$` words, so that it stands for several.
pub(crate) fn is_template(value: &Value) -> bool {
    match value {
        Value::Object(map) => {
            map.iter().any(|(key, value)| key.starts_with('$') || is_template(value))
        }
        Value::Array(items) => items.iter().any(is_template),
        _ => false,
    }
}

pub(super) struct Reader<'a> {
    secrets: &'a SecretKeys,
    write_out: u64,
}

/// Where the reader is: in the config that will be, and in the template.
#[derive(Clone)]
struct Here {
    path: String,
    at: String,
    /// The value stands under the key of a secret.
    secret: bool,
    depth: usize,
}

/// The keys of a map that vary together: each by itself, but what is zipped.
struct Group {
    entries: Vec<(String, Node)>,
    len: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn read(secrets: &'a SecretKeys, template: Value) -> Result<Node, SpaceError> {
        let here = Here { path: String::new(), at: String::new(), secret: false, depth: 0 };
        Self { secrets, write_out: MAX_WRITTEN_OUT }.node(template, &here)
    }

    fn node(&mut self, value: Value, here: &Here) -> Result<Node, SpaceError> {
        if here.depth > MAX_DEPTH {
            return Err(SpaceError::new(
                &here.at,
                format!("nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        if !is_template(&value) {
            return self.fixed(value, here);
        }
        match value {
            Value::Object(map) => {
                let word = map.keys().find(|key| key.starts_with('$') && !key.starts_with("$$"));
                match word.cloned() {
                    None => self.map(map, here),
                    Some(key) => match Word::read(&key, &here.at)? {
                        Word::Grid | Word::Zip => self.map(map, here),
                        word => self.generator(word, &key, map, here),
                    },
                }
            }
            Value::Array(items) => self.list(items, here),
            value => self.fixed(value, here),
        }
    }

    fn fixed(&self, value: Value, here: &Here) -> Result<Node, SpaceError> {
        let canonical = if here.secret && !(value.is_null() || value.is_boolean()) {
            marker(&here.path)
        } else {
            canonical_json(&self.secrets.by_path(&value, &here.path)).map_err(|error| {
                SpaceError::new(&path::join(&here.at, &error.path), error.what_is_wrong())
            })?
        };
        Ok(Node::Fixed { value, canonical: canonical.into() })
    }

    /// `$choice` or numbers, alone in their map but for their options.
    fn generator(
        &mut self,
        word: Word,
        key: &str,
        mut map: Map<String, Value>,
        here: &Here,
    ) -> Result<Node, SpaceError> {
        let beside = map.keys().find(|k| *k != key && !word.options().contains(&k.as_str()));
        if let Some(beside) = beside {
            let options = match word.options() {
                [] => String::new(),
                options => format!(" (but for `{}`)", options.join("`, `")),
            };
            return Err(SpaceError::new(
                &path::join(&here.at, beside),
                format!("`{key}` stands alone in its map{options}; `{beside}` is beside it"),
            ));
        }
        let at = path::join(&here.at, key);
        match word {
            Word::Numbers(kind) => {
                let mut numbers = kind.read(&map, &map[key], &here.at, &at)?;
                self.afford(&mut numbers);
                let secret = here.secret.then(|| marker(&here.path).into());
                Ok(Node::Numbers { numbers: Box::new(numbers), secret })
            }
            _ => self.choice(map.remove(key).unwrap_or_default(), &at, here),
        }
    }

    fn afford(&mut self, numbers: &mut Numbers) {
        if let Some(left) = self.write_out.checked_sub(numbers.len) {
            self.write_out = left;
            numbers.write_out();
        }
    }

    /// A list, each item of which stands where the list does.
    fn choice(&mut self, values: Value, at: &str, here: &Here) -> Result<Node, SpaceError> {
        let Value::Array(values) = values else {
            let message = format!("{} is not a list of values, as in [a, b]", shown(&values));
            return Err(SpaceError::new(at, message));
        };
        if values.is_empty() {
            return Err(SpaceError::new(at, "empty; at least one value is needed"));
        }
        let (mut parts, mut ends, mut end) = (Vec::new(), Vec::new(), 0_u64);
        for (index, value) in values.into_iter().enumerate() {
            let here = Here { at: format!("{at}[{index}]"), depth: here.depth + 1, ..here.clone() };
            let part = self.node(value, &here)?;
            end = end.checked_add(part.len()).ok_or_else(|| too_many(at))?;
            parts.push(part);
            ends.push(end);
        }
        Ok(Node::Choice { parts, ends })
    }

    /// The values of a key under `$grid` or `$zip`: a list of them, or a generator.
    fn values(&mut self, value: Value, here: &Here) -> Result<Node, SpaceError> {
        let is_generator = |map: &Map<String, Value>| {
            map.keys().any(|key| key.starts_with('$') && !key.starts_with("$$"))
        };
        match &value {
            Value::Array(_) => self.choice(value, &here.at, here),
            Value::Object(map) if is_generator(map) => self.node(value, here),
            _ => Err(SpaceError::new(
                &here.at,
                format!(
                    "{} is neither a list of values, as in [a, b], nor a generator, as in \
                     {{ $range: [0, 3] }}",
                    shown(&value)
                ),
            )),
        }
    }

    fn list(&mut self, items: Vec<Value>, here: &Here) -> Result<Node, SpaceError> {
        let mut entries = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let here = Here {
                path: format!("{}[{index}]", here.path),
                at: format!("{}[{index}]", here.at),
                secret: false,
                depth: here.depth + 1,
            };
            entries.push(Entry::new(String::new(), self.node(item, &here)?));
        }
        let mut len = 1_u64;
        for entry in entries.iter_mut().rev() {
            entry.stride = len;
            len = len.checked_mul(entry.node.len()).ok_or_else(|| too_many(&here.at))?;
        }
        let secret = here.secret.then(|| marker(&here.path).into());
        Ok(Node::List { items: entries, len, secret })
    }

    /// A map of plain keys, with the keys of a `$grid` and of a `$zip` among them.
    fn map(&mut self, map: Map<String, Value>, here: &Here) -> Result<Node, SpaceError> {
        let mut groups = Vec::new();
        for (key, value) in map {
            match key.strip_prefix('$') {
                Some(plain) if !plain.starts_with('$') => {
                    let at = path::join(&here.at, &key);
                    match Word::read(&key, &here.at)? {
                        Word::Grid => groups.extend(self.fields(value, &at, here)?),
                        Word::Zip => groups.push(zipped(self.fields(value, &at, here)?, &at)?),
                        _ => {
                            let message = format!(
                                "`{key}` stands alone in its map; put it under a key of its own"
                            );
                            return Err(SpaceError::new(&at, message));
                        }
                    }
                }
                plain => {
                    let inside =
                        self.under(plain.unwrap_or(&key), path::join(&here.at, &key), here);
                    let node = self.node(value, &inside)?;
                    let key = plain.unwrap_or(&key).to_owned();
                    groups.push(Group { len: node.len(), entries: vec![(key, node)] });
                }
            }
        }
        // The order of the keys, whatever order this build keeps them in.
        groups.sort_by(|a, b| order(&a.entries[0].0, &b.entries[0].0));
        let (mut entries, len) = strides(groups, here)?;
        entries.sort_by(|a, b| order(&a.key, &b.key));
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            let key = &twice[0].key;
            return Err(SpaceError::new(&here.at, format!("the key `{key}` is given twice")));
        }
        for (index, entry) in entries.iter_mut().enumerate() {
            let key = canonical_json(&Value::from(&*entry.key)).unwrap_or_default();
            entry.lead = Some(format!("{}{key}:", if index == 0 { '{' } else { ',' }).into());
        }
        let frame = Box::new(Frame::new(&entries));
        Ok(Node::Map {
            entries,
            frame,
            len,
            secret: here.secret.then(|| marker(&here.path).into()),
        })
    }

    /// The fields of `$grid` or `$zip`, each varying by itself.
    fn fields(&mut self, value: Value, at: &str, here: &Here) -> Result<Vec<Group>, SpaceError> {
        let Value::Object(fields) = value else {
            let message = format!(
                "{} is not a map of lists, as in {{ a: [1, 2], b: [3, 4] }}",
                shown(&value)
            );
            return Err(SpaceError::new(at, message));
        };
        if fields.is_empty() {
            return Err(SpaceError::new(at, "empty; at least one key is needed"));
        }
        let mut groups = Vec::new();
        for (key, value) in fields {
            let plain = match key.strip_prefix('$') {
                None => &*key,
                Some(plain) if plain.starts_with('$') => plain,
                Some(_) => {
                    let message = "a `$` word in place of a key; put it under a key of its own";
                    return Err(SpaceError::new(&path::join(at, &key), message));
                }
            };
            let inside = self.under(plain, path::join(at, &key), here);
            let node = self.values(value, &inside)?;
            groups.push(Group { len: node.len(), entries: vec![(plain.to_owned(), node)] });
        }
        groups.sort_by(|a, b| order(&a.entries[0].0, &b.entries[0].0));
        Ok(groups)
    }

    fn under(&self, key: &str, at: String, here: &Here) -> Here {
        let secret = self.secrets.matches(key);
        Here { path: path::join(&here.path, key), at, secret, depth: here.depth + 1 }
    }
}

fn zipped(groups: Vec<Group>, at: &str) -> Result<Group, SpaceError> {
    let len = groups.first().map_or(1, |group| group.len);
    if groups.iter().any(|group| group.len != len) {
        let lengths: Vec<_> = groups
            .iter()
            .map(|group| format!("`{}` has {}", group.entries[0].0, group.len))
            .collect();
        let message =
            format!("lengths differ: {}; what is zipped has one length", lengths.join(", "));
        return Err(SpaceError::new(at, message));
    }
    Ok(Group { entries: groups.into_iter().flat_map(|group| group.entries).collect(), len })
}

/// Places the groups side by side as the digits of a number; the last varies fastest.
fn strides(groups: Vec<Group>, here: &Here) -> Result<(Vec<Entry>, u64), SpaceError> {
    let mut entries = Vec::new();
    let mut stride = 1_u64;
    for group in groups.into_iter().rev() {
        for (key, node) in group.entries.into_iter().rev() {
            entries.push(Entry { stride, ..Entry::new(key, node) });
        }
        stride = stride.checked_mul(group.len).ok_or_else(|| too_many(&here.at))?;
    }
    entries.reverse();
    Ok((entries, stride))
}

fn marker(path: &str) -> String {
    canonical_json(&json!({ "$secret": path })).unwrap_or_default()
}

fn too_many(at: &str) -> SpaceError {
    SpaceError::new(at, "would be 2^64 configs or more; narrow it")
}
