//! An experiment file as a stack of layers.

use super::{
    body::{ReplyBody, UpstreamBody},
    file::ExperimentFile,
    forward::Forward,
    respond::{gateway_error, text},
    settings::{CombineName, StickySettings, UnitKeySource},
    target::{header_name, names},
    tls,
    upstream::Upstream,
};
use crate::{
    BoxError,
    config::{Config, ConfigError},
    fallback::FallbackLayer,
    http::{
        Combine, ForkBody, InExtensions, MultiBranchLayer, RecordBody, RoundRobinLayer,
        ShadowLayer, SingleLayer, place,
    },
    record::{Log, LogLayer, Recorder, RecorderStats},
    shadow::{ShadowHandle, ShadowStats},
    strategy::{BoxFuture, GenericStrategyLayer, StrategyRegistry},
    variants::Variants,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde::Serialize;
use std::{
    collections::HashMap,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// What a strategy of one's own is given in the proxy. The body can be
/// [forked](ForkBody::fork) to run several configs.
pub type ProxyRequest = Request<ForkBody<Incoming>>;

/// What a strategy of one's own gives back in the proxy.
pub type ProxyResponse = Response<RecordBody<UpstreamBody>>;

/// The counters of a proxy.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProxyStats {
    /// The experiment.
    pub experiment: String,
    /// What became of the branches.
    pub recorder: RecorderStats,
    /// What became of the requests, for each shadow.
    pub shadows: Vec<ShadowStats>,
}

/// Everything below the listener.
pub(super) struct Stack {
    handler: Box<dyn Handle>,
    pub(super) shadow: Option<ShadowHandle>,
    variant_header: Option<HeaderName>,
}

type Logged = Log<Variants<Forward>>;

impl Stack {
    pub(super) fn new(
        file: &ExperimentFile,
        recorder: Recorder,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    ) -> Result<Self, BoxError> {
        let variant_header = match &file.settings.variant_header {
            Some(name) => Some(header_name(&file.document, "variant_header", name)?),
            None => None,
        };
        let logged = LogLayer::new(recorder).layer(variants(file)?);
        let mut shadow = None;
        let name = file.experiment();
        let handler = match file.strategy() {
            "single" => {
                let layer = SingleLayer::new(single(file)?).experiment(name);
                with_fallback(
                    file,
                    logged,
                    |inner| handle(layer.layer(inner)),
                    |inner| handle(layer.layer(inner)),
                )?
            }
            "round_robin" => round_robin(file, logged)?,
            "shadow" => {
                let layer = shadow_layer(file)?;
                shadow = Some(layer.handle());
                handle(layer.layer(logged))
            }
            "multi_branch" => handle(multi_branch(file).layer(logged)),
            custom => {
                let strategy = registry
                    .build(custom, &file.custom, file.pool())
                    .map_err(|error| file.error("strategy", error))?;
                let layer: GenericStrategyLayer<_, InExtensions> =
                    GenericStrategyLayer::new(custom, strategy, file.pool().clone());
                let service = layer.experiment(name).layer(logged);
                handle(Whole(service))
            }
        };
        Ok(Self { handler, shadow, variant_header })
    }

    /// Answers one request, come what may.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<ReplyBody> {
        if let Some(refusal) = refused(&request) {
            return refusal;
        }
        let mut response = match self.handler.handle(request).await {
            Ok(response) => response,
            Err(error) => gateway_error(&error),
        };
        if let Some(header) = &self.variant_header
            && let Some(place) = place(response.extensions())
            && let Ok(value) = HeaderValue::from_str(place.config_id().as_str())
        {
            response.headers_mut().insert(header, value);
        }
        response
    }
}

/// What is not for any upstream, and no branch.
fn refused(request: &Request<Incoming>) -> Option<Response<ReplyBody>> {
    (request.method() == Method::CONNECT)
        .then(|| text(StatusCode::METHOD_NOT_ALLOWED, "this is not a tunnel\n"))
}

fn variants(file: &ExperimentFile) -> Result<Variants<Forward>, BoxError> {
    let settings = &file.settings.upstreams;
    let tls = tls::client_config(file)?;
    let targets: HashMap<_, _> = file.targets.iter().cloned().collect();
    Variants::build(file.pool(), |config: &Config| {
        // Every config of the pool was read with its target.
        let target = targets.get(config.id()).cloned().ok_or("no upstream")?;
        let upstream = Arc::new(Upstream::new(settings, &tls));
        let follow = Upstream::follow(
            Arc::downgrade(&upstream),
            target.clone(),
            settings.clone(),
            tls.clone(),
        );
        tokio::spawn(follow);
        Ok(Forward {
            target,
            upstream,
            timeout: settings.timeout.filter(|timeout| !timeout.is_zero()),
        })
    })
}

fn single(file: &ExperimentFile) -> Result<Config, ConfigError> {
    match &file.settings.single.config {
        Some(id) => file.pool().get(id).cloned(),
        None => Ok(file.pool()[0].clone()),
    }
}

fn round_robin(file: &ExperimentFile, logged: Logged) -> Result<Box<dyn Handle>, BoxError> {
    let settings = &file.settings.round_robin;
    let mut layer = RoundRobinLayer::new(file.pool().clone()).experiment(file.experiment());
    if let Some(weights) = &settings.weights {
        let weights = weights.iter().map(|(id, weight)| (id.as_str(), *weight));
        layer = layer.weighted(weights).map_err(|e| file.error("round_robin.weights", e))?;
    }
    if let Some(seed) = settings.seed {
        layer = layer.seed(seed);
    }
    match &settings.sticky {
        None => with_fallback(
            file,
            logged,
            |inner| handle(layer.layer(inner)),
            |inner| handle(layer.layer(inner)),
        ),
        Some(sticky) => {
            let salt = sticky.salt.as_deref().unwrap_or(file.experiment());
            let key = unit_key(file, sticky)?;
            let layer = layer.sticky(salt, key);
            with_fallback(
                file,
                logged,
                |inner| handle(layer.layer(inner)),
                |inner| handle(layer.layer(inner)),
            )
        }
    }
}

