//! Where expanded configs come from, and how many a pool takes.

use super::{Point, Space, SpaceError};
use crate::config::{Config, ConfigError};

/// The most configs that are made for one pool (a sum over all its templates). A larger space is
/// for sampling and iterating.
pub const MAX_EXPANDED: usize = 100_000;
/// What looking for those that are not left out may cost, in tokens of conditions: about a second.
const MAX_LOOKING: u64 = 100_000_000;

/// Something that expands to configs: a [`Space`], a closure that returns an iterator, or a type
/// of yours.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::{Config, ConfigPool, config::{ConfigError, ExpandConfig}};
///
/// /// The same prompt in several languages.
/// struct Languages(Vec<&'static str>);
///
/// impl ExpandConfig for Languages {
///     fn expand(&self) -> impl Iterator<Item = Result<Config, ConfigError>> {
///         self.0.iter().map(|language| {
///             Config::new(json!({ "config_id": format!("prompt-{language}"), "language": language }))
///         })
///     }
/// }
///
/// let base = ConfigPool::from_values([json!({ "config_id": "prompt-en", "language": "en-GB" })])?;
/// let pool = base.overridden_by(&Languages(vec!["en", "de"]))?;
/// assert_eq!(pool.len(), 2);
/// assert_eq!(pool.get("prompt-en")?.get::<String>("language")?, "en");
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
pub trait ExpandConfig {
    /// The configs, in order. Within one source an id stands for one content.
    fn expand(&self) -> impl Iterator<Item = Result<Config, ConfigError>>;
}

impl ExpandConfig for Space {
    fn expand(&self) -> impl Iterator<Item = Result<Config, ConfigError>> {
        self.iter().map(|point| point.config())
    }
}

impl<F, I> ExpandConfig for F
where
    F: Fn() -> I,
    I: IntoIterator<Item = Result<Config, ConfigError>>,
{
    fn expand(&self) -> impl Iterator<Item = Result<Config, ConfigError>> {
        self().into_iter()
    }
}

impl Space {
    /// What a pool takes of it, where it has `before` expanded configs already.
    pub(crate) fn kept(&self, before: usize) -> Result<Vec<Point<'_>>, SpaceError> {
        let room = MAX_EXPANDED.saturating_sub(before);
        let advice = "narrow it with `$expand: { exclude: … }`, or take a sample of it in code \
                      (`Space::sample`)";
        let too_many = |count: &str| {
            let sum =
                if before > 0 { format!(" beside the {before} before it") } else { String::new() };
            let message = format!(
                "{count} configs{sum}; a pool with expanded ones takes up to {MAX_EXPANDED}: {advice}"
            );
            SpaceError::new("", message)
        };
        if !self.is_filtered() && self.len() > room as u64 {
            return Err(too_many(&self.len().to_string()));
        }
        let looked_at = MAX_LOOKING.checked_div(self.weight()).unwrap_or(u64::MAX);
        if self.len() > looked_at {
            let message = format!(
                "{} configs, of which some are left out; a pool looks at up to {looked_at} under \
                 these conditions: {advice}",
                self.len()
            );
            return Err(SpaceError::new("", message));
        }
        let points: Vec<_> = self.iter().take(room + 1).collect();
        if points.len() > room {
            return Err(too_many(&format!("more than {room}")));
        }
        if points.is_empty() {
            let message = format!("all of its {} configs are left out", self.len());
            return Err(SpaceError::new(super::words::RULES, message));
        }
        Ok(points)
    }

    /// As [`Space::kept`], made.
    pub(crate) fn configs(
        &self,
        before: usize,
    ) -> Result<impl Iterator<Item = Result<Config, ConfigError>> + use<'_>, SpaceError> {
        Ok(self.kept(before)?.into_iter().map(|point| point.config()))
    }
}
