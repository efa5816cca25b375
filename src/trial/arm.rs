//! What the branches of one strategy have in common.

use super::{Record, Sink};
use crate::{
    assign::Epoch,
    compare::Comparison,
    config::{Config, ConfigPool},
};
#[cfg(feature = "http")]
use crate::{branch::Role, sync::AtomicUsize};
use serde_json::{Map, Value};
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// The name an experiment has until it is given one.
pub(crate) const UNNAMED: &str = "default";

/// How many ends are kept for a recorder that has not been seen yet.
const MAX_EARLY: usize = 256;

/// One experiment: its name, its strategy, and the recorder that a logging layer under the
/// strategy brought along.
#[derive(Debug)]
pub(crate) struct Experiment {
    pub(crate) name: Arc<str>,
    pub(crate) strategy: Arc<str>,
    /// The version of weights and rules.
    pub(crate) epoch: Epoch,
    recorder: OnceLock<Arc<dyn Sink>>,
    /// Ends from before the first request reached a logging layer.
    early: Mutex<Vec<Early>>,
    /// No more early ends are kept: there are too many for a logging layer to be still on its
    /// way. Spares a lock per request where nothing is recorded.
    silent: AtomicBool,
}

/// An end that nobody could be told yet.
#[derive(Debug)]
struct Early {
    record: Record,
    /// As in [`Arm::record_unseen`].
    told: bool,
}

/// One config of an experiment.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) experiment: Arc<Experiment>,
    pub(crate) config: Config,
    recorder: OnceLock<Arc<dyn Sink>>,
    /// Bytes of request bodies that wait for shadows of this config.
    #[cfg(feature = "http")]
    pub(crate) waiting: Arc<AtomicUsize>,
    #[cfg(feature = "http")]
    pub(crate) in_headers: InHeaders,
}

/// What the headers of a request say of an arm: the same each time, and made once.
#[cfg(feature = "http")]
#[derive(Debug, Default)]
pub(crate) struct InHeaders {
    /// Its member of `baggage`, by role.
    pub(crate) baggage: [OnceLock<http::HeaderValue>; Role::ALL.len()],
    /// The mark of its requests, where it is a shadow.
    pub(crate) mark: OnceLock<http::HeaderValue>,
}

/// All configs of an experiment, in the order of the pool.
#[derive(Debug, Clone)]
pub(crate) struct Arms {
    arms: Arc<Owned>,
}

/// The arms as their layer and its services hold them. (A branch holds one arm.)
#[derive(Debug)]
struct Owned(Box<[Arc<Arm>]>);

impl Arms {
    pub(crate) fn new(name: &str, strategy: &str, pool: &ConfigPool) -> Self {
        let epoch = Epoch::of_rules(strategy, pool.iter(), Map::new());
        Self::of(name.into(), strategy.into(), epoch, pool.iter())
    }

    /// The same arms under other rules, with nothing recorded yet; the epoch is the one after
    /// `previous`.
    pub(crate) fn with_rules(&self, rules: Map<String, Value>, previous: Option<Epoch>) -> Self {
        let configs = self.iter().map(|arm| &arm.config);
        let epoch = Epoch::of_rules(&self[0].experiment.strategy, configs, rules);
        self.with_epoch(previous.map_or(epoch, |previous| epoch.following(previous)))
    }

    /// The same arms in another epoch, with nothing recorded yet.
    fn with_epoch(&self, epoch: Epoch) -> Self {
        let Experiment { name, strategy, .. } = &*self[0].experiment;
        Self::of(name.clone(), strategy.clone(), epoch, self.iter().map(|arm| &arm.config))
    }

    /// The same arms in the epoch after `previous`.
    pub(crate) fn following(&self, previous: Epoch) -> Self {
        self.with_epoch(self.epoch().following(previous))
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self[0].experiment.epoch
    }

    /// The same arms under another name, with nothing recorded yet.
    pub(crate) fn named(&self, name: &str) -> Self {
        let strategy = self[0].experiment.strategy.clone();
        Self::of(name.into(), strategy, self.epoch(), self.iter().map(|arm| &arm.config))
    }

    fn of<'a>(
        name: Arc<str>,
        strategy: Arc<str>,
        epoch: Epoch,
        configs: impl Iterator<Item = &'a Config>,
    ) -> Self {
        let experiment = Arc::new(Experiment {
            name,
            strategy,
            epoch,
            recorder: OnceLock::new(),
            early: Mutex::default(),
            silent: AtomicBool::new(false),
        });
        let arm = |config: &Config| Arc::new(Arm::new(&experiment, config));
        Self { arms: Arc::new(Owned(configs.map(arm).collect())) }
    }
}

impl std::ops::Deref for Arms {
    type Target = [Arc<Arm>];

    fn deref(&self) -> &[Arc<Arm>] {
        &self.arms.0
    }
}

impl Drop for Owned {
    /// An early end holds its arm and with it the experiment that keeps the end: a circle.
    fn drop(&mut self) {
        if let Some(arm) = self.0.first() {
            arm.experiment.silent.store(true, Relaxed);
            arm.experiment.early().clear();
        }
    }
}

