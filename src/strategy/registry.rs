//! Strategies by name.

use super::Strategy;
use crate::{
    BoxError,
    config::{Config, ConfigPool},
};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The names that are taken: the strategies that come with the crate.
pub(crate) const BUILT_IN: [&str; 4] = ["single", "round_robin", "shadow", "multi_branch"];

type Factory<R, Response> = Arc<
    dyn Fn(&Config, &ConfigPool) -> Result<Arc<dyn Strategy<R, Response>>, BoxError> + Send + Sync,
>;

/// Strategies by name, for files to name them; see [the module](super).
pub struct StrategyRegistry<R, Response> {
    factories: BTreeMap<String, Factory<R, Response>>,
}

/// A name that cannot be registered, or a strategy that cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name is taken.
    #[error("the strategy `{name}` is there already; choose another name")]
    Taken {
        /// The name.
        name: String,
    },
    /// No strategy has this name.
    #[error("no strategy `{name}`; there are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The strategy refused its settings.
    #[error("the strategy `{name}` refused its settings: {source}")]
    Settings {
        /// The name.
        name: String,
        /// Why.
        source: BoxError,
    },
}

impl<R: 'static, Response: 'static> StrategyRegistry<R, Response> {
    /// A registry with none but the built-in names taken.
    pub fn new() -> Self {
        Self { factories: BTreeMap::new() }
    }

    /// Registers a strategy. `make` is given its settings (the map under its name in the file) and
    /// the pool.
    ///
    /// # Errors
    ///
    /// When the name is taken, by another or by a built-in strategy.
    pub fn register<S: Strategy<R, Response>>(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &ConfigPool) -> Result<S, BoxError> + Send + Sync + 'static,
    ) -> Result<(), RegistryError> {
        if BUILT_IN.contains(&name) || self.factories.contains_key(name) {
            return Err(RegistryError::Taken { name: name.to_owned() });
        }
        let make: Factory<R, Response> =
            Arc::new(move |settings, pool| Ok(Arc::new(make(settings, pool)?)));
        self.factories.insert(name.to_owned(), make);
        Ok(())
    }

    /// Builds the strategy of this name.
    ///
    /// # Errors
    ///
    /// When there is none, or it refuses its settings.
    pub fn build(
        &self,
        name: &str,
        settings: &Config,
        pool: &ConfigPool,
    ) -> Result<Arc<dyn Strategy<R, Response>>, RegistryError> {
        let make = self.factories.get(name).ok_or_else(|| RegistryError::Unknown {
            name: name.to_owned(),
            known: self.names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        })?;
        make(settings, pool)
            .map_err(|source| RegistryError::Settings { name: name.to_owned(), source })
    }

    /// All names, the built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        BUILT_IN.into_iter().chain(self.factories.keys().map(String::as_str))
    }
}

impl<R, Response> Clone for StrategyRegistry<R, Response> {
    fn clone(&self) -> Self {
        Self { factories: self.factories.clone() }
    }
}

impl<R: 'static, Response: 'static> Default for StrategyRegistry<R, Response> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R, Response> fmt::Debug for StrategyRegistry<R, Response> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.factories.keys()).finish()
    }
}
