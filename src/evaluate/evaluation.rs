//! What an evaluator is shown.

use crate::branch::Branch;
use serde_json::Value;
use std::sync::Arc;

/// What an evaluator is shown of a branch: what was asked, what was answered, what should have been
/// answered, and the facts. Cheap to clone.
///
/// Over HTTP, bodies are JSON values where they are JSON, and texts elsewhere; a completion that was streamed
/// looks like one that came whole. Nothing in them is hidden: they are not recorded.
#[derive(Debug, Clone)]
pub struct Evaluation {
    pub(super) branch: Arc<Branch>,
    pub(super) request: Option<Arc<Value>>,
    pub(super) response: Option<Arc<Value>>,
    pub(super) expected: Option<Arc<Value>>,
}

impl Evaluation {
    /// For tests of evaluators of one's own: what they would be shown of this branch.
    pub fn new(branch: Branch) -> Self {
        Self { branch: Arc::new(branch), request: None, response: None, expected: None }
    }

    /// The same with this as the request.
    #[must_use]
    pub fn with_request(mut self, request: Value) -> Self {
        self.request = Some(Arc::new(request));
        self
    }

    /// The same with this as the response.
    #[must_use]
    pub fn with_response(mut self, response: Value) -> Self {
        self.response = Some(Arc::new(response));
        self
    }

    /// The same with this as what the response should have been.
    #[must_use]
    pub fn with_expected(mut self, expected: Value) -> Self {
        self.expected = Some(Arc::new(expected));
        self
    }

    /// What was asked, if it was [noted](crate::Place::note_request) or kept.
    pub fn request(&self) -> Option<&Value> {
        self.request.as_deref()
    }

    /// What was answered: the body, or else the output that the logging layer
    /// [captured](crate::LogLayer::capture).
    pub fn response(&self) -> Option<&Value> {
        self.response.as_deref().or(self.branch.output.as_ref())
    }

    /// What should have been answered, as far as that is known; see [`Expected`](super::Expected).
    pub fn expected(&self) -> Option<&Value> {
        self.expected.as_deref()
    }

    /// The branch: its config, role, times. Its metrics are those that its service said, and those that
    /// were read in the response.
    pub fn branch(&self) -> &Branch {
        &self.branch
    }
}
