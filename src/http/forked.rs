//! One HTTP request for several services.

use super::{
    ForkBody, RequestMatch, Settled, WatchBody, carrier,
    log::may_have_body,
    pump::{pump, read_ahead},
    settled::{Capture, Gather},
    tap::{Budget, Owner},
};
use crate::{
    branch::{Failure, FailureKind, SkipReason},
    carrier::{Fork, Keep, MarkResponse, MayShadow, Pump, Reason, Settle, Ticket},
    record::Failures,
    shadow::GenericShadowLayer,
    trial::Place,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};
use http_body::Body;
use http_body_util::BodyExt;
use serde::Deserialize;
use std::{pin::pin, sync::Arc};

/// The header that marks a shadow's request: `<experiment>/<config id>`.
pub const SHADOW_HEADER: HeaderName = HeaderName::from_static("x-spearmint-shadow");

/// Credentials: not for shadows unless allowed.
const CREDENTIALS: [HeaderName; 3] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

/// How many headers the request of a shadow gets on its way: the mark, where it comes from, the trace.
const MORE_HEADERS: usize = 6;

/// What may be repeated (RFC 9110 section 9.2.1). TRACE is not for services.
const SAFE_METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::OPTIONS];

/// The config travels in the extensions, and the body is forked; see [the module](super).
#[derive(Debug, Clone, Default)]
pub struct Forked(Arc<Rules>);

/// Which requests are shadowed, and what of them a shadow gets.
#[derive(Debug, Clone)]
struct Rules {
    methods: Vec<Method>,
    control_methods: Vec<Method>,
    only: RequestMatch,
    withheld: Vec<HeaderName>,
    idempotency_key: IdempotencyKey,
    budget: Budget,
    capture: Capture,
    max_response_bytes: usize,
    failures: Failures,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            methods: SAFE_METHODS.to_vec(),
            control_methods: SAFE_METHODS.to_vec(),
            only: RequestMatch::default(),
            withheld: CREDENTIALS.to_vec(),
            idempotency_key: IdempotencyKey::default(),
            budget: Budget::default(),
            capture: Capture::default(),
            max_response_bytes: 8 << 20,
            failures: Failures::default(),
        }
    }
}

/// What becomes of the `idempotency-key` of a request whose shadows may have effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdempotencyKey {
    /// A shadow gets a key of its own, made from the caller's and its config's id: it neither
    /// answers in the primary's place nor makes the primary's request look like a repetition.
    #[default]
    Own,
    /// A shadow gets the caller's key. Only for services that do not share their state: otherwise
    /// whichever comes second, shadow or primary, is taken for a repetition.
    Forward,
    /// A shadow gets no key.
    Remove,
}

/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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

impl<B> Fork<Request<B>> for Forked
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<crate::BoxError>,
{
    type Request = Request<ForkBody<B>>;
    type Mark = Place;

    fn parent(&self, request: &Request<B>) -> Option<Place> {
        carrier::place(request.extensions()).cloned()
    }

    fn may_shadow(&self, request: &Request<B>, experiment: &str) -> MayShadow {
        let (headers, rules) = (request.headers(), &*self.0);
        let is_upgrade = headers.contains_key(header::UPGRADE);
        if request.method() == Method::CONNECT {
            return MayShadow::Skip(SkipReason::Upgrade);
        }
        if !rules.methods.contains(request.method())
            || is_marked(headers, experiment)
            || !rules.only.matches(request.uri(), headers)
        {
            return MayShadow::No;
        }
        if is_upgrade { MayShadow::Skip(SkipReason::Upgrade) } else { MayShadow::Yes }
    }

    fn may_control(&self, request: &Request<B>) -> bool {
        self.0.control_methods.contains(request.method())
    }

    fn fork(
        &self,
        request: Request<B>,
        ticket: Ticket,
        copies: Vec<Ticket>,
    ) -> (Request<ForkBody<B>>, Place, Vec<Request<ForkBody<B>>>) {
        let mark = ticket.place().clone();
        if copies.is_empty() {
            return (seated(request.map(ForkBody::whole), ticket), mark, Vec::new());
        }
        let (parts, body) = request.into_parts();
        let owners = copies.iter().map(Owner::of).collect();
        let (body, copy_bodies) = ForkBody::tee(body, owners, &self.0.budget);
        let copies = copies
            .into_iter()
            .zip(copy_bodies)
            .map(|(ticket, body)| self.shadow_request(&parts, ticket, body))
            .collect();
        (seated(Request::from_parts(parts, body), ticket), mark, copies)
    }

    fn spread(
        &self,
        request: Request<B>,
        tickets: Vec<Ticket>,
        at_once: bool,
    ) -> (Vec<Request<ForkBody<B>>>, Option<Pump>) {
        let (parts, body) = request.into_parts();
        let (pump, bodies) = if at_once {
            pump(body, tickets.len())
        } else {
            let owners = tickets.iter().map(Owner::of).collect();
            read_ahead(body, owners, &self.0.budget)
        };
        let requests = tickets
            .into_iter()
            .zip(bodies)
            .map(|(ticket, body)| seated(Request::from_parts(parts.clone(), body), ticket));
        (requests.collect(), pump)
    }
}

