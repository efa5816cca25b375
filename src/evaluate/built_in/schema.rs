//! Does the answer fit a JSON Schema?

use crate::{
    BoxError,
    config::schema::Schema,
    evaluate::{Evaluation, Evaluator, at::At, at::looks_at},
};
use serde_json::Value;

/// 1 if the answer fits a JSON Schema, else 0. A text that is JSON (a model's answer in a string, say) is looked at as
/// that JSON.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::{config::schema::Schema, evaluate::FitsSchema};
///
/// let schema = Schema::from_value(json!({ "type": "object", "required": ["answer"] }))?;
/// let valid = FitsSchema::new("valid", schema).at("/choices/0/message/content")?;
/// # let _ = valid;
/// # Ok::<(), tower_spearmint::BoxError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FitsSchema {
    name: String,
    at: At,
    schema: Schema,
}

impl FitsSchema {
    /// Under this name.
    pub fn new(name: &str, schema: Schema) -> Self {
        Self { name: name.to_owned(), at: At::default(), schema }
    }

    looks_at!();
}

impl Evaluator for FitsSchema {
    fn name(&self) -> &str {
        &self.name
    }

    /// Where there is nothing at the place, nothing fits.
    async fn evaluate(&self, evaluation: &Evaluation) -> Result<Option<f64>, BoxError> {
        if evaluation.response().is_none() {
            return Ok(None);
        }
        let fits = match self.at.response(evaluation) {
            None => false,
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(value) => self.schema.fits(&value),
                Err(_) => self.schema.fits(&Value::String(text.clone())),
            },
            Some(value) => self.schema.fits(value),
        };
        Ok(Some(f64::from(fits)))
    }

    fn is_quick(&self) -> bool {
        true
    }
}
