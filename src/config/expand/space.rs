//! All configs of one template, by index.

use super::{
    SpaceError,
    iter::{Kept, Points, Sample},
    node::Node,
    read::Reader,
    rules::{self, Rules},
};
use crate::config::{Config, ConfigError, ConfigId, SecretKeys, path};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

/// All configs that a template stands for, numbered from 0. Cheap to clone.
///
/// Nothing is made of them until it is asked for: a space of a billion configs takes as much
/// memory as its template.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::config::expand::Space;
///
/// let space = Space::new(json!({
///     "model": { "$choice": ["small", "large"] },
///     "temperature": { "$linspace": [0, 1, 5] },
/// }))?;
/// assert_eq!(space.len(), 10);
/// assert_eq!(space.get(7)?.value(), &json!({ "model": "large", "temperature": 0.5 }));
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Space {
    inner: Arc<Inner>,
    resolve: Option<Resolve>,
}

type Resolve = Arc<dyn Fn(&mut Value) -> Result<(), ConfigError> + Send + Sync>;

struct Inner {
    root: Node,
    rules: Rules,
    axes: Vec<Axis>,
    secrets: SecretKeys,
    /// Some config may have a secret.
    has_secrets: bool,
    /// Some config may say its own id.
    has_ids: bool,
}

/// What varies independently of everything else in a space: one digit of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    paths: Vec<String>,
    len: u64,
    stride: u64,
}

impl Axis {
    /// The paths that vary: several if they are zipped. An empty one is the whole config.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// How many values there are.
    // A length of 0 is an error of the template.
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(&self) -> u64 {
        self.len
    }
}

impl Space {
    /// Reads a template: a map of settings with `$` words anywhere in it. A map without any is a
    /// space of one config.
    ///
    /// # Errors
    ///
    /// When a word is unknown or given what it cannot take, when there would be 2⁶⁴ configs or
    /// more, or when the rules under `$expand` are wrong. The error names the path.
    pub fn new(template: Value) -> Result<Self, SpaceError> {
        Self::with_secrets(template, SecretKeys::default())
    }

    /// As [`Space::new`], with the caller's rule for what is a secret.
    ///
    /// # Errors
    ///
    /// As [`Space::new`].
    pub fn with_secrets(template: Value, secrets: SecretKeys) -> Result<Self, SpaceError> {
        Self::read(template, &secrets).map_err(|error| error.hushed(&secrets))
    }

    fn read(mut template: Value, secrets: &SecretKeys) -> Result<Self, SpaceError> {
        if !template.is_object() {
            let found = path::kind(&template);
            return Err(SpaceError::new(
                "",
                format!("a config is a map of settings; this is {found}"),
            ));
        }
        let rules = rules::take(&mut template);
        let has_secrets = secrets.are_in(&template);
        let root = Reader::read(secrets, template)?;
        let mut is_map = true;
        root.each_at(&[], &mut |found| is_map &= found.is_some_and(|found| found.is_map()));
        if !is_map {
            return Err(SpaceError::new("", "not every config of it is a map of settings"));
        }
        let rules = match rules {
            Some(rules) => Rules::read(&rules, &root, secrets)?,
            None => Rules::default(),
        };
        let has_ids = check_ids(&root, &rules)?;
        let mut axes = Vec::new();
        root.axes(String::new(), 1, &mut axes);
        let secrets = secrets.clone();
        let inner = Inner { root, rules, axes, secrets, has_secrets, has_ids };
        Ok(Self { inner: Arc::new(inner), resolve: None })
    }

    /// Applies `resolve` to every config when it is made, before its id is: for what depends on
    /// the values chosen. The conditions of `exclude` and `include` see the values before.
    #[must_use]
    pub fn resolved_by(
        mut self,
        resolve: impl Fn(&mut Value) -> Result<(), ConfigError> + Send + Sync + 'static,
    ) -> Self {
        self.resolve = Some(Arc::new(resolve));
        self
    }