fn shadow_layer(file: &ExperimentFile) -> Result<ShadowLayer, BoxError> {
    let settings = &file.settings.shadow;
    let primary = file.settings.primary.as_deref().unwrap_or_default();
    let mut layer = ShadowLayer::new(file.pool().primary(primary)?)
        .experiment(file.experiment())
        .on_cancel(settings.on_cancel);
    if let Some(methods) = &settings.methods {
        layer = layer.methods(read_methods(file, methods)?);
    }
    if let Some(share) = settings.sample {
        layer = layer.sample(share);
    }
    if let Some(timeout) = settings.timeout {
        layer = layer.timeout(timeout);
    }
    if let Some(count) = settings.max_in_flight {
        layer = layer.max_in_flight(count);
    }
    if let Some(bytes) = settings.body_buffer {
        layer = layer.body_buffer(bytes);
    }
    if let Some(bytes) = settings.body_buffer_total {
        layer = layer.body_buffer_total(bytes);
    }
    if let Some(bytes) = settings.max_response_bytes {
        layer = layer.max_response_bytes(bytes);
    }
    let document = &file.document;
    let withhold = names(document, "shadow.withhold_headers", &settings.withhold_headers)?;
    let allow = names(document, "shadow.forward_headers", &settings.forward_headers)?;
    // What the proxy's own shadows say goes to the records, not to memory.
    let layer = layer.withhold_headers(withhold).forward_headers(allow).keep_results(0);
    Ok(layer.settings_from_configs()?)
}

fn read_methods(file: &ExperimentFile, methods: &[String]) -> Result<Vec<Method>, ConfigError> {
    methods
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let upper = text.to_ascii_uppercase();
            match Method::from_bytes(text.as_bytes()) {
                Ok(method) if *text == upper => Ok(method),
                _ => Err(file.error(
                    &format!("shadow.methods[{at}]"),
                    format!("`{text}` is not a method; write it as in GET, POST"),
                )),
            }
        })
        .collect()
}

fn multi_branch(file: &ExperimentFile) -> MultiBranchLayer {
    let settings = &file.settings.multi_branch;
    let mut layer = MultiBranchLayer::new(file.pool().clone())
        .experiment(file.experiment())
        .combine(match settings.combine {
            CombineName::Json => Combine::Json,
            CombineName::Ndjson => Combine::Ndjson,
            CombineName::Sse => Combine::Sse,
            CombineName::FirstSuccess => Combine::FirstSuccess,
        });
    if let Some(count) = settings.max_concurrent {
        layer = layer.max_concurrent(count);
    }
    if let Some(timeout) = settings.timeout {
        layer = layer.timeout(timeout);
    }
    if let Some(bytes) = settings.max_response_bytes {
        layer = layer.max_response_bytes(bytes);
    }
    layer
}

/// The unit's key of a request, by its head.
fn unit_key(
    file: &ExperimentFile,
    sticky: &StickySettings,
) -> Result<
    impl Fn(&Request<Incoming>) -> Option<String> + Clone + Send + Sync + 'static,
    ConfigError,
> {
    enum Source {
        Header(HeaderName),
        Cookie(String),
    }
    let source = Arc::new(match &sticky.key {
        UnitKeySource::Header(name) => {
            Source::Header(header_name(&file.document, "round_robin.sticky.key.header", name)?)
        }
        UnitKeySource::Cookie(name) => Source::Cookie(name.clone()),
    });
    Ok(move |request: &Request<Incoming>| match &*source {
        Source::Header(name) => Some(request.headers().get(name)?.to_str().ok()?.to_owned()),
        Source::Cookie(name) => request
            .headers()
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.to_owned()),
    })
}

/// The stack with or without the fallback layer: its request body is of another type.
fn with_fallback(
    file: &ExperimentFile,
    logged: Logged,
    without: impl FnOnce(Logged) -> Box<dyn Handle>,
    with: impl FnOnce(crate::fallback::Fallback<Logged>) -> Box<dyn Handle>,
) -> Result<Box<dyn Handle>, BoxError> {
    Ok(match &file.settings.fallback {
        None => without(logged),
        Some(id) => with(FallbackLayer::new(file.pool().get(id)?.clone()).layer(logged)),
    })
}

/// A service behind one pointer: what stands inside is known only when the file is read.
trait Handle: Send + Sync {
    fn handle(
        &self,
        request: Request<Incoming>,
    ) -> BoxFuture<Result<Response<ReplyBody>, BoxError>>;
}

struct Handler<S>(S);

fn handle<S>(service: S) -> Box<dyn Handle>
where
    Handler<S>: Handle + 'static,
{
    Box::new(Handler(service))
}

impl<S, B> Handle for Handler<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync,
    S: 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Into<ReplyBody>,
{
    fn handle(
        &self,
        request: Request<Incoming>,
    ) -> BoxFuture<Result<Response<ReplyBody>, BoxError>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
            Ok(service.call(request).await.map_err(Into::into)?.map(Into::into))
        })
    }
}

/// Gives the strategy inside a body that can be forked.
#[derive(Clone)]
struct Whole<S>(S);

impl<S: Service<ProxyRequest>> Service<Request<Incoming>> for Whole<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Incoming>) -> S::Future {
        self.0.call(request.map(ForkBody::whole))
    }
}
