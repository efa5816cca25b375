//! The layer: which configs are shadows, and their bounds.

use super::{
    OnCancel, Shadow, ShadowSettings,
    in_flight::{InFlight, Permit},
    results::Results,
    settings::Bounds,
};
use crate::{
    assign::{Spread, inside},
    branch::Branch,
    carrier::Nested,
    config::{ConfigError, ConfigId, Primary},
    trial::{Arm, Arms, UNNAMED},
};
use serde::Serialize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::runtime::Handle;
use tower_layer::Layer;

/// The primary answers, the others run in the background; see [the module](super). `C` is how the
/// config travels.
///
/// Clones share their counters, bounds and results: keep one to [`drain`](Self::drain) and to read
/// [`stats`](Self::stats).
#[derive(Debug, Clone)]
pub struct GenericShadowLayer<C> {
    pub(super) carrier: C,
    pub(super) primary: Arc<Arm>,
    pub(super) shadows: Arc<[ShadowArm]>,
    pub(super) state: Arc<State>,
    pub(super) on_cancel: OnCancel,
    pub(super) runtime: Option<Handle>,
    arms: Arms,
    primary_at: usize,
    base: Bounds,
    own: Vec<ShadowSettings>,
}

/// One config that runs as a shadow.
#[derive(Debug)]
pub(super) struct ShadowArm {
    pub(super) arm: Arc<Arm>,
    pub(super) bounds: Bounds,
    in_flight: Arc<AtomicUsize>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    dispatched: AtomicU64,
    sampled_out: AtomicU64,
    unmatched: AtomicU64,
    skipped: AtomicU64,
}

/// What all services of a layer share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) in_flight: Arc<InFlight>,
    pub(super) results: Results,
    sampling: Spread,
}

/// What became of the requests, for one shadow. Counts since the layer was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShadowStats {
    /// The config.
    pub config_id: ConfigId,
    /// Requests that were shadowed.
    pub dispatched: u64,
    /// Requests that were sampled out.
    pub sampled_out: u64,
    /// Requests that may not be shadowed (a method, a marked request).
    pub unmatched: u64,
    /// Requests whose shadow was refused before it was started; each is a `skipped` branch.
    pub skipped: u64,
    /// Shadows running now.
    pub in_flight: usize,
}

/// What a [`drain`](GenericShadowLayer::drain) left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Shadows that were still running at the deadline and were stopped; they end as `cancelled`.
    pub cut_off: usize,
}

impl<C: Default> GenericShadowLayer<C> {
    /// The primary's pool: its primary answers, all others are shadows.
    pub fn new(primary: Primary) -> Self {
        let arms = Arms::new(UNNAMED, "shadow", primary.pool());
        Self {
            carrier: C::default(),
            primary: arms[primary.position()].clone(),
            shadows: Arc::new([]),
            state: Arc::new(State {
                in_flight: Arc::default(),
                results: Results::new(64),
                sampling: Spread::default(),
            }),
            on_cancel: OnCancel::default(),
            runtime: None,
            own: vec![ShadowSettings::default(); arms.len()],
            arms,
            primary_at: primary.position(),
            base: Bounds::default(),
        }
        .rebuilt()
    }
}

impl<C> GenericShadowLayer<C> {
    /// Names the experiment (`default` until then).
    #[must_use]
    pub fn experiment(mut self, name: &str) -> Self {
        self.arms = self.arms.named(name);
        self.rebuilt()
    }

    /// The share of requests that are shadowed, from 0 to 1 (values outside count as the nearest);
    /// all of them until then. One draw a request: with equal shares all shadows see the same
    /// requests, and a smaller share sees some of those that a larger one sees. The requests are
    /// evenly spread, never in bursts.
    #[must_use]
    pub fn sample(mut self, share: f64) -> Self {
        self.base.sample = share.clamp(0.0, 1.0);
        self.rebuilt()
    }

