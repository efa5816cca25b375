//! The layer, and the same as a stream.

use super::{MultiBranch, MultiBranchStream};
use crate::{
    carrier::Nested,
    config::ConfigPool,
    trial::{Arms, UNNAMED, name_and_epoch},
};
use std::time::Duration;
use tower_layer::Layer;

/// All configs at once; see [the module](super). `C` is how the config travels.
#[derive(Debug, Clone)]
pub struct GenericMultiBranchLayer<C> {
    pub(crate) arms: Arms,
    pub(crate) carrier: C,
    pub(crate) max_concurrent: usize,
    pub(crate) timeout: Option<Duration>,
}

impl<C: Default> GenericMultiBranchLayer<C> {
    /// Every request runs with every config of the pool.
    pub fn new(pool: ConfigPool) -> Self {
        Self {
            arms: Arms::new(UNNAMED, "multi_branch", &pool),
            carrier: C::default(),
            max_concurrent: usize::MAX,
            timeout: None,
        }
    }
}

impl<C> GenericMultiBranchLayer<C> {
    name_and_epoch!();

    /// How many branches of one request run at once (at least 1); all of them until then. The
    /// others begin as those end, in the order of the pool.
    #[must_use]
    pub fn max_concurrent(mut self, count: usize) -> Self {
        self.max_concurrent = count.max(1);
        self
    }

    /// How long each branch may take from its own start; as long as it likes until then.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The same with a [`BranchStream`](super::BranchStream) as its response: each branch as it
    /// finishes.
    #[must_use]
    pub fn streaming(self) -> GenericMultiBranchStreamLayer<C> {
        GenericMultiBranchStreamLayer { layer: self }
    }

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericMultiBranchLayer<Nested> {
        GenericMultiBranchLayer {
            arms: self.arms,
            carrier: Nested,
            max_concurrent: self.max_concurrent,
            timeout: self.timeout,
        }
    }
}

impl<S, C: Clone> Layer<S> for GenericMultiBranchLayer<C> {
    type Service = MultiBranch<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        MultiBranch { stream: MultiBranchStream { inner, layer: self.clone() } }
    }
}

/// All configs at once, each branch as it finishes; see [the module](super).
#[derive(Debug, Clone)]
pub struct GenericMultiBranchStreamLayer<C> {
    layer: GenericMultiBranchLayer<C>,
}

impl<S, C: Clone> Layer<S> for GenericMultiBranchStreamLayer<C> {
    type Service = MultiBranchStream<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        MultiBranchStream { inner, layer: self.layer.clone() }
    }
}
