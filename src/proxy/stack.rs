//! An experiment file as a stack of layers.

use super::{
    body::{ReplyBody, UpstreamBody},
    file::ExperimentFile,
    forward::Forward,
    held::{self, Held},
    listener::ListenerStats,
    respond::gateway_error,
    round_robin,
    settings::CombineName,
    shadow,
    target::header_name,
    tls,
    upstream::Upstream,
    visitor::SetCookie,
};
use crate::{
    BoxError,
    assign::Epoch,
    config::{Config, ConfigError},
    fallback::FallbackLayer,
    http::{Combine, ForkBody, InExtensions, MultiBranchLayer, RecordBody, SingleLayer, place},
    record::{Log, LogLayer, Recorder, RecorderStats},
    shadow::{ShadowHandle, ShadowStats},
    strategy::{BoxFuture, GenericStrategyLayer, StrategyRegistry},
    variants::Variants,
};
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use serde::Serialize;
use serde_json::Map;
use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
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
    /// How often another file came into use.
    pub reloads: u64,
    /// How often another file did not, because of a mistake in it.
    pub rejected: u64,
    /// The mistake in the file that was tried last, if it is not in use.
    pub last_error: Option<String>,
    /// The version of weights and rules; its number is one higher with each file that came into use.
    pub epoch: Epoch,
    /// How often a tester asked for a config that is not there, since this file came into use.
    pub unknown_overrides: u64,
    /// What became of the callers' connections.
    pub listener: ListenerStats,
    /// What became of the branches.
    pub recorder: RecorderStats,
    /// Whether the shadows are switched on, if there are any.
    pub shadows_enabled: Option<bool>,
    /// What became of the requests, for each shadow.
    pub shadows: Vec<ShadowStats>,
}

