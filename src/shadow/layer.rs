//! The layer: which configs are shadows, and their bounds.

use super::{
    BreakerSettings, Drained, OnCancel, Shadow, ShadowHandle, ShadowSettings, ShadowStats,
    plan::Plan, state::State,
};
use crate::{
    assign::{Epoch, NoKey, Salt, Unit},
    branch::Branch,
    carrier::Nested,
    compare::{Comparison, NoComparison},
    config::{ConfigError, Primary},
    trial::Arm,
};
use std::{sync::Arc, time::Duration};
use tokio::runtime::Handle;
use tower_layer::Layer;

/// The primary answers, the others run in the background; see [the module](super). `C` is how the
/// config travels, `K` how the unit's key is found, `V` how answers are compared.
///
/// Clones share their counters, bounds and results: keep one, or its [`handle`](Self::handle), to
/// [`drain`](Self::drain) and to read [`stats`](Self::stats).
#[derive(Debug, Clone)]
pub struct GenericShadowLayer<C, K = NoKey, V = NoComparison> {
    pub(super) carrier: C,
    pub(super) compare: V,
    pub(super) primary: Arc<Arm>,
    pub(super) state: Arc<State>,
    pub(super) on_cancel: OnCancel,
    pub(super) runtime: Option<Handle>,
    pub(super) key: K,
    plan: Plan,
}

impl<C: Default> GenericShadowLayer<C> {
    /// The primary's pool: its primary answers, all others are shadows.
    pub fn new(primary: Primary) -> Self {
        let plan = Plan::new(&primary);
        let layer = Self {
            carrier: C::default(),
            compare: NoComparison,
            primary: plan.primary(),
            state: plan.state(),
            on_cancel: OnCancel::default(),
            runtime: None,
            key: NoKey,
            plan,
        };
        layer.replanned(|_| {})
    }
}

impl<C, K, V> GenericShadowLayer<C, K, V> {
    /// Names the experiment (`default` until then).
    #[must_use]
    pub fn experiment(self, name: &str) -> Self {
        self.replanned(|plan| plan.arms = plan.arms.named(name))
    }

    /// Whether there are shadows at all; there are until then. What is set here a
    /// [switch](ShadowHandle::set_enabled) does not turn on.
    #[must_use]
    pub fn enabled(self, enabled: bool) -> Self {
        self.replanned(|plan| plan.enabled = enabled)
    }

    /// The share of requests that are shadowed, from 0 to 1 (values outside count as the nearest);
    /// all of them until then. One draw a request: with equal shares all shadows see the same
    /// requests, and a smaller share sees some of those that a larger one sees. The requests are
    /// evenly spread, never in bursts; see [`sample_by`](Self::sample_by) for whole units.
    #[must_use]
    pub fn sample(self, share: f64) -> Self {
        self.replanned(|plan| plan.base.sample = share.clamp(0.0, 1.0))
    }

    /// Samples units (users, sessions) instead of requests: of a unit either all requests are
    /// shadowed or none, on every replica and for ever, depending on `salt` and its key alone. A
    /// request without a key is drawn by itself.
    #[must_use]
    pub fn sample_by<Key>(self, salt: &str, key: Key) -> GenericShadowLayer<C, Key, V> {
        self.replanned(|plan| plan.salt = Some(Salt::new(salt)))
            .with(|carrier, _, compare| (carrier, key, compare))
    }

    /// A text that stands in the [epoch](Self::epoch) for what closures (the unit's key, which
    /// requests may be shadowed) decide by: change it when they change.
    #[must_use]
    pub fn version(self, version: &str) -> Self {
        self.replanned(|plan| plan.version = Some(version.to_owned()))
    }

    /// Counts the epochs on from this one: that of the layer which this one replaces.
    #[must_use]
    pub fn following(self, previous: Epoch) -> Self {
        self.replanned(|plan| plan.previous = Some(previous))
    }

    /// The version of what decides who is shadowed: the configs, their shares, the salt.
    pub fn epoch(&self) -> Epoch {
        self.primary.experiment.epoch
    }

    /// Compares each shadow's answer with the primary's, in the background: see
    /// [`Compare`](crate::compare::Compare). The comparisons are recorded beside the branches.
    #[must_use]
    pub fn compare<Rule>(self, rule: Rule) -> GenericShadowLayer<C, K, Rule> {
        self.with(|carrier, key, _| (carrier, key, rule))
    }

    /// Runs the primary's config a second time in the background, as the *control*: what differs
    /// between its answer and the primary's is noise (times, ids), and says nothing about the
    /// other configs. It costs the primary's service one more request each.
    #[must_use]
    pub fn control(self, settings: ShadowSettings) -> Self {
        self.replanned(|plan| plan.control = Some(settings))
    }

