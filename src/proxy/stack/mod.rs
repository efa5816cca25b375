//! An experiment file as a stack of layers: the strategy, what records, and what forwards.

mod answer;
mod strategy;
mod variants;

use self::answer::Answer;
use super::{
    body::{ReplyBody, UpstreamBody},
    file::ExperimentFile,
    forward::Forward,
    respond::gateway_error,
    target::header_name,
    visitor::SetCookie,
};
use crate::{
    BoxError,
    assign::Epoch,
    evaluate::Evaluating,
    http::{ForkBody, RecordBody, place},
    record::{Log, LogLayer, Recorder},
    shadow::ShadowHandle,
    strategy::StrategyRegistry,
    variants::Variants,
};
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use tower_layer::Layer;

/// What a strategy of one's own is given in the proxy. The body can be
/// [forked](ForkBody::fork) to run several configs.
pub type ProxyRequest = Request<ForkBody<Incoming>>;

/// What a strategy of one's own gives back in the proxy.
pub type ProxyResponse = Response<RecordBody<UpstreamBody>>;

/// Everything below the listener.
pub(super) struct Stack {
    service: Box<dyn Answer>,
    pub(super) shadow: Option<ShadowHandle>,
    pub(super) evaluating: Option<Evaluating>,
    variant_header: Option<HeaderName>,
    set_cookie: Option<SetCookie>,
    /// The version of weights and rules.
    pub(super) epoch: Epoch,
    unknown_overrides: Option<Arc<AtomicU64>>,
}

/// The services of the configs, recorded.
type Logged = Log<Variants<Forward>>;

impl Stack {
    pub(super) fn new(
        file: &ExperimentFile,
        recorder: Recorder,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
        previous: Option<Epoch>,
    ) -> Result<Self, BoxError> {
        let variant_header = match &file.settings.variant_header {
            Some(name) => Some(header_name(&file.document, "variant_header", name)?),
            None => None,
        };
        let log = LogLayer::new(recorder).failures(file.settings.failures.clone());
        let evaluating = file.evaluating()?;
        let log = match &evaluating {
            Some(evaluating) => log.evaluate(evaluating.clone()),
            None => log,
        };
        let logged = log.layer(variants::variants(file, evaluating.as_ref())?);
        let stack = strategy::stack(file, logged, registry, previous)?;
        Ok(Self { variant_header, evaluating, ..stack })
    }

    /// No more than a strategy.
    const fn around(service: Box<dyn Answer>, epoch: Epoch) -> Self {
        Self {
            service,
            shadow: None,
            evaluating: None,
            variant_header: None,
            set_cookie: None,
            epoch,
            unknown_overrides: None,
        }
    }

    /// How often a tester asked for a config that is not there.
    pub(super) fn unknown_overrides(&self) -> u64 {
        self.unknown_overrides.as_ref().map_or(0, |count| count.load(Relaxed))
    }

    /// Answers one request, come what may.
    pub(super) async fn answer(&self, mut request: Request<Incoming>) -> Response<ReplyBody> {
        let greeting = self.set_cookie.as_ref().and_then(|cookie| cookie.greet(&mut request));
        let mut response = match self.service.answer(request).await {
            Ok(response) => response,
            Err(error) => gateway_error(&error),
        };
        if let Some(greeting) = greeting {
            SetCookie::set(response.headers_mut(), greeting);
        }
        if let Some(header) = &self.variant_header
            && let Some(place) = place(response.extensions())
            && let Ok(value) = HeaderValue::from_str(place.config_id().as_str())
        {
            response.headers_mut().insert(header, value);
        }
        response
    }
}
