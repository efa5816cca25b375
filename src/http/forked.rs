//! One HTTP request for several services.

use super::{
    ForkBody, Settled, carrier,
    pump::{pump, read_ahead},
    settled::Gather,
    tap::Budget,
};
use crate::{
    branch::{Failure, FailureKind},
    carrier::{Fork, MarkResponse, Pump, Reason, Settle, Ticket},
    shadow::GenericShadowLayer,
    trial::Place,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};
use http_body::Body;
use http_body_util::BodyExt;
use std::{pin::pin, sync::Arc};

/// The header that marks a shadow's request: `<experiment>/<config id>`.
pub const SHADOW_HEADER: HeaderName = HeaderName::from_static("x-spearmint-shadow");

/// Credentials: not for shadows unless allowed.
const CREDENTIALS: [HeaderName; 3] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];

/// The config travels in the extensions, and the body is forked; see [the module](super).
#[derive(Debug, Clone)]
pub struct Forked {
    methods: Arc<[Method]>,
    withheld: Arc<[HeaderName]>,
    pub(super) budget: Budget,
    max_response_bytes: usize,
    capture_bytes: usize,
}

impl Default for Forked {
    fn default() -> Self {
        Self {
            methods: Arc::new([Method::GET, Method::HEAD, Method::OPTIONS]),
            withheld: Arc::new(CREDENTIALS),
            budget: Budget::default(),
            max_response_bytes: 8 << 20,
            capture_bytes: 64 << 10,
        }
    }
}

impl GenericShadowLayer<Forked> {
    /// The methods that are shadowed; GET, HEAD and OPTIONS until then. A shadow of any other
    /// method may do a second time what the primary did.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.carrier_mut().methods = methods.into_iter().collect();
        self
    }

    /// Allows these headers to reach the shadows, of those that do not otherwise:
    /// `authorization`, `proxy-authorization`, `cookie` and what
    /// [`withhold_headers`](Self::withhold_headers) added.
    #[must_use]
    pub fn forward_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let allowed: Vec<_> = headers.into_iter().collect();
        let carrier = self.carrier_mut();
        carrier.withheld =
            carrier.withheld.iter().filter(|name| !allowed.contains(name)).cloned().collect();
        self
    }

    /// Keeps further headers from the shadows.
    #[must_use]
    pub fn withhold_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        let carrier = self.carrier_mut();
        carrier.withheld = carrier.withheld.iter().cloned().chain(headers).collect();
        self
    }

    /// How many bytes of a request body may wait for one shadow; 8 MiB until then. A shadow that
    /// falls further behind is dropped.
    #[must_use]
    pub fn body_buffer(mut self, bytes: usize) -> Self {
        self.carrier_mut().budget.each = bytes;
        self
    }

    /// How many bytes of request bodies may wait for all shadows of this layer together; 128 MiB
    /// until then.
    #[must_use]
    pub fn body_buffer_total(mut self, bytes: usize) -> Self {
        self.carrier_mut().budget.all = bytes;
        self
    }

    /// How many bytes of a shadow's response are read; 8 MiB until then. A shadow with more to
    /// say is dropped (`failed`, kind `oversized`).
    #[must_use]
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.carrier_mut().max_response_bytes = bytes;
        self
    }

    /// How many bytes of a shadow's response are kept for
    /// [`shadow_results`](Self::shadow_results) (as `Response<Settled>`); 64 KiB until then.
    #[must_use]
    pub fn capture_bytes(mut self, bytes: usize) -> Self {
        self.carrier_mut().capture_bytes = bytes;
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

    fn may_shadow(&self, request: &Request<B>, experiment: &str) -> bool {
        let headers = request.headers();
        self.methods.contains(request.method())
            && request.method() != Method::CONNECT
            && !headers.contains_key(header::UPGRADE)
            && !is_marked(headers, experiment)
    }

    fn fork(
        &self,
        request: Request<B>,
        ticket: Ticket,
        copies: Vec<Ticket>,
    ) -> (Request<ForkBody<B>>, Place, Vec<Request<ForkBody<B>>>) {
        let mark = ticket.place().clone();
        if copies.is_empty() {
            let mut request = request.map(ForkBody::whole);
            carrier::seat(&mut request, ticket);
            return (request, mark, Vec::new());
        }
        let (parts, body) = request.into_parts();
        let reasons = copies.iter().map(|ticket| ticket.0.reason.clone()).collect();
        let (body, copy_bodies) = ForkBody::tee(body, reasons, &self.budget);
        let copies = copies
            .into_iter()
            .zip(copy_bodies)
            .map(|(ticket, body)| self.shadow_request(&parts, ticket, body))
            .collect();
        let mut request = Request::from_parts(parts, body);
        carrier::seat(&mut request, ticket);
        (request, mark, copies)
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
            let reasons = tickets.iter().map(|ticket| ticket.0.reason.clone()).collect();
            read_ahead(body, reasons, &self.budget)
        };
        let requests = tickets.into_iter().zip(bodies).map(|(ticket, body)| {
            let mut request = Request::from_parts(parts.clone(), body);
            carrier::seat(&mut request, ticket);
            request
        });
        (requests.collect(), pump)
    }
}

impl Forked {
    fn shadow_request<B>(
        &self,
        parts: &Parts,
        ticket: Ticket,
        body: ForkBody<B>,
    ) -> Request<ForkBody<B>> {
        let mut parts = parts.clone();
        for name in &*self.withheld {
            parts.headers.remove(name);
        }
        // Whether to send the body was settled between the caller and us.
        parts.headers.remove(header::EXPECT);
        let place = ticket.place();
        let mark = mark(place.experiment(), place.config_id().as_str());
        // A mark of another experiment stays: that one, too, wants to know its own again.
        parts.headers.append(SHADOW_HEADER, mark);
        let mut request = Request::from_parts(parts, body);
        carrier::seat(&mut request, ticket);
        request
    }
}

/// `<experiment>/<config id>`, with what a header may not hold (and the slash) percent-encoded.
fn mark(experiment: &str, config_id: &str) -> HeaderValue {
    let text = format!("{}/{}", encoded(experiment), encoded(config_id));
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

    async fn settle(
        &self,
        response: Response<B>,
        reason: &Reason,
    ) -> Result<Response<Settled>, Failure> {
        let (parts, body) = response.into_parts();
        let too_long = || {
            let failure = Failure::new(
                FailureKind::Oversized,
                format!("the response has more than {} bytes", self.max_response_bytes),
            );
            reason.failed(failure.clone());
            failure
        };
        if body.size_hint().lower() > self.max_response_bytes as u64 {
            return Err(too_long());
        }
        let mut body = pin!(body);
        let mut gather = Gather::new(self.capture_bytes);
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
            if gather.len() > self.max_response_bytes as u64 {
                return Err(too_long());
            }
        }
        Ok(Response::from_parts(parts, gather.settled()))
    }
}
