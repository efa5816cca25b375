//! What an answer of a model costs.

use super::{
    EvaluatorError, Missed,
    usage::{Usage, model},
};
use crate::{config::Config, trial::Content};
use std::collections::BTreeMap;

/// What a million tokens of a model cost, in any currency.
///
/// ```
/// use tower_spearmint::evaluate::Price;
///
/// let price = Price::new(0.15, 0.60).cached_input(0.075);
/// assert_eq!(price.cost(1_000_000.0, 500_000.0), 0.45);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    input: f64,
    output: f64,
    cached_input: Option<f64>,
    cache_write: Option<f64>,
}

const MILLION: f64 = 1e6;

impl Price {
    /// Of a million tokens read, and of a million written.
    pub const fn new(input: f64, output: f64) -> Self {
        Self { input, output, cached_input: None, cache_write: None }
    }

    /// Of a million tokens read from a cache; as for others read until then.
    #[must_use]
    pub const fn cached_input(mut self, price: f64) -> Self {
        self.cached_input = Some(price);
        self
    }

    /// Of a million tokens read and written to a cache; as for others read until then.
    #[must_use]
    pub const fn cache_write(mut self, price: f64) -> Self {
        self.cache_write = Some(price);
        self
    }

    /// What so many tokens cost, read (none of them from a cache) and written.
    pub fn cost(&self, input: f64, output: f64) -> f64 {
        self.of(Usage { input, cached: 0.0, cache_write: 0.0, output })
    }

    fn of(&self, usage: Usage) -> f64 {
        let millions = usage.input * self.input
            + usage.cached * self.cached_input.unwrap_or(self.input)
            + usage.cache_write * self.cache_write.unwrap_or(self.input)
            + usage.output * self.output;
        millions / MILLION
    }

    fn parts(&self) -> impl Iterator<Item = f64> {
        [Some(self.input), Some(self.output), self.cached_input, self.cache_write]
            .into_iter()
            .flatten()
    }
}

/// What models cost, by name: the metric `cost` of a branch is what its answer comes to.
///
/// The model is the one that the response names (`model`, or where its API has it); a name of the table stands for
/// dated versions, too: `gpt-4o-mini` for `gpt-4o-mini-2024-07-18`, if that has no price of its own.
/// Where the response names none that has a price, it is the config's: its `model`, or its id.
///
/// ```
/// use tower_spearmint::evaluate::{Evaluators, Price, Prices};
///
/// let prices = Prices::new()
///     .model("gpt-4o-mini", Price::new(0.15, 0.60).cached_input(0.075))?
///     .model("claude-sonnet-4", Price::new(3.0, 15.0).cached_input(0.3).cache_write(3.75))?;
/// let evaluation = Evaluators::new().prices(prices).build()?;
/// # let _ = evaluation;
/// # Ok::<(), tower_spearmint::evaluate::EvaluatorError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    models: BTreeMap<String, Price>,
}

impl Prices {
    pub(super) const NONE: Self = Self { models: BTreeMap::new() };

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The price of a model.
    ///
    /// # Errors
    ///
    /// When a part of it is negative or not finite.
    pub fn model(mut self, name: &str, price: Price) -> Result<Self, EvaluatorError> {
        if let Some(wrong) = price.parts().find(|part| !(part.is_finite() && *part >= 0.0)) {
            return Err(EvaluatorError::Price(wrong.to_string()));
        }
        self.models.insert(name.to_owned(), price);
        Ok(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// What the answer costs.
    pub(super) fn cost(&self, content: &Content, config: &Config) -> Result<f64, Missed> {
        let named = config.value().get("model").and_then(|model| model.as_str());
        let names = [model(content), named, Some(config.id().as_str())];
        let price = names.into_iter().flatten().find_map(|name| self.price(name));
        let usage = Usage::of(content);
        price.zip(usage).map(|(price, usage)| price.of(usage)).ok_or(Missed::NoPrice)
    }

    /// The price of the model, or of the longest name that it is a version of.
    fn price(&self, model: &str) -> Option<&Price> {
        let ends = model.char_indices().rev().filter(|(_, c)| matches!(c, '-' | '@' | ':'));
        let names = std::iter::once(model).chain(ends.map(|(at, _)| &model[..at]));
        // `openai/gpt-4o-mini` names the maker, too.
        let whole = names.clone().find_map(|name| self.models.get(name));
        whole.or_else(|| {
            names
                .filter_map(|name| Some(name.rsplit_once('/')?.1))
                .find_map(|name| self.models.get(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prices() -> Prices {
        Prices::new()
            .model("gpt-4o", Price::new(2.5, 10.0))
            .unwrap()
            .model("gpt-4o-mini", Price::new(0.15, 0.6).cached_input(0.075))
            .unwrap()
    }

    fn cost(model: Option<&str>, config: serde_json::Value) -> Option<f64> {
        let usage = json!({ "prompt_tokens": 1_000, "completion_tokens": 100,
            "prompt_tokens_details": { "cached_tokens": 400 } });
        let body = json!({ "model": model, "usage": usage });
        prices().cost(&Content::of(body), &Config::new(config).unwrap()).ok()
    }

    #[test]
    fn a_version_costs_what_the_longest_name_it_begins_with_says() {
        let mini = Some((600.0 * 0.15 + 400.0 * 0.075 + 100.0 * 0.6) / 1e6);
        let large = Some((1_000.0 * 2.5 + 100.0 * 10.0) / 1e6);
        assert_eq!(cost(Some("gpt-4o-mini"), json!({})), mini);
        assert_eq!(cost(Some("gpt-4o-mini-2024-07-18"), json!({})), mini);
        assert_eq!(cost(Some("openai/gpt-4o-mini:free"), json!({})), mini);
        assert_eq!(cost(Some("gpt-4o-2024-08-06"), json!({})), large);
        for unknown in ["gpt-4", "gpt-4omni", "other"] {
            assert_eq!(cost(Some(unknown), json!({})), None, "{unknown}");
        }
    }

    #[test]
    fn where_the_response_names_no_model_that_has_a_price_the_config_does() {
        let mini = cost(Some("gpt-4o-mini"), json!({}));
        assert!(mini.is_some());
        assert_eq!(cost(None, json!({ "model": "gpt-4o-mini" })), mini);
        assert_eq!(cost(Some("a proxy's own name"), json!({ "config_id": "gpt-4o-mini" })), mini);
        assert_eq!(cost(None, json!({ "model": "other" })), None);
    }

    #[test]
    fn without_usage_there_is_no_cost_and_a_price_is_a_number_from_0() {
        let content = Content::of(json!({ "model": "gpt-4o" }));
        let config = Config::new(json!({})).unwrap();
        assert_eq!(prices().cost(&content, &config), Err(Missed::NoPrice));
        let error = Prices::new().model("x", Price::new(-1.0, 0.0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "-1 is not a price; write what a million tokens cost, as in 0.15"
        );
    }
}
