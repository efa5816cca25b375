//! Whether what was recorded is what there was: asked before anything is said of it.

use super::{
    ArmLosses, Coverage, Plan, SampleRatio,
    arms::{Arm, Arms},
    completions, coverage, losses,
    sample_ratio::{self, Counted, Share},
    sentence,
};
use crate::store::StoreError;

/// All that can say `broken`.
#[derive(Debug)]
pub(super) struct Trust {
    pub(super) sample_ratio: Option<SampleRatio>,
    pub(super) completions: Option<SampleRatio>,
    pub(super) losses: Vec<ArmLosses>,
    /// In the order of the candidates.
    pub(super) coverage: Vec<Option<Coverage>>,
}

impl Trust {
    pub(super) fn of(plan: &Plan, arms: &Arms, share: &mut impl Share) -> Result<Self, StoreError> {
        let counted = Counted::dispatched(arms);
        let sample_ratio =
            arms.are_split().then(|| sample_ratio::check(arms, counted, share)).transpose()?;
        let lost = share.losses(plan, arms)?;
        let covered = arms.candidates.iter().map(|arm| coverage::of(arms, arm, share));
        Ok(Self {
            sample_ratio,
            coverage: covered.collect::<Result<_, _>>()?,
            completions: completions::check(arms, share)?,
            losses: losses::of(arms, &lost),
        })
    }

    /// Why nothing can be said of a candidate, if so.
    pub(super) fn broken(&self, arms: &Arms, at: usize, candidate: &Arm) -> Option<String> {
        let ratios = [&self.sample_ratio, &self.completions];
        if let Some(ratio) = ratios.into_iter().flatten().find(|ratio| ratio.broken) {
            return Some(sentence::broken(ratio));
        }
        let counts = |lost: &&ArmLosses| {
            lost.broken && (lost.is_of(candidate) || lost.is_of(&arms.baseline))
        };
        if let Some(lost) = self.losses.iter().find(counts) {
            return Some(sentence::lost(lost));
        }
        let coverage = self.coverage.get(at)?.as_ref().filter(|coverage| coverage.broken);
        coverage.map(|coverage| sentence::uncovered(candidate, coverage))
    }
}