/// Everything below the listener.
pub(super) struct Stack {
    handler: Box<dyn Handle>,
    pub(super) shadow: Option<ShadowHandle>,
    variant_header: Option<HeaderName>,
    set_cookie: Option<SetCookie>,
    /// The version of weights and rules.
    pub(super) epoch: Epoch,
    unknown_overrides: Option<Arc<AtomicU64>>,
}

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
        let logged = log.layer(variants(file)?);
        let mut shadow = None;
        let name = file.experiment();
        macro_rules! following {
            ($layer:expr) => {
                match previous {
                    None => $layer,
                    Some(previous) => $layer.following(previous),
                }
            };
        }
        let (mut set_cookie, mut unknown_overrides) = (None, None);
        let (handler, epoch) = match file.strategy() {
            "single" => {
                let layer = following!(SingleLayer::new(single(file)?).experiment(name));
                let handler = with_fallback(
                    file,
                    logged,
                    |inner| handle(layer.layer(inner)),
                    |inner| handle(layer.layer(inner)),
                )?;
                (handler, layer.epoch())
            }
            "round_robin" => {
                set_cookie = file.settings.round_robin.set_cookie();
                let Ready { handler, epoch, unknown } = round_robin(file, logged, previous)?;
                unknown_overrides = Some(unknown);
                (handler, epoch)
            }
            "shadow" => {
                set_cookie = file.settings.shadow.set_cookie();
                let layer = following!(shadow::layer(file)?);
                shadow = Some(layer.handle());
                let (service, epoch) = (layer.layer(logged), layer.epoch());
                let handler: Box<dyn Handle> = if file.settings.shadow.reads_json() {
                    Box::new(Reading { service, limit: file.rewrite_limit() })
                } else {
                    handle(service)
                };
                (handler, epoch)
            }
            "multi_branch" => {
                let layer = following!(multi_branch(file));
                (handle(layer.layer(logged)), layer.epoch())
            }
            custom => {
                let strategy = registry
                    .build(custom, &file.custom, file.pool())
                    .map_err(|error| file.error("strategy", error))?;
                let layer: GenericStrategyLayer<_, InExtensions> =
                    GenericStrategyLayer::new(custom, strategy, file.pool().clone());
                let layer = following!(layer.experiment(name));
                (handle(Whole(layer.layer(logged))), layer.epoch())
            }
        };
        Ok(Self { handler, shadow, variant_header, set_cookie, epoch, unknown_overrides })
    }

    /// How often a tester asked for a config that is not there.
    pub(super) fn unknown_overrides(&self) -> u64 {
        self.unknown_overrides.as_ref().map_or(0, |count| count.load(Relaxed))
    }

    /// Answers one request, come what may.
    pub(super) async fn answer(&self, mut request: Request<Incoming>) -> Response<ReplyBody> {
        let greeting = self.set_cookie.as_ref().and_then(|cookie| cookie.greet(&mut request));
        let mut response = match self.handler.handle(request).await {
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

/// What would be wrong with the strategy, found without making it: a mistake for each setting.
pub(super) fn check(file: &ExperimentFile, wrong: &mut Vec<ConfigError>) {
    if let Some(name) = &file.settings.variant_header {
        wrong.extend(header_name(&file.document, "variant_header", name).err());
    }
    match file.strategy() {
        "round_robin" => round_robin::check(file, wrong),
        "shadow" => shadow::check(file, wrong),
        _ => {}
    }
}

fn variants(file: &ExperimentFile) -> Result<Variants<Forward>, BoxError> {
    let settings = &file.settings.upstreams;
    let tls = tls::client_config(file)?;
    let targets: HashMap<_, _> = file.targets.iter().cloned().collect();
    Variants::build(file.pool(), |config: &Config| {
        // Every config of the pool was read with its target.
        let target = targets.get(config.id()).cloned().ok_or("no upstream")?;
        let upstream = Arc::new(Upstream::new(target.address(), settings, &tls));
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

/// The version of what decides, where that is no more than which configs there are.
pub(super) fn epoch(file: &ExperimentFile) -> Result<Epoch, ConfigError> {
    Ok(match file.strategy() {
        "single" => SingleLayer::new(single(file)?).epoch(),
        name => Epoch::of_rules(name, file.pool().iter(), Map::new()),
    })
}

pub(super) fn single(file: &ExperimentFile) -> Result<Config, ConfigError> {
    match &file.settings.single.config {
        Some(id) => file.pool().get(id).cloned(),
        None => Ok(file.pool()[0].clone()),
    }
}

/// The round robin, and what is asked of it later.
struct Ready {
    handler: Box<dyn Handle>,
    epoch: Epoch,
    /// How often a tester asked for a config that is not there.
    unknown: Arc<AtomicU64>,
}

fn round_robin(
    file: &ExperimentFile,
    logged: Logged,
    previous: Option<Epoch>,
) -> Result<Ready, BoxError> {
    macro_rules! handled {
        ($layer:expr, $handle:expr) => {{
            let layer = match previous {
                None => $layer,
                Some(previous) => $layer.following(previous),
            };
            let handler = with_fallback(
                file,
                logged,
                |inner| $handle(layer.layer(inner)),
                |inner| $handle(layer.layer(inner)),
            )?;
            let (epoch, unknown) = (layer.epoch(), layer.unknown_counter());
            Ready { handler, epoch, unknown }
        }};
    }
    Ok(match round_robin::layer(file)? {
        round_robin::Layer::Plain(layer) => handled!(layer, handle),
        round_robin::Layer::Asking(layer) if file.settings.round_robin.reads_json() => {
            let limit = file.rewrite_limit();
            handled!(*layer, |service| Box::new(Reading { service, limit }) as Box<dyn Handle>)
        }
        round_robin::Layer::Asking(layer) => handled!(*layer, handle),
    })
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
        let service = self.0.clone();
        Box::pin(async move {
            let response = {
                // Dropped before the answer: it need not take up room beside it.
                let mut service = service;
                poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
                service.call(request)
            };
            Ok(response.await.map_err(Into::into)?.map(Into::into))
        })
    }
}

/// Reads the body first, where something decides by what it says.
struct Reading<S> {
    service: S,
    limit: usize,
}

impl<S, B> Handle for Reading<S>
where
    S: Service<Request<Held>, Response = Response<B>> + Clone + Send + Sync,
    S: 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Into<ReplyBody>,
{
    fn handle(
        &self,
        request: Request<Incoming>,
    ) -> BoxFuture<Result<Response<ReplyBody>, BoxError>> {
        let (mut service, limit) = (self.service.clone(), self.limit);
        Box::pin(async move {
            let request = held::read(request, limit).await;
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
