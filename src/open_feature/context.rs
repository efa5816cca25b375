//! What an evaluation context says: the unit, and what a tester wants.

use crate::{
    assign::{NoTesters, Testers, UnitKey},
    round_robin::GenericRoundRobinLayer,
};
use open_feature::{EvaluationContext, EvaluationContextFieldValue};
use std::borrow::Cow;

/// The unit is told by the targeting key of the evaluation context.
#[derive(Debug, Clone, Copy, Default)]
pub struct TargetingKey;

impl UnitKey<EvaluationContext> for TargetingKey {
    fn unit_key<'a>(&self, context: &'a EvaluationContext) -> Option<Cow<'a, [u8]>> {
        context.targeting_key.as_deref().map(|key| Cow::Borrowed(key.as_bytes()))
    }
}

/// A custom field of the evaluation context, by its name: for a unit that is not the targeting
/// key, or for the id of the config that a tester asks for.
///
/// As a unit's key it is a text, an integer or a boolean, as it is written; as an id it is a text.
/// Anything else counts as not there.
#[derive(Debug, Clone)]
pub struct CustomField(String);

impl CustomField {
    /// The field of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl UnitKey<EvaluationContext> for CustomField {
    fn unit_key<'a>(&self, context: &'a EvaluationContext) -> Option<Cow<'a, [u8]>> {
        match context.custom_fields.get(&self.0)? {
            EvaluationContextFieldValue::String(text) => Some(Cow::Borrowed(text.as_bytes())),
            EvaluationContextFieldValue::Int(n) => Some(Cow::Owned(n.to_string().into_bytes())),
            EvaluationContextFieldValue::Bool(is) => Some(Cow::Owned(is.to_string().into_bytes())),
            _ => None,
        }
    }
}

impl Testers<EvaluationContext> for CustomField {
    fn wanted<'a>(&self, context: &'a EvaluationContext) -> Option<Cow<'a, str>> {
        context.custom_fields.get(&self.0)?.as_str().map(Cow::Borrowed)
    }
}

impl<C: Clone, K, E: Clone, T> GenericRoundRobinLayer<C, K, E, T> {
    /// The same experiment, asked by flag evaluations instead of requests: the same configs,
    /// weights, salt and rules in the same epoch, so that a unit gets the same config either way.
    /// The unit is the [`TargetingKey`], whatever it is in a request. Nobody may ask for a config
    /// until [`testers`](Self::testers) are allowed again.
    ///
    /// A rule of who is [`eligible`](Self::eligible) looks at requests; set one that looks at an
    /// `EvaluationContext` in its place, or the provider does not take the layer.
    ///
    /// ```
    /// use serde_json::json;
    /// use tower_spearmint::{ConfigPool, RoundRobinLayer, open_feature::SpearmintProvider};
    ///
    /// struct Query { user: String }
    ///
    /// let pool = ConfigPool::from_values([json!({ "config_id": "a" }), json!({ "config_id": "b" })])?;
    /// let layer = RoundRobinLayer::new(pool)
    ///     .experiment("ranker")
    ///     .sticky("ranker-2026", |query: &Query| Some(query.user.clone()));
    /// let provider = SpearmintProvider::new().experiment(layer.for_flags())?;
    /// # let _ = provider;
    /// # Ok::<(), tower_spearmint::BoxError>(())
    /// ```
    ///
    /// ```compile_fail
    /// # use serde_json::json;
    /// # use tower_spearmint::{ConfigPool, RoundRobinLayer, open_feature::SpearmintProvider};
    /// # struct Query { user: String }
    /// # let pool = ConfigPool::from_values([json!({ "config_id": "a" })])?;
    /// let layer = RoundRobinLayer::new(pool).eligible(|query: &Query| query.user != "bot");
    /// let provider = SpearmintProvider::new().experiment(layer.for_flags())?;
    /// # Ok::<(), tower_spearmint::BoxError>(())
    /// ```
    #[must_use]
    pub fn for_flags(&self) -> GenericRoundRobinLayer<C, TargetingKey, E, NoTesters>
    where
        K: Clone,
        T: Clone,
    {
        self.clone().known_as(TargetingKey).testers(NoTesters)
    }
}
