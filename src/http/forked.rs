//! One HTTP request for several services.

use super::{
    ForkBody, Settled, WatchBody, carrier,
    log::may_have_body,
    pump::{pump, read_ahead},
    settled::Gather,
    settling::Settling,
    shadow_rules::Rules,
    tap::Owner,
};
use crate::{
    assign::Eligible as _,
    branch::{Failure, SkipReason},
    carrier::{Fork, Keep, MarkResponse, MayShadow, Pump, Reason, Settle, Ticket},
    trial::{Origin, Place},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};
use http_body::Body;
use std::{future::Future, sync::Arc};

/// The header that marks a shadow's request: `<experiment>/<config id>`.
pub const SHADOW_HEADER: HeaderName = HeaderName::from_static("x-spearmint-shadow");

/// How many headers the request of a shadow gets on its way: the mark, where it comes from, the trace.
const MORE_HEADERS: usize = 6;

/// The config travels in the extensions, and the body is forked; see [the module](super).
#[derive(Debug, Clone, Default)]
pub struct Forked(pub(super) Arc<Rules>);

impl<B> Fork<Request<B>> for Forked
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<crate::BoxError>,
{
    type Request = Request<ForkBody<B>>;
    type Mark = Place;

    fn origin(&self, request: &Request<B>) -> Option<Origin> {
        carrier::origin(request)
    }

    fn may_shadow(&self, request: &Request<B>, experiment: &str, unit: Option<&[u8]>) -> MayShadow {
        let (headers, rules) = (request.headers(), &*self.0);
        let is_upgrade = headers.contains_key(header::UPGRADE);
        if request.method() == Method::CONNECT {
            return MayShadow::Skip(SkipReason::Upgrade);
        }
        if !rules.methods.contains(request.method())
            || is_marked(headers, experiment)
            || !rules.only.matches(request.uri(), headers)
            || !rules.eligible.is_eligible(request, unit)
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
        self.0.idempotency_key.apply(&mut parts.headers, place.config_id().as_str());
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

    fn settle(
        &self,
        response: Response<B>,
        reason: &Reason,
    ) -> impl Future<Output = Result<Response<Settled>, Failure>> + Send {
        let gather = Gather::new(&self.0.capture, response.body().size_hint().exact());
        Settling::new(response, gather, self.0.max_response_bytes, reason)
    }
}