impl Forked {
    fn shadow_request<B: Body<Data = Bytes>>(
        &self,
        parts: &Parts,
        ticket: Ticket,
        body: ForkBody<B>,
    ) -> Request<ForkBody<B>> {
        let mut parts = parts.clone();
        // A clone has no room, and what stands between us and the upstream adds several.
        parts.headers.reserve(MORE_HEADERS);
        for name in &self.0.withheld {
            parts.headers.remove(name);
        }
        // Whether to send the body was settled between the caller and us.
        parts.headers.remove(header::EXPECT);
        let place = ticket.place();
        if let Some(key) = parts.headers.remove(IDEMPOTENCY_KEY)
            && let Some(key) = self.0.idempotency_key.of(key, place.config_id().as_str())
        {
            parts.headers.insert(IDEMPOTENCY_KEY, key);
        }
        let mark = place.arm.in_headers.mark.get_or_init(|| mark(place)).clone();
        // A mark of another experiment stays: that one, too, wants to know its own again.
        parts.headers.append(SHADOW_HEADER, mark);
        seated(Request::from_parts(parts, body), ticket)
    }
}

/// Puts the request into its place, where its body is counted.
fn seated<B: Body<Data = Bytes>>(
    mut request: Request<ForkBody<B>>,
    mut ticket: Ticket,
) -> Request<ForkBody<B>> {
    ticket.0.place.count_early();
    request.body_mut().count_for(ticket.place());
    carrier::seat(&mut request, ticket);
    request
}

impl IdempotencyKey {
    /// The key a shadow gets.
    fn of(self, key: HeaderValue, config_id: &str) -> Option<HeaderValue> {
        match self {
            Self::Forward => Some(key),
            Self::Remove => None,
            Self::Own => {
                // Not to be guessed at, and of a length that every service takes.
                let own = blake3::Hasher::new_derive_key("tower-spearmint idempotency key v1")
                    .update(config_id.as_bytes())
                    .update(b"\0")
                    .update(key.as_bytes())
                    .finalize();
                HeaderValue::from_str(&own.to_hex()[..32]).ok()
            }
        }
    }
}

/// `<experiment>/<config id>`, with what a header may not hold (and the slash) percent-encoded.
fn mark(place: &Place) -> HeaderValue {
    let text = format!("{}/{}", encoded(place.experiment()), encoded(place.config_id().as_str()));
    // Only visible ASCII is left.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("shadow"))
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'/' && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

fn is_marked(headers: &HeaderMap, experiment: &str) -> bool {
    let mut marks = headers.get_all(SHADOW_HEADER).iter().peekable();
    if marks.peek().is_none() {
        return false;
    }
    let own = encoded(experiment);
    marks.any(|mark| mark.as_bytes().split(|b| *b == b'/').next() == Some(own.as_bytes()))
}

impl<B> MarkResponse<Place, Response<B>> for Forked {
    fn mark(place: Place, response: &mut Response<B>) {
        carrier::mark_response(place, response);
    }
}

impl<B> Settle<Response<B>> for Forked
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<crate::BoxError>,
{
    type Settled = Response<Settled>;
    type Watched = Response<WatchBody<B>>;

    fn watch(
        response: Response<B>,
        keep: Option<(Self, Keep<Response<Settled>>)>,
    ) -> Response<WatchBody<B>> {
        let Some((carrier, keep)) = keep else { return response.map(WatchBody::unwatched) };
        let mut head = Response::new(());
        *head.status_mut() = response.status();
        *head.headers_mut() = response.headers().clone();
        let gather = Gather::new(&carrier.0.capture, response.body().size_hint().exact());
        let has_body = may_have_body(response.status());
        response.map(|body| WatchBody::watched(body, head, gather, keep, has_body))
    }

    fn has_failed(&self, answer: &Response<Settled>) -> bool {
        let trailers = answer.body().trailers.as_ref();
        self.0.failures.include(answer.status(), answer.headers(), trailers)
    }

    async fn settle(
        &self,
        response: Response<B>,
        reason: &Reason,
    ) -> Result<Response<Settled>, Failure> {
        let (parts, body) = response.into_parts();
        let too_long = || {
            let failure = Failure::new(
                FailureKind::Oversized,
                format!("the response has more than {} bytes", self.0.max_response_bytes),
            );
            reason.failed(failure.clone());
            failure
        };
        if body.size_hint().lower() > self.0.max_response_bytes as u64 {
            return Err(too_long());
        }
        let mut body = pin!(body);
        let mut gather = Gather::new(&self.0.capture, body.size_hint().exact());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                let failure = Failure::of_error(&error.into());
                Failure { kind: FailureKind::Truncated, ..failure }
            })?;
            if let Some(data) = frame.data_ref() {
                gather.data(data);
            } else if let Some(trailers) = frame.trailers_ref() {
                gather.trailers(trailers);
            }
            if gather.len() > self.0.max_response_bytes as u64 {
                return Err(too_long());
            }
        }
        Ok(Response::from_parts(parts, gather.settled()))
    }
}
