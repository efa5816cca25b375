//! Which requests are shadowed, and what of them a shadow gets.

use super::{Forked, IdempotencyKey, RequestMatch, Rule, tap::Budget};
use crate::{capture::Capture, record::Failures, shadow::GenericShadowLayer};
use http::{HeaderName, Method, header};
use std::sync::Arc;

/// Credentials: not for shadows unless allowed.
const CREDENTIALS: [HeaderName; 3] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

/// What may be repeated (RFC 9110 section 9.2.1). TRACE is not for services.
const SAFE_METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::OPTIONS];

/// Which requests are shadowed, and what of them a shadow gets.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) methods: Vec<Method>,
    pub(super) control_methods: Vec<Method>,
    pub(super) only: RequestMatch,
    pub(super) eligible: Option<Rule>,
    pub(super) withheld: Vec<HeaderName>,
    pub(super) idempotency_key: IdempotencyKey,
    pub(super) budget: Budget,
    pub(super) capture: Capture,
    pub(super) max_response_bytes: usize,
    pub(super) failures: Failures,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            methods: SAFE_METHODS.to_vec(),
            control_methods: SAFE_METHODS.to_vec(),
            only: RequestMatch::default(),
            eligible: None,
            withheld: CREDENTIALS.to_vec(),
            idempotency_key: IdempotencyKey::default(),
            budget: Budget::default(),
            capture: Capture::default(),
            max_response_bytes: 8 << 20,
            failures: Failures::default(),
        }
    }
}

impl<K, V> GenericShadowLayer<Forked, K, V> {
    fn rules_mut(&mut self) -> &mut Rules {
        Arc::make_mut(&mut self.carrier_mut().0)
    }

    /// The methods that are shadowed; GET, HEAD and OPTIONS until then. A shadow of any other
    /// method may do a second time what the primary did.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.rules_mut().methods = methods.into_iter().collect();
        self
    }

    /// The methods, of those that are shadowed, that the [control](Self::control) may repeat; GET, HEAD
    /// and OPTIONS until then. The control runs the primary's own config: with any other method it
    /// does a second time what the primary did, in the same place.
    #[must_use]
    pub fn control_methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.rules_mut().control_methods = methods.into_iter().collect();
        self
    }

    /// Shadows only the requests that match; all until then. The others are counted
    /// (`unmatched`).
    #[must_use]
    pub fn only(mut self, requests: RequestMatch) -> Self {
        self.rules_mut().only = requests;
        self
    }

    /// Shadows only the requests that this rule lets in, too; all until then. The others are
    /// counted (`unmatched`). A percentage of units is one of those that
    /// [`sample_by`](Self::sample_by) finds.
    #[must_use]
    pub fn eligible(mut self, rule: Rule) -> Self {
        self.rules_mut().eligible = Some(rule);
        self
    }

    /// What becomes of a request's `idempotency-key`; a shadow gets one of its own until then.
    #[must_use]
    pub fn idempotency_key(mut self, policy: IdempotencyKey) -> Self {
        self.rules_mut().idempotency_key = policy;
        self
    }

    /// Which complete answers count as failures for the breaker: those that the logging layer
    /// [takes for failures](crate::LogLayer::failures), if it was told others than the default.
    #[must_use]
    pub fn failures(mut self, failures: Failures) -> Self {
        self.rules_mut().failures = failures;
        self
    }

    /// Allows these headers to reach the shadows, of those that do not otherwise:
    /// `authorization`, `proxy-authorization`, `cookie` and what
    /// [`withhold_headers`](Self::withhold_headers) added.
    #[must_use]
    pub fn forward_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let allowed: Vec<_> = headers.into_iter().collect();
        self.rules_mut().withheld.retain(|name| !allowed.contains(name));
        self
    }

    /// Keeps further headers from the shadows.
    #[must_use]
    pub fn withhold_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.rules_mut().withheld.extend(headers);
        self
    }

    /// How many bytes of a request body may wait for one shadow; 24 MiB until then. A shadow that
    /// falls further behind is dropped.
    #[must_use]
    pub fn body_buffer(mut self, bytes: usize) -> Self {
        self.rules_mut().budget.each = bytes;
        self
    }

    /// How many bytes of request bodies may wait for all shadows of this layer together; 256 MiB
    /// until then. For those of one config may wait no more than is still free (half of it, if it
    /// is alone): one that is stuck leaves room for one that reads.
    #[must_use]
    pub fn body_buffer_total(mut self, bytes: usize) -> Self {
        self.rules_mut().budget.all = bytes;
        self
    }

    /// How many bytes of a shadow's response are read; 8 MiB until then. A shadow with more to
    /// say is dropped (`failed`, kind `oversized`).
    #[must_use]
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.rules_mut().max_response_bytes = bytes;
        self
    }

    /// How many bytes of a response are kept to be compared and for
    /// [`shadow_results`](Self::shadow_results) (as `Response<Settled>`); 64 KiB until then. What
    /// is larger is compared by its hash.
    #[must_use]
    pub fn capture_bytes(mut self, bytes: usize) -> Self {
        self.rules_mut().capture.each = bytes;
        self
    }

    /// How many bytes of responses are kept at one time; 32 MiB until then. Beyond it nothing of a
    /// response is kept but its hash.
    #[must_use]
    pub fn capture_bytes_total(mut self, bytes: usize) -> Self {
        self.rules_mut().capture.all = bytes;
        self
    }
}
