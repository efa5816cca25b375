//! The layer: which configs, and how one is chosen.

use super::RoundRobin;
use crate::{
    assign::{
        Choice, Chosen, Eligible, Epoch, Everyone, Holdout, Line, Namespace, NamespaceError, NoKey,
        NoTesters, OfUnit, Plan, Ramp, Reason, Salt, Testers, UnitKey, WeightError,
    },
    carrier::Nested,
    clock::Tick,
    config::{ConfigError, ConfigPool},
    trial::{Arms, UNNAMED},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use tower_layer::Layer;

/// One config per request; see [the module](super). `C` is how the config travels, `K` how the
/// unit's key is found, `E` which requests take part, `T` how testers ask for a config.
#[derive(Debug, Clone)]
pub struct GenericRoundRobinLayer<C, K = NoKey, E = Everyone, T = NoTesters> {
    pub(super) arms: Arms,
    pub(super) carrier: C,
    /// Shared by every service this layer makes: the turns are the layer's, so that a router
    /// which makes a new service for each request does not begin again each time.
    pub(super) choice: Arc<Choice>,
    /// How often a tester asked for a config that the pool does not have.
    unknown: Arc<AtomicU64>,
    pub(super) setup: Arc<Setup>,
    pub(super) key: K,
    pub(super) eligible: E,
    pub(super) testers: T,
}

/// What the choice is made from. Behind a pointer: services are cloned for every request.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) pool: ConfigPool,
    pub(super) plan: Plan,
    previous: Option<Epoch>,
}

impl<C: Default> GenericRoundRobinLayer<C> {
    /// The configs of the pool take turns.
    pub fn new(pool: ConfigPool) -> Self {
        let plan = Plan::default();
        Self {
            arms: Arms::new(UNNAMED, "round_robin", &pool),
            carrier: C::default(),
            choice: Arc::new(plan.choice(pool.len())),
            unknown: Arc::default(),
            setup: Arc::new(Setup { pool, plan, previous: None }),
            key: NoKey,
            eligible: Everyone,
            testers: NoTesters,
        }
    }
}

impl<C, K, E, T> GenericRoundRobinLayer<C, K, E, T> {
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
        self,
        weights: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> Result<Self, WeightError> {
        let line = Line::weighted(&self.setup.pool, weights)?;
        Ok(self.replanned(|plan| plan.line = Some(line)))
    }