impl Experiment {
    fn early(&self) -> MutexGuard<'_, Vec<Early>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arm {
    /// A config beside the others of an experiment.
    pub(crate) fn new(experiment: &Arc<Experiment>, config: &Config) -> Self {
        let (experiment, config) = (experiment.clone(), config.clone());
        Self {
            experiment,
            config,
            recorder: OnceLock::new(),
            #[cfg(feature = "http")]
            waiting: Arc::default(),
            #[cfg(feature = "http")]
            in_headers: InHeaders::default(),
        }
    }

    /// Called by a logging layer that sees a trial of this arm: from now on an end that no
    /// logging layer can see (a skip, a drop on the way) reaches the same recorder.
    pub(crate) fn attach(&self, recorder: impl FnOnce() -> Arc<dyn Sink>) {
        if self.recorder.get().is_none() {
            self.attach_first(recorder());
        }
    }

    #[cold]
    fn attach_first(&self, recorder: Arc<dyn Sink>) {
        let experiment = &self.experiment;
        let mut early = experiment.early();
        let _ = self.recorder.set(recorder.clone());
        let _ = experiment.recorder.set(recorder.clone());
        experiment.silent.store(false, Relaxed);
        // Whether the drops of other arms were on their way to a logging layer is not known yet.
        let known: Vec<Early> = early
            .extract_if(.., |early| early.told || std::ptr::eq(&*early.record.place.arm, self))
            .collect();
        drop(early);
        for early in known {
            recorder.record(early.record);
        }
    }

    /// Bytes of request bodies that wait for shadows of this config.
    pub(crate) fn waiting_bytes(&self) -> usize {
        #[cfg(feature = "http")]
        return self.waiting.load(Relaxed);
        #[cfg(not(feature = "http"))]
        0
    }

    /// Whether a logging layer was seen under it.
    #[cfg(feature = "http")]
    pub(super) fn is_recorded(&self) -> bool {
        self.recorder.get().is_some()
    }

    /// Records the end of a branch that no logging layer saw. Either its strategy told how it
    /// ended (a skip, a time-out), or it was just dropped. A drop counts only where this arm has
    /// a logging layer: without one, every branch ends like that.
    pub(crate) fn record_unseen(&self, told: bool, record: impl FnOnce() -> Record) {
        let recorder = if told { &self.experiment.recorder } else { &self.recorder };
        if let Some(recorder) = recorder.get() {
            recorder.record(record());
        } else if !self.experiment.silent.load(Relaxed) {
            self.keep(recorder, Early { record: record(), told });
        }
    }

    /// Hands a comparison to the recorder, if there is one.
    pub(crate) fn compared(&self, comparison: Comparison) {
        if let Some(recorder) = self.experiment.recorder.get() {
            recorder.compared(comparison);
        }
    }

    #[cold]
    fn keep(&self, recorder: &OnceLock<Arc<dyn Sink>>, end: Early) {
        let mut early = self.experiment.early();
        if let Some(recorder) = recorder.get() {
            drop(early);
            recorder.record(end.record);
        } else if early.len() < MAX_EARLY {
            early.push(end);
        } else {
            self.experiment.silent.store(true, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        branch::{Role, SkipReason},
        record::{MemoryBackend, Recorder, Recording},
        trial::{Place, Seat},
    };
    use serde_json::json;

    fn arms() -> Arms {
        let configs = ["a", "b"].map(|id| json!({ "config_id": id }));
        Arms::new("ranker", "shadow", &ConfigPool::from_values(configs).unwrap())
    }

    fn seat(arm: &Arc<Arm>) -> Seat {
        Seat::new(Place::first(arm, Role::Primary, 1.0, None))
    }

    fn recorder() -> (Recorder, Recording) {
        Recorder::pair(MemoryBackend::new())
    }

    #[test]
    fn what_was_kept_for_a_recorder_is_gone_with_the_layer() {
        let arms = arms();
        let experiment = Arc::downgrade(&arms[0].experiment);
        for _ in 0..1_000 {
            drop(seat(&arms[0]));
            seat(&arms[1]).skip(SkipReason::MaxInFlight);
        }
        assert_eq!(arms[0].experiment.early().len(), MAX_EARLY);
        drop(arms);
        assert!(experiment.upgrade().is_none());
    }

    #[test]
    fn a_recorder_that_comes_later_gets_the_skips_of_all_and_the_drops_of_its_own_arm() {
        let arms = arms();
        for arm in arms.iter() {
            drop(seat(arm));
            seat(arm).skip(SkipReason::NotReady);
        }
        let (recorder, _recording) = recorder();
        arms[0].attach(|| Arc::new(recorder.clone()));
        assert_eq!(recorder.stats().accepted, 3);
        arms[1].attach(|| Arc::new(recorder.clone()));
        assert_eq!(recorder.stats().accepted, 4);
    }
}
