//! Bringing the two answers of a pair together.

use super::{
    GenericShadowLayer,
    answers::{Answers, Brought, Other},
};
use crate::{
    branch::BranchId,
    carrier::{Keep, Seen},
    caught::caught,
    compare::{Compare, Differences},
};
use std::sync::Arc;

/// Where the primary's answer goes.
pub(super) fn keep_primary<C, K, V, T>(
    layer: &Arc<GenericShadowLayer<C, K, V>>,
    answers: Arc<Answers<V::Kept>>,
) -> Keep<T>
where
    C: Send + Sync + 'static,
    K: Send + Sync + 'static,
    V: Compare<T>,
{
    let layer = layer.clone();
    Keep::new(move |seen: Option<Seen<'_, T>>| {
        let kept = seen.map(|seen| match seen {
            Seen::Look(answer) => caught(|| layer.compare.keep(answer)),
            Seen::Take(answer) => caught(|| layer.compare.take(answer)),
        });
        let kept = kept.and_then(|kept| {
            kept.map_err(|panic| tracing::error!(%panic, "keeping an answer panicked")).ok()
        });
        let (primary, others) = answers.primary(kept);
        for other in others {
            match &primary {
                Some(primary) => compare(&layer, answers.primary, primary.clone(), other),
                None => layer.state.not_compared(other.at),
            }
        }
    })
}

/// A shadow's answer is there.
pub(super) fn bring_other<C, K, V, T>(
    layer: &Arc<GenericShadowLayer<C, K, V>>,
    answers: &Answers<V::Kept>,
    other: Other<V::Kept>,
) where
    C: Send + Sync + 'static,
    K: Send + Sync + 'static,
    V: Compare<T>,
{
    match answers.other(other) {
        Brought::Waits => {}
        Brought::Pair(primary, other) => {
            compare::<_, _, _, T>(layer, answers.primary, primary, other);
        }
        Brought::Alone(other) => layer.state.not_compared(other.at),
    }
}

fn compare<C, K, V, T>(
    layer: &Arc<GenericShadowLayer<C, K, V>>,
    primary: BranchId,
    kept: Arc<V::Kept>,
    other: Other<V::Kept>,
) where
    C: Send + Sync + 'static,
    K: Send + Sync + 'static,
    V: Compare<T>,
{
    let at = other.at;
    if layer.compare.is_same(&kept, &other.kept) {
        layer.state.compared(at, &other.place, primary, Differences::default());
        return;
    }
    let job = {
        let layer = layer.clone();
        move || match caught(|| layer.compare.compare(&kept, &other.kept)) {
            Ok(differences) => layer.state.compared(at, &other.place, primary, differences),
            Err(panic) => {
                tracing::error!(%panic, "a comparison panicked");
                layer.state.not_compared(at);
            }
        }
    };
    if !layer.state.comparer.submit(job) {
        layer.state.not_compared(at);
    }
}