    /// Chooses at random from this seed (0 until then) instead of in turn.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        self.replanned(|plan| plan.seed = Some(seed))
    }

    /// A unit always gets the same config: the one on whose stretch of the weights' line the
    /// hash of `salt` and the unit's key lies. A request without a key is assigned at random.
    #[must_use]
    pub fn sticky<Key>(self, salt: &str, key: Key) -> GenericRoundRobinLayer<C, Key, E, T> {
        let salt = Salt::new(salt);
        self.replanned(|plan| plan.salt = Some(salt))
            .with(|carrier, _, eligible, testers| (carrier, key, eligible, testers))
    }

    /// Only a share of the units takes part, by hand or over time; the others get the
    /// [default](Self::default). As the share grows, whoever is in stays in, with the same config.
    /// A request without a unit is drawn by itself.
    #[must_use]
    pub fn ramp(self, ramp: Ramp) -> Self {
        self.replanned(|plan| plan.gate.ramp = Some(ramp))
    }

    /// Only the units that the namespace gives this experiment (name it
    /// [first](Self::experiment)) take part; the others, and requests without a unit, get the
    /// [default](Self::default).
    ///
    /// # Errors
    ///
    /// When the namespace has no range for the experiment.
    pub fn namespace(self, namespace: &Namespace) -> Result<Self, NamespaceError> {
        let segment = namespace.segment(&self.arms[0].experiment.name)?;
        Ok(self.replanned(|plan| plan.gate.segment = Some(segment)))
    }

    /// Leaves out the units that are held out of all experiments, and requests without a unit:
    /// they get the [default](Self::default).
    #[must_use]
    pub fn holdout(self, holdout: Holdout) -> Self {
        self.replanned(|plan| plan.gate.holdout = Some(holdout))
    }

    /// Only the requests that this rule lets in take part; the others get the
    /// [default](Self::default). What a closure decides by is not seen in the [epoch](Self::epoch):
    /// give it a [`version`](Self::version).
    #[must_use]
    pub fn eligible<Rule>(self, rule: Rule) -> GenericRoundRobinLayer<C, K, Rule, T> {
        self.replanned(|plan| plan.screened = true)
            .with(|carrier, key, _, testers| (carrier, key, rule, testers))
    }

    /// Another key under the same salt, if there is one.
    #[cfg(any(feature = "proxy", feature = "open-feature"))]
    pub(crate) fn known_as<Key>(self, key: Key) -> GenericRoundRobinLayer<C, Key, E, T> {
        self.with(|carrier, _, eligible, testers| (carrier, key, eligible, testers))
    }

    /// A rule that lets everyone in: for one that may be none.
    #[cfg(feature = "proxy")]
    pub(crate) fn everyone<Rule>(self, rule: Rule) -> GenericRoundRobinLayer<C, K, Rule, T> {
        self.with(|carrier, key, _, testers| (carrier, key, rule, testers))
    }

    /// Lets testers ask for a config by its id, come what may. An id that the pool does not have
    /// is [counted](Self::unknown_overrides) and passed over. No request can do so until then.
    #[must_use]
    pub fn testers<Find>(self, testers: Find) -> GenericRoundRobinLayer<C, K, E, Find> {
        self.with(|carrier, key, eligible, _| (carrier, key, eligible, testers))
    }

    /// The config of those who do not take part; the first of the pool until then.
    ///
    /// # Errors
    ///
    /// When the pool has no such config.
    pub fn default(self, id: &str) -> Result<Self, ConfigError> {
        let position = self.setup.pool.position(id)?;
        Ok(self.replanned(|plan| plan.default = position))
    }

    /// A text that stands in the [epoch](Self::epoch) for what closures (the unit's key, the rule
    /// of who is eligible) decide by: change it when they change.
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.replanned(|plan| plan.version = Some(version.to_owned()))
    }

    /// Counts the epochs on from this one: that of the layer which this one replaces.
    #[must_use]
    pub fn following(mut self, previous: Epoch) -> Self {
        Arc::make_mut(&mut self.setup).previous = Some(previous);
        self.replanned(|_| {})
    }

    /// The version of the weights and rules.
    pub fn epoch(&self) -> Epoch {
        self.arms.epoch()
    }

    /// How often a tester asked for a config that the pool does not have.
    pub fn unknown_overrides(&self) -> u64 {
        self.unknown.load(Relaxed)
    }

    /// The same, to be asked later.
    #[cfg(feature = "proxy")]
    pub(crate) fn unknown_counter(&self) -> Arc<AtomicU64> {
        self.unknown.clone()
    }

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericRoundRobinLayer<Nested, K, E, T> {
        self.with(|_, key, eligible, testers| (Nested, key, eligible, testers))
    }

    fn replanned(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        let setup = Arc::make_mut(&mut self.setup);
        change(&mut setup.plan);
        self.choice = Arc::new(setup.plan.choice(setup.pool.len()));
        self.arms = self.arms.with_rules(setup.plan.rules(), setup.previous);
        self
    }

    fn with<C2, K2, E2, T2>(
        self,
        change: impl FnOnce(C, K, E, T) -> (C2, K2, E2, T2),
    ) -> GenericRoundRobinLayer<C2, K2, E2, T2> {
        let (carrier, key, eligible, testers) =
            change(self.carrier, self.key, self.eligible, self.testers);
        GenericRoundRobinLayer {
            arms: self.arms,
            carrier,
            choice: self.choice,
            unknown: self.unknown,
            setup: self.setup,
            key,
            eligible,
            testers,
        }
    }

    // The plain ways come to a few instructions where they stand in the service's call.
    #[inline(always)]
    pub(super) fn choose<R>(&self, request: &R) -> Chosen
    where
        K: UnitKey<R>,
        E: Eligible<R>,
        T: Testers<R>,
    {
        if let Some(wanted) = self.testers.wanted(request) {
            match self.arms.iter().position(|arm| arm.config.id().as_str() == wanted) {
                Some(position) => return Chosen::surely(position, Reason::Override),
                None => _ = self.unknown.fetch_add(1, Relaxed),
            }
        }
        let key = self.key.unit_key(request);
        if !self.eligible.is_eligible(request, key.as_deref()) {
            return Chosen::surely(self.setup.plan.default, Reason::Ineligible);
        }
        let unit = || {
            // The key first: where there can be none, nothing is left of this.
            let key = key?;
            let salt = self.setup.plan.salt.as_ref()?;
            Some(OfUnit { unit: salt.unit(&key), key })
        };
        self.choice.choose(self.arms.len(), unit, || Tick::now().wall())
    }
}

impl<S, C: Clone, K: Clone, E: Clone, T: Clone> Layer<S> for GenericRoundRobinLayer<C, K, E, T> {
    type Service = RoundRobin<S, C, K, E, T>;

    fn layer(&self, inner: S) -> Self::Service {
        RoundRobin { inner, layer: self.clone() }
    }
}