    /// How long a shadow may take from its start to the end of its response; 30 s until then.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.replanned(|plan| plan.base.timeout = timeout)
    }

    /// How many shadows of each config may run at once; 256 until then. Beyond it they are
    /// skipped.
    #[must_use]
    pub fn max_in_flight(self, count: usize) -> Self {
        self.replanned(|plan| plan.base.max_in_flight = count)
    }

    /// Leaves a config's shadows alone for a while when most of them fail: they are skipped
    /// (`breaker_open`). There is no breaker until then.
    #[must_use]
    pub fn breaker(self, breaker: BreakerSettings) -> Self {
        self.replanned(|plan| plan.base.breaker = Some(breaker))
    }

    /// Other settings for one config.
    ///
    /// # Errors
    ///
    /// When the config is not in the pool.
    pub fn for_config(self, id: &str, settings: ShadowSettings) -> Result<Self, ConfigError> {
        let arms = &self.plan.arms;
        let unknown = || ConfigError::Unknown {
            id: id.to_owned(),
            known: arms
                .iter()
                .map(|arm| format!("`{}`", arm.config.id().short()))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let position =
            arms.iter().position(|arm| arm.config.id().as_str() == id).ok_or_else(unknown)?;
        Ok(self.replanned(|plan| plan.own[position] = settings))
    }

    /// Takes each config's own settings from its `shadow` map, where it has one.
    ///
    /// # Errors
    ///
    /// When one of them does not fit; the error names the config and the path.
    pub fn settings_from_configs(mut self) -> Result<Self, ConfigError> {
        for (arm, own) in self.plan.arms.iter().zip(&mut self.plan.own) {
            if arm.config.has("shadow") {
                *own = arm
                    .config
                    .bind("shadow")
                    .map_err(|error| error.at(format!("config `{}`", arm.config.id().short())))?;
            }
        }
        Ok(self.replanned(|_| {}))
    }

    /// What becomes of the shadows when the caller leaves; they finish until then.
    #[must_use]
    pub fn on_cancel(mut self, policy: OnCancel) -> Self {
        self.on_cancel = policy;
        self
    }

    /// Runs the shadows on a runtime of their own instead of the caller's: for in-process shadows
    /// that are heavy on the CPU. Its timers must be enabled.
    #[must_use]
    pub fn runtime(mut self, handle: Handle) -> Self {
        self.runtime = Some(handle);
        self
    }

    /// How many of the last shadow branches and comparisons are kept for
    /// [`shadow_results`](Self::shadow_results) and [`comparisons`](Self::comparisons); 64 until
    /// then, none with 0.
    #[must_use]
    pub fn keep_results(self, count: usize) -> Self {
        self.replanned(|plan| plan.keep_results = count)
    }

    /// Another key under the same salt, if there is one.
    #[cfg(feature = "proxy")]
    pub(crate) fn known_as<Key>(self, key: Key) -> GenericShadowLayer<C, Key, V> {
        self.with(|carrier, _, compare| (carrier, key, compare))
    }

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericShadowLayer<Nested, K, V> {
        self.with(|_, key, compare| (Nested, key, compare))
    }

    /// To watch and switch the shadows from elsewhere. Take it when the layer is set up: what is
    /// set later makes new counters.
    pub fn handle(&self) -> ShadowHandle {
        ShadowHandle(self.state.clone())
    }

    /// Switches all shadows off or on; see [`ShadowHandle::set_enabled`].
    pub fn set_enabled(&self, enabled: bool) {
        self.handle().set_enabled(enabled);
    }

    /// Switches the shadows of one config off or on.
    ///
    /// # Errors
    ///
    /// When it is not the id of a shadow.
    pub fn set_config_enabled(&self, id: &str, enabled: bool) -> Result<(), ConfigError> {
        self.handle().set_config_enabled(id, enabled)
    }

    /// The last shadow branches; see [`ShadowHandle::shadow_results`].
    pub fn shadow_results<T: 'static>(&self) -> Vec<Branch<T>> {
        self.handle().shadow_results()
    }

    /// The last comparisons; see [`ShadowHandle::comparisons`].
    pub fn comparisons(&self) -> Vec<Comparison> {
        self.handle().comparisons()
    }

    /// What became of the requests; see [`ShadowHandle::stats`].
    pub fn stats(&self) -> Vec<ShadowStats> {
        self.handle().stats()
    }

    /// Waits for the shadows; see [`ShadowHandle::drain`].
    ///
    /// # Cancel safety
    ///
    /// Safe: the shadows run on.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.handle().drain(deadline).await
    }

    /// How the config travels, to set up.
    #[cfg(feature = "http")]
    pub(crate) const fn carrier_mut(&mut self) -> &mut C {
        &mut self.carrier
    }

    fn replanned(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self.plan.arms = self.plan.arms.with_rules(self.plan.rules(), self.plan.previous);
        self.primary = self.plan.primary();
        self.state = self.plan.state();
        self
    }

    fn with<C2, K2, V2>(
        self,
        change: impl FnOnce(C, K, V) -> (C2, K2, V2),
    ) -> GenericShadowLayer<C2, K2, V2> {
        let (carrier, key, compare) = change(self.carrier, self.key, self.compare);
        GenericShadowLayer {
            carrier,
            compare,
            primary: self.primary,
            state: self.state,
            on_cancel: self.on_cancel,
            runtime: self.runtime,
            key,
            plan: self.plan,
        }
    }

    /// What the salt says of a unit, where units are sampled.
    pub(super) fn unit(&self, key: Option<&[u8]>) -> Option<Unit> {
        Some(self.plan.salt.as_ref()?.unit(key?))
    }
}

impl<S, C: Clone, K: Clone, V: Clone> Layer<S> for GenericShadowLayer<C, K, V> {
    type Service = Shadow<S, C, K, V>;

    fn layer(&self, inner: S) -> Self::Service {
        Shadow { inner, layer: Arc::new(self.clone()) }
    }
}
