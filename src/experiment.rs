//! What the branches of one strategy have in common.

use crate::{
    config::{Config, ConfigPool},
    record::{Record, Recorder},
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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
    recorder: OnceLock<Recorder>,
    /// Ends from before the first request reached a logging layer.
    early: Mutex<Vec<Record>>,
}

/// One config of an experiment.
#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) experiment: Arc<Experiment>,
    pub(crate) config: Config,
    recorder: OnceLock<Recorder>,
}

/// All configs of an experiment, in the order of the pool.
#[derive(Debug, Clone)]
pub(crate) struct Arms {
    arms: Arc<[Arc<Arm>]>,
}

impl Arms {
    pub(crate) fn new(name: &str, strategy: &str, pool: &ConfigPool) -> Self {
        let experiment = Arc::new(Experiment {
            name: name.into(),
            strategy: strategy.into(),
            recorder: OnceLock::new(),
            early: Mutex::default(),
        });
        let arm = |config: &Config| {
            Arc::new(Arm {
                experiment: experiment.clone(),
                config: config.clone(),
                recorder: OnceLock::new(),
            })
        };
        Self { arms: pool.iter().map(arm).collect() }
    }

    /// The same arms under another name, with nothing recorded yet.
    pub(crate) fn named(&self, name: &str) -> Self {
        let experiment = Arc::new(Experiment {
            name: name.into(),
            strategy: self.arms[0].experiment.strategy.clone(),
            recorder: OnceLock::new(),
            early: Mutex::default(),
        });
        let arm = |arm: &Arc<Arm>| {
            Arc::new(Arm {
                experiment: experiment.clone(),
                config: arm.config.clone(),
                recorder: OnceLock::new(),
            })
        };
        Self { arms: self.arms.iter().map(arm).collect() }
    }
}

impl std::ops::Deref for Arms {
    type Target = [Arc<Arm>];

    fn deref(&self) -> &[Arc<Arm>] {
        &self.arms
    }
}

impl Arm {
    /// Called by a logging layer that sees a trial of this arm: from now on an end that no
    /// logging layer can see (a skip, a drop on the way) reaches the same recorder.
    pub(crate) fn attach(&self, recorder: &Recorder) {
        if self.recorder.get().is_none() {
            let _ = self.recorder.set(recorder.clone());
            let experiment = &self.experiment;
            let _ = experiment.recorder.set(recorder.clone());
            let mut early = experiment.early.lock().unwrap_or_else(PoisonError::into_inner);
            for record in early.drain(..) {
                recorder.record(record);
            }
        }
    }

    /// Records the end of a branch that was on its way to a logging layer. Without one on this
    /// arm there is nobody to tell.
    pub(crate) fn record(&self, record: Record) {
        if let Some(recorder) = self.recorder.get() {
            recorder.record(record);
        }
    }

    /// Records the end of a branch that was never sent on its way.
    pub(crate) fn record_skip(&self, record: Record) {
        let experiment = &self.experiment;
        if let Some(recorder) = experiment.recorder.get() {
            return recorder.record(record);
        }
        let mut early = experiment.early.lock().unwrap_or_else(PoisonError::into_inner);
        match experiment.recorder.get() {
            Some(recorder) => recorder.record(record),
            None if early.len() < MAX_EARLY => early.push(record),
            // No logging layer after 256 of them: there is none.
            None => {}
        }
    }
}