    /// How many configs there are, those that `exclude` and `include` leave out among them: the
    /// indices run from 0 up to this. At least 1.
    // An empty space cannot be made.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.inner.root.len()
    }

    /// Whether `exclude` or `include` may leave some out.
    pub fn is_filtered(&self) -> bool {
        self.inner.rules.is_filter()
    }

    /// What it costs to look whether a config is left out, in tokens of the conditions; 0 if none is.
    pub(super) fn weight(&self) -> u64 {
        self.inner.rules.weight()
    }

    /// How many configs there are without those that are left out. If some may be, all have to
    /// be looked at: `None` if there are more than `at_most`.
    pub fn count(&self, at_most: u64) -> Option<u64> {
        if !self.is_filtered() {
            return Some(self.len());
        }
        (self.len() <= at_most).then(|| self.iter().count() as u64)
    }

    /// What varies independently, in the order of the digits of the index: the last varies
    /// fastest.
    pub fn axes(&self) -> &[Axis] {
        &self.inner.axes
    }

    /// The config at `index`, whether or not it is left out, without making it.
    pub fn at(&self, index: u64) -> Option<Point<'_>> {
        (index < self.len()).then_some(Point { space: self, index })
    }

    /// Makes the config at `index`, whether or not it is left out.
    ///
    /// # Errors
    ///
    /// When there is no such index, or the config's own id is none.
    pub fn get(&self, index: u64) -> Result<Config, ConfigError> {
        let Some(point) = self.at(index) else {
            let message = format!("no config {index}; there are {}, counted from 0", self.len());
            return Err(SpaceError::new("", message).into());
        };
        point.config()
    }

    /// All configs in the order of their indices, without those that are left out.
    pub fn iter(&self) -> Kept<'_> {
        Kept::new(self.points())
    }

    /// All indices, those that are left out among them.
    pub fn points(&self) -> Points<'_> {
        Points::new(self, 0..self.len())
    }

    /// All indices in at most `parts` runs of about equal length, to be iterated by as many
    /// threads.
    pub fn split(&self, parts: usize) -> impl Iterator<Item = Points<'_>> {
        let parts = (parts.max(1) as u64).min(self.len());
        let bound =
            move |part: u64| (u128::from(self.len()) * u128::from(part) / u128::from(parts)) as u64;
        (0..parts).map(move |part| Points::new(self, bound(part)..bound(part + 1)))
    }

    /// `count` different configs in random order (or all, if there are fewer), without those that
    /// are left out. The same seed gives the same ones on every machine.
    pub fn sample(&self, count: u64, seed: u64) -> Sample<'_> {
        Sample::new(self, count, seed)
    }
}

impl<'a> IntoIterator for &'a Space {
    type Item = Point<'a>;
    type IntoIter = Kept<'a>;

    fn into_iter(self) -> Kept<'a> {
        self.iter()
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space").field("len", &self.len()).field("axes", &self.axes()).finish()
    }
}

/// Whether some config says its own id. One id cannot stand for several configs.
fn check_ids(root: &Node, rules: &Rules) -> Result<bool, SpaceError> {
    const KEY: &str = "config_id";
    let mut count = 0_usize;
    root.each_at(&[KEY], &mut |found| count += usize::from(found.is_some()));
    if count > 0 && rules.name().is_some() {
        let message = "both `config_id` and `$expand.name`; one of them says the id";
        return Err(SpaceError::new(KEY, message));
    }
    if let (Node::Map { len: 2.., .. }, Some(Node::Fixed { value, .. })) = (root, root.under(KEY)) {
        let message = format!(
            "{value} would be the id of {} configs; write `$expand: {{ name: … }}` in its place, \
             as in {}",
            root.len(),
            name_example(root),
        );
        return Err(SpaceError::new(KEY, message));
    }
    Ok(count > 0)
}

/// A name made of what varies.
fn name_example(root: &Node) -> String {
    let mut axes = Vec::new();
    root.axes(String::new(), 1, &mut axes);
    match axes.iter().flat_map(|axis| &axis.paths).next() {
        Some(path) => format!("\"a-{{{path}}}\""),
        None => "\"a-{$index}\"".to_owned(),
    }
}

impl Node {
    fn axes(&self, here: String, outer: u64, axes: &mut Vec<Axis>) {
        let (entries, is_list) = match self {
            Self::Fixed { .. } => return,
            Self::Map { entries, .. } => (entries, false),
            Self::List { items, .. } => (items, true),
            Self::Choice { .. } | Self::Numbers { .. } => {
                axes.push(Axis { paths: vec![here], len: self.len(), stride: outer });
                return;
            }
        };
        let first = axes.len();
        let varying = || entries.iter().enumerate().filter(|(_, entry)| entry.node.len() > 1);
        // What is zipped has one stride.
        let mut sharing: HashMap<u64, usize> = HashMap::new();
        for (_, entry) in varying() {
            *sharing.entry(entry.stride).or_default() += 1;
        }
        let mut zipped: HashMap<u64, usize> = HashMap::new();
        for (at, entry) in varying() {
            let path =
                if is_list { format!("{here}[{at}]") } else { path::join(&here, &entry.key) };
            let stride = outer * entry.stride;
            if sharing.get(&entry.stride) == Some(&1) {
                entry.node.axes(path, stride, axes);
            } else if let Some(axis) = zipped.get(&stride) {
                axes[*axis].paths.push(path);
            } else {
                zipped.insert(stride, axes.len());
                axes.push(Axis { paths: vec![path], len: entry.node.len(), stride });
            }
        }
        axes[first..].sort_by_key(|axis| std::cmp::Reverse(axis.stride));
    }
}

