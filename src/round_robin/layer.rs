//! The layer: which configs, and how one is chosen.

use super::RoundRobin;
use crate::{
    assign::{Cycle, Draws, Line, NoKey, Salt, Unit, UnitKey, WeightError},
    carrier::Nested,
    config::ConfigPool,
    trial::{Arms, UNNAMED},
};
use std::sync::Arc;
use tower_layer::Layer;

/// One config per request; see [the module](super). `C` is how the config travels, `K` how the
/// unit's key is found.
#[derive(Debug, Clone)]
pub struct GenericRoundRobinLayer<C, K = NoKey> {
    pub(super) arms: Arms,
    pub(super) carrier: C,
    /// Shared by every service this layer makes: the turns are the layer's, so that a router
    /// which makes a new service for each request does not begin again each time.
    pub(super) choice: Arc<Choice>,
    pool: ConfigPool,
    seed: u64,
    salt: Option<Salt>,
    key: K,
}

#[derive(Debug)]
pub(super) enum Choice {
    Cycle(Cycle),
    Weighted(Line, Draws),
}

/// What was chosen for a request.
pub(super) struct Chosen {
    pub(super) position: usize,
    pub(super) probability: f64,
    pub(super) unit: Option<u64>,
}

impl<C: Default> GenericRoundRobinLayer<C> {
    /// The configs of the pool take turns.
    pub fn new(pool: ConfigPool) -> Self {
        Self {
            arms: Arms::new(UNNAMED, "round_robin", &pool),
            carrier: C::default(),
            choice: Arc::new(Choice::Cycle(Cycle::default())),
            pool,
            seed: 0,
            salt: None,
            key: NoKey,
        }
    }
}

impl<C, K> GenericRoundRobinLayer<C, K> {
    /// Names the experiment (`default` until then).
    #[must_use]
    pub fn experiment(mut self, name: &str) -> Self {
        self.arms = self.arms.named(name);
        self
    }

    /// Each config gets its share, at random; [`seed`](Self::seed) sets the sequence. Weights are
    /// relative: `9` and `1` are nine tenths and one.
    ///
    /// # Errors
    ///
    /// When a config of the pool has no weight, a weight belongs to no config or is negative or
    /// not finite, or all are 0.
    pub fn weighted<'a>(
        mut self,
        weights: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Self, WeightError> {
        let line = Line::weighted(&self.pool, weights)?;
        self.choice = Arc::new(Choice::Weighted(line, Draws::new(self.seed)));
        Ok(self)
    }

    /// Chooses at random from this seed (0 until then) instead of in turn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.choice = Arc::new(Choice::Weighted(self.line(), Draws::new(seed)));
        self
    }

    /// A unit always gets the same config: the one on whose stretch of the weights' line the
    /// hash of `salt` and the unit's key lies. A request without a key is assigned at random.
    #[must_use]
    pub fn sticky<Key>(self, salt: &str, key: Key) -> GenericRoundRobinLayer<C, Key> {
        let choice = match &*self.choice {
            Choice::Cycle(_) => Arc::new(Choice::Weighted(self.line(), Draws::new(self.seed))),
            Choice::Weighted(..) => self.choice,
        };
        GenericRoundRobinLayer {
            arms: self.arms,
            carrier: self.carrier,
            choice,
            pool: self.pool,
            seed: self.seed,
            salt: Some(Salt::new(salt)),
            key,
        }
    }

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericRoundRobinLayer<Nested, K> {
        GenericRoundRobinLayer {
            arms: self.arms,
            carrier: Nested,
            choice: self.choice,
            pool: self.pool,
            seed: self.seed,
            salt: self.salt,
            key: self.key,
        }
    }

    fn line(&self) -> Line {
        match &*self.choice {
            Choice::Cycle(_) => Line::equal(self.pool.len()),
            Choice::Weighted(line, _) => line.clone(),
        }
    }

    pub(super) fn choose<R>(&self, request: &R) -> Chosen
    where
        K: UnitKey<R>,
    {
        match &*self.choice {
            Choice::Cycle(cycle) => {
                let count = self.arms.len();
                let position = cycle.next(count);
                Chosen { position, probability: 1.0 / count as f64, unit: None }
            }
            Choice::Weighted(line, draws) => {
                let unit: Option<Unit> = self
                    .salt
                    .as_ref()
                    .and_then(|salt| self.key.unit_key(request).map(|key| salt.unit(&key)));
                let point = unit.map_or_else(|| draws.next(), |unit| unit.point);
                let position = line.locate(point);
                let probability = line.share(position);
                Chosen { position, probability, unit: unit.map(|unit| unit.hash) }
            }
        }
    }
}

impl<S, C: Clone, K: Clone> Layer<S> for GenericRoundRobinLayer<C, K> {
    type Service = RoundRobin<S, C, K>;

    fn layer(&self, inner: S) -> Self::Service {
        RoundRobin { inner, layer: self.clone() }
    }
}
