//! All configs of one template, by index.

use super::{
    SpaceError,
    axis::Axis,
    iter::{Kept, Points, Sample},
    node::Node,
    point::Point,
    read::Reader,
    rules::{self, Rules},
};
use crate::config::{Config, ConfigError, SecretKeys, interpolate::Drawn, path};
use serde_json::Value;
use std::{fmt, sync::Arc};

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
    pub(super) inner: Arc<Inner>,
    pub(super) resolve: Option<Resolve>,
}

pub(super) type Resolve = Arc<dyn Fn(&mut Value) -> Result<Drawn, ConfigError> + Send + Sync>;

pub(super) struct Inner {
    pub(super) root: Node,
    pub(super) rules: Rules,
    pub(super) axes: Vec<Axis>,
    pub(super) secrets: SecretKeys,
    /// Some config may have a secret.
    pub(super) has_secrets: bool,
    /// Some config may say its own id.
    pub(super) has_ids: bool,
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
        let axes = root.all_axes();
        let secrets = secrets.clone();
        let inner = Inner { root, rules, axes, secrets, has_secrets, has_ids };
        Ok(Self { inner: Arc::new(inner), resolve: None })
    }

    /// Applies `resolve` to every config when it is made, before its id is: for what depends on
    /// the values chosen. What it drew values from counts: a secret stays one. The conditions of `exclude` and `include` see the values before.
    #[must_use]
    pub fn resolved_by(
        mut self,
        resolve: impl Fn(&mut Value) -> Result<Drawn, ConfigError> + Send + Sync + 'static,
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
        (index < self.len()).then_some(Point::new(self, index))
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
    match root.all_axes().iter().flat_map(Axis::paths).next() {
        Some(path) => format!("\"a-{{{path}}}\""),
        None => "\"a-{$index}\"".to_owned(),
    }
}
