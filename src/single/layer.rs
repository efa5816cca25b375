//! The layer.

use super::Single;
use crate::{
    carrier::Nested,
    config::{Config, ConfigPool},
    trial::{Arms, UNNAMED, name_and_epoch},
};
use tower_layer::Layer;

/// Assigns one config to every request; see [the module](super). `C` is how the config travels.
#[derive(Debug, Clone)]
pub struct GenericSingleLayer<C> {
    pub(super) arms: Arms,
    pub(super) carrier: C,
}

impl<C: Default> GenericSingleLayer<C> {
    /// Assigns `config` to every request.
    pub fn new(config: Config) -> Self {
        let arms = Arms::new(UNNAMED, "single", &ConfigPool::single(config));
        Self { arms, carrier: C::default() }
    }
}

impl<C> GenericSingleLayer<C> {
    name_and_epoch!();

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericSingleLayer<Nested> {
        GenericSingleLayer { arms: self.arms, carrier: Nested }
    }
}

impl<S, C: Clone> Layer<S> for GenericSingleLayer<C> {
    type Service = Single<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Single { inner, layer: self.clone() }
    }
}