    /// How long a shadow may take from its start to the end of its response; 30 s until then.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.base.timeout = timeout;
        self.rebuilt()
    }

    /// How many shadows of each config may run at once; 256 until then. Beyond it they are
    /// skipped.
    #[must_use]
    pub fn max_in_flight(mut self, count: usize) -> Self {
        self.base.max_in_flight = count;
        self.rebuilt()
    }

    /// Other settings for one config.
    ///
    /// # Errors
    ///
    /// When the config is not in the pool.
    pub fn for_config(mut self, id: &str, settings: ShadowSettings) -> Result<Self, ConfigError> {
        let unknown = || ConfigError::Unknown {
            id: id.to_owned(),
            known: self
                .arms
                .iter()
                .map(|arm| format!("`{}`", arm.config.id().short()))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let position =
            self.arms.iter().position(|arm| arm.config.id().as_str() == id).ok_or_else(unknown)?;
        self.own[position] = settings;
        Ok(self.rebuilt())
    }

    /// Takes each config's own settings from its `shadow` map, where it has one.
    ///
    /// # Errors
    ///
    /// When one of them does not fit; the error names the config and the path.
    pub fn settings_from_configs(mut self) -> Result<Self, ConfigError> {
        for (arm, own) in self.arms.iter().zip(&mut self.own) {
            if arm.config.has("shadow") {
                *own = arm
                    .config
                    .bind("shadow")
                    .map_err(|error| error.at(format!("config `{}`", arm.config.id().short())))?;
            }
        }
        Ok(self.rebuilt())
    }

    /// What becomes of the shadows when the caller leaves; they finish until then.
    #[must_use]
    pub const fn on_cancel(mut self, policy: OnCancel) -> Self {
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

    /// How many of the last shadow branches are kept for [`shadow_results`](Self::shadow_results);
    /// 64 until then, none with 0.
    #[must_use]
    pub fn keep_results(mut self, count: usize) -> Self {
        self.state = Arc::new(State {
            in_flight: Arc::default(),
            results: Results::new(count),
            sampling: Spread::default(),
        });
        self
    }

    /// For use inside a variant of another experiment; see [`Nested`].
    #[must_use]
    pub fn nested(self) -> GenericShadowLayer<Nested> {
        GenericShadowLayer {
            carrier: Nested,
            primary: self.primary,
            shadows: self.shadows,
            state: self.state,
            on_cancel: self.on_cancel,
            runtime: self.runtime,
            arms: self.arms,
            primary_at: self.primary_at,
            base: self.base,
            own: self.own,
        }
    }

    /// The last shadow branches whose settled response is a `T`, oldest first, leaving none. Each
    /// is there as soon as its shadow has ended.
    pub fn shadow_results<T: 'static>(&self) -> Vec<Branch<T>> {
        self.state.results.take()
    }

    /// What became of the requests, for each shadow in the order of the pool.
    pub fn stats(&self) -> Vec<ShadowStats> {
        self.shadows.iter().map(ShadowArm::stats).collect()
    }

    /// Waits until no shadow is running, at most for `deadline`; then stops those that are. After a
    /// deadline that had to stop some, later shadows of this layer are stopped at once: it is
    /// meant for the end of the process.
    ///
    /// # Cancel safety
    ///
    /// Safe: the shadows run on.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        Drained { cut_off: self.state.in_flight.drain(deadline).await }
    }

    /// How the config travels, to set up.
    #[cfg(feature = "http")]
    pub(crate) const fn carrier_mut(&mut self) -> &mut C {
        &mut self.carrier
    }

    fn rebuilt(mut self) -> Self {
        self.primary = self.arms[self.primary_at].clone();
        self.shadows = self
            .arms
            .iter()
            .zip(&self.own)
            .enumerate()
            .filter(|(at, _)| *at != self.primary_at)
            .map(|(_, (arm, own))| ShadowArm {
                arm: arm.clone(),
                bounds: own.over(&self.base),
                in_flight: Arc::default(),
                counts: Counts::default(),
            })
            .collect();
        self
    }

    /// The draw of a request that some shadow is to run for; the others are counted.
    pub(super) fn draw(&self, may_shadow: bool) -> Option<u64> {
        if !may_shadow {
            for shadow in &*self.shadows {
                shadow.counts.unmatched.fetch_add(1, Relaxed);
            }
            return None;
        }
        let draw = self.state.sampling.next();
        let mut any = false;
        for shadow in &*self.shadows {
            if shadow.is_drawn(draw) {
                any = true;
            } else {
                shadow.counts.sampled_out.fetch_add(1, Relaxed);
            }
        }
        any.then_some(draw)
    }

    /// The right of one more shadow to run, unless there are enough.
    pub(super) fn dispatch(&self, shadow: &ShadowArm) -> Option<Permit> {
        let max = shadow.bounds.max_in_flight;
        let permit = Permit::take(&self.state.in_flight, &shadow.in_flight, max);
        let counts = &shadow.counts;
        let counter = if permit.is_some() { &counts.dispatched } else { &counts.skipped };
        counter.fetch_add(1, Relaxed);
        permit
    }
}

impl ShadowArm {
    pub(super) fn is_drawn(&self, draw: u64) -> bool {
        inside(draw, self.bounds.sample)
    }

    /// A shadow that was counted as dispatched was skipped after all.
    pub(super) fn count_skip(&self) {
        self.counts.dispatched.fetch_sub(1, Relaxed);
        self.counts.skipped.fetch_add(1, Relaxed);
    }

    fn stats(&self) -> ShadowStats {
        ShadowStats {
            config_id: self.arm.config.id().clone(),
            dispatched: self.counts.dispatched.load(Relaxed),
            sampled_out: self.counts.sampled_out.load(Relaxed),
            unmatched: self.counts.unmatched.load(Relaxed),
            skipped: self.counts.skipped.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
        }
    }
}

impl<S, C: Clone> Layer<S> for GenericShadowLayer<C> {
    type Service = Shadow<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Shadow { inner, layer: self.clone() }
    }
}
