//! The experiments by their names, and what replaces them while they are asked.

use super::{asked::Asked, error};
use crate::{
    assign::{Eligible, Testers, UnitKey},
    config::{nearest, path},
    round_robin::GenericRoundRobinLayer,
};
use open_feature::{EvaluationContext, EvaluationErrorCode, EvaluationResult};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

type Experiments = BTreeMap<String, Arc<dyn Asked>>;

/// Two experiments of a provider have the same name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two experiments are named `{name}`; name each with `.experiment(…)`")]
pub struct DuplicateExperiment {
    name: String,
}

/// Changes the experiments of a [`SpearmintProvider`](super::SpearmintProvider) while it answers.
/// Cheap to clone.
#[derive(Clone, Default)]
pub struct ProviderHandle(Arc<RwLock<Experiments>>);

impl ProviderHandle {
    /// From the next evaluation on this layer answers for the experiment of its name, which may be
    /// a new one. Its epoch is counted on from that of the layer before, unless it already is.
    pub fn set<C, K, E, T>(&self, layer: GenericRoundRobinLayer<C, K, E, T>)
    where
        C: Send + Sync + 'static,
        K: UnitKey<EvaluationContext> + Send + Sync + 'static,
        E: Eligible<EvaluationContext> + Send + Sync + 'static,
        T: Testers<EvaluationContext> + Send + Sync + 'static,
    {
        let mut experiments = self.write();
        let layer = match experiments.get(layer.name()).map(|before| before.epoch()) {
            Some(before) if layer.epoch().number() <= before.number() => layer.following(before),
            _ => layer,
        };
        experiments.insert(layer.name().to_owned(), Arc::new(layer));
    }

    /// Takes an experiment away: its flags are not found from the next evaluation on, so that
    /// callers go by their defaults. Whether there was one of this name.
    pub fn remove(&self, experiment: &str) -> bool {
        self.write().remove(experiment).is_some()
    }

    /// The names of the experiments, in order.
    pub fn experiments(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    pub(super) fn add(&self, name: &str, asked: Arc<dyn Asked>) -> Result<(), DuplicateExperiment> {
        match self.write().insert(name.to_owned(), asked) {
            None => Ok(()),
            Some(_) => Err(DuplicateExperiment { name: name.to_owned() }),
        }
    }

    /// The experiment of a flag, and the path in its config. Of several names that the key begins
    /// with the longest counts: names may hold dots.
    pub(super) fn find<'a>(&self, key: &'a str) -> EvaluationResult<(Arc<dyn Asked>, &'a str)> {
        let experiments = self.read();
        let found = experiments
            .iter()
            .filter_map(|(name, asked)| Some((name.len(), asked, path::within(key, name)?)))
            .max_by_key(|(length, ..)| *length);
        match found {
            Some((_, asked, path)) => Ok((asked.clone(), path)),
            None => Err(error(EvaluationErrorCode::FlagNotFound, unknown(key, &experiments))),
        }
    }

    // Nothing of ours panics while it holds the lock, and a map is whole between any two steps.
    fn read(&self) -> RwLockReadGuard<'_, Experiments> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Experiments> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is no such experiment; which one may have been meant.
fn unknown(key: &str, experiments: &Experiments) -> String {
    let names = || experiments.keys().map(String::as_str);
    // The key may go on with a path, after as many steps as the name has.
    let meant = names().find_map(|name| {
        let dots = name.matches('.').count();
        let end = key.match_indices(['.', '[']).nth(dots).map_or(key.len(), |(at, _)| at);
        let (head, path) = key.split_at(end);
        nearest(head, [name]).map(|name| format!("; did you mean `{name}{path}`?"))
    });
    let known: Vec<_> = names().take(12).map(|name| format!("`{name}`")).collect();
    let more = if experiments.len() > known.len() { ", …" } else { "" };
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let meant = meant.unwrap_or_default();
    format!("`{key}`: no experiment of this name; there are {known}{more}{meant}")
}

impl fmt::Debug for ProviderHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderHandle").field("experiments", &self.experiments()).finish()
    }
}