/// One config of a space: its index, with ways to look at what it would be.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    space: &'a Space,
    index: u64,
}

impl<'a> Point<'a> {
    pub(super) const fn new(space: &'a Space, index: u64) -> Self {
        Self { space, index }
    }

    /// Its index in the space.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The position on each of the space's [axes](Space::axes).
    pub fn digits(&self) -> impl Iterator<Item = u64> + use<'a> {
        let index = self.index;
        self.space.inner.axes.iter().map(move |axis| index / axis.stride % axis.len)
    }

    /// The value at a dotted path, without making the rest.
    pub fn get(&self, path: &str) -> Option<Cow<'a, Value>> {
        self.space.inner.root.find(self.index, path::steps(path))
    }

    /// Whether `exclude` and `include` leave it in.
    pub fn is_kept(&self) -> bool {
        self.space.inner.rules.keeps(&self.space.inner.root, self.index)
    }

    /// The whole value. A name from the template's `$expand` stands in it as its `config_id`.
    ///
    /// # Errors
    ///
    /// What [`Space::resolved_by`]'s function returns.
    pub fn value(&self) -> Result<Value, ConfigError> {
        let Some(resolve) = &self.space.resolve else {
            return Ok(self.space.inner.value(self.index));
        };
        let mut value = self.space.inner.root.value(self.index);
        resolve(&mut value)?;
        self.space.inner.put_name(self.index, &mut value);
        Ok(value)
    }

    /// The id of the config, without making it.
    ///
    /// # Errors
    ///
    /// When the config's own id is none, and as [`Point::value`].
    pub fn id(&self) -> Result<ConfigId, ConfigError> {
        if self.space.resolve.is_some() {
            return self.config().map(|config| config.id().clone());
        }
        let inner = &*self.space.inner;
        if let Some(own) = self.own_id()? {
            return Ok(own);
        }
        let mut canonical = String::with_capacity(256);
        inner.root.write_canonical(self.index, &mut canonical);
        Ok(ConfigId::of_canonical(&canonical))
    }

    /// The id that the template gives, by a name or in the config itself.
    fn own_id(&self) -> Result<Option<ConfigId>, ConfigError> {
        let inner = &*self.space.inner;
        let find = |steps: &[String]| inner.root.find(self.index, steps.iter().map(String::as_str));
        match inner.rules.name() {
            Some(name) => ConfigId::own(Some(&Value::String(name.render(self.index, find)))),
            None if inner.has_ids => ConfigId::own(self.get("config_id").as_deref()),
            None => Ok(None),
        }
    }

    /// Makes the config: its id now, its value when it is first asked for.
    ///
    /// # Errors
    ///
    /// As [`Point::id`].
    pub fn config(&self) -> Result<Config, ConfigError> {
        let inner = &*self.space.inner;
        if self.space.resolve.is_some() {
            return Config::with_secrets(self.value()?, &inner.secrets);
        }
        let template = Template { space: Arc::clone(&self.space.inner), index: self.index };
        Ok(Config::expanded(self.id()?, template))
    }
}

/// What the value of an expanded config is made from, once it is asked for.
pub(crate) struct Template {
    space: Arc<Inner>,
    index: u64,
}

impl Template {
    pub(crate) fn value(&self) -> Value {
        self.space.value(self.index)
    }

    /// The value without its secrets, if it may have any.
    pub(crate) fn redacted(&self, value: &Value) -> Option<Value> {
        self.space.has_secrets.then(|| self.space.secrets.redact(value))
    }
}

impl Inner {
    fn value(&self, index: u64) -> Value {
        let mut value = self.root.value(index);
        self.put_name(index, &mut value);
        value
    }

    fn put_name(&self, index: u64, value: &mut Value) {
        let Some(name) = self.rules.name() else { return };
        let find = |steps: &[String]| path::find_steps(value, steps.iter().map(String::as_str));
        let name = name.render(index, |steps| find(steps).map(Cow::Borrowed));
        if let Value::Object(map) = value {
            map.insert("config_id".to_owned(), Value::String(name));
        }
    }
}
