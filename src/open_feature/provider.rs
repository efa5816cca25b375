//! The provider.

use super::{
    answer::Answer,
    error,
    flags::{DuplicateExperiment, ProviderHandle},
};
use crate::{
    assign::{Eligible, Testers, UnitKey},
    round_robin::GenericRoundRobinLayer,
};
use open_feature::{
    EvaluationContext, EvaluationErrorCode, EvaluationResult, StructValue, async_trait,
    provider::{FeatureProvider, ProviderMetadata, ResolutionDetails},
};
use std::sync::Arc;

/// Answers flag evaluations from experiments; see [the module](super).
#[derive(Debug)]
pub struct SpearmintProvider {
    flags: ProviderHandle,
    metadata: ProviderMetadata,
}

impl Default for SpearmintProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl SpearmintProvider {
    /// A provider without experiments. It is named `spearmint`.
    pub fn new() -> Self {
        Self { flags: ProviderHandle::default(), metadata: ProviderMetadata::new("spearmint") }
    }

    /// With the experiment of a layer, under the name that the layer has
    /// (`RoundRobinLayer::experiment`).
    ///
    /// # Errors
    ///
    /// When there is one of this name already.
    pub fn experiment<C, K, E, T>(
        self,
        layer: GenericRoundRobinLayer<C, K, E, T>,
    ) -> Result<Self, DuplicateExperiment>
    where
        C: Send + Sync + 'static,
        K: UnitKey<EvaluationContext> + Send + Sync + 'static,
        E: Eligible<EvaluationContext> + Send + Sync + 'static,
        T: Testers<EvaluationContext> + Send + Sync + 'static,
    {
        let name = layer.name().to_owned();
        self.flags.add(&name, Arc::new(layer))?;
        Ok(self)
    }

    /// What changes the experiments while the provider answers.
    pub fn handle(&self) -> ProviderHandle {
        self.flags.clone()
    }

    fn resolve<T>(
        &self,
        key: &str,
        context: &EvaluationContext,
        read: impl FnOnce(Answer<'_>) -> EvaluationResult<T>,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let (asked, path) = self.flags.find(key)?;
        let (config, details) = asked.ask(context).ok_or_else(|| {
            let message = format!(
                "`{key}` is assigned by unit, and the evaluation context names none; set its \
                 targeting key, or what else tells units apart in this experiment"
            );
            error(EvaluationErrorCode::TargetingKeyMissing, message)
        })?;
        let value = read(Answer::find(key, &config, path)?)?;
        Ok(details.of(value, config.id()))
    }
}

#[async_trait]
impl FeatureProvider for SpearmintProvider {
    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(flag_key, context, |answer| answer.bool())
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.resolve(flag_key, context, |answer| answer.int())
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.resolve(flag_key, context, |answer| answer.float())
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.resolve(flag_key, context, |answer| answer.string())
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.resolve(flag_key, context, |answer| answer.structure())
    }
}
