//! A request body that was read as JSON before the strategy was asked.

use serde_json::Value;
use std::{ops::Deref, sync::Arc};

/// A request body that was read as JSON, in the extensions of the request: there the `json` of a
/// [`Rule`](super::Rule) finds it. A strategy sees a request before its body has come; whoever
/// wants rules about the body reads it first, and puts this beside it. (The proxy does so
/// where the file asks for it, up to `rewrite_limit`.)
///
/// ```
/// use http::Request;
/// use serde_json::json;
/// use tower_spearmint::{assign::Eligible, http::{JsonBody, Rule}};
///
/// let pro = Rule::json("/user/plan", json!("pro"));
/// let mut request = Request::new(());
/// assert!(!pro.is_eligible(&request, None));
/// request.extensions_mut().insert(JsonBody::new(json!({ "user": { "plan": "pro" } })));
/// assert!(pro.is_eligible(&request, None));
/// ```
#[derive(Debug, Clone)]
pub struct JsonBody(Arc<Value>);

impl JsonBody {
    /// What was read.
    pub fn new(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl Deref for JsonBody {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}
