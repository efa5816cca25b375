//! The strategy that a file names, around the services of its configs.

use super::{
    Logged, ProxyRequest, ProxyResponse, Stack,
    answer::{Answer, Reading, Whole, boxed},
};
use crate::{
    BoxError,
    assign::Epoch,
    fallback::{Fallback, FallbackLayer},
    http::InExtensions,
    proxy::{ExperimentFile, multi_branch, round_robin, shadow, single},
    strategy::{GenericStrategyLayer, StrategyRegistry},
};
use tower_layer::Layer;

/// A layer of any strategy, its epochs counted on.
macro_rules! following {
    ($layer:expr, $previous:expr) => {
        match $previous {
            None => $layer,
            Some(previous) => $layer.following(previous),
        }
    };
}

pub(super) fn stack(
    file: &ExperimentFile,
    logged: Logged,
    registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    previous: Option<Epoch>,
) -> Result<Stack, BoxError> {
    match file.strategy() {
        "single" => single(file, logged, previous),
        "round_robin" => round_robin(file, logged, previous),
        "shadow" => shadow(file, logged, previous),
        "multi_branch" => Ok(multi_branch(file, logged, previous)),
        _ => custom(file, logged, registry, previous),
    }
}

fn single(
    file: &ExperimentFile,
    logged: Logged,
    previous: Option<Epoch>,
) -> Result<Stack, BoxError> {
    let layer = following!(single::layer(file)?, previous);
    let service = with_fallback(
        file,
        logged,
        |inner| boxed(layer.layer(inner)),
        |inner| boxed(layer.layer(inner)),
    )?;
    Ok(Stack::around(service, layer.epoch()))
}

fn round_robin(
    file: &ExperimentFile,
    logged: Logged,
    previous: Option<Epoch>,
) -> Result<Stack, BoxError> {
    let settings = &file.settings.round_robin;
    macro_rules! stack {
        ($layer:expr, $boxed:expr) => {{
            let layer = following!($layer, previous);
            let service = with_fallback(
                file,
                logged,
                |inner| $boxed(layer.layer(inner)),
                |inner| $boxed(layer.layer(inner)),
            )?;
            Stack {
                set_cookie: settings.set_cookie(),
                unknown_overrides: Some(layer.unknown_counter()),
                ..Stack::around(service, layer.epoch())
            }
        }};
    }
    Ok(match round_robin::layer(file)? {
        round_robin::Layer::Plain(layer) => stack!(layer, boxed),
        round_robin::Layer::Asking(layer) if settings.reads_json() => {
            let limit = file.rewrite_limit();
            stack!(*layer, |service| Box::new(Reading { service, limit }) as Box<dyn Answer>)
        }
        round_robin::Layer::Asking(layer) => stack!(*layer, boxed),
    })
}

fn shadow(
    file: &ExperimentFile,
    logged: Logged,
    previous: Option<Epoch>,
) -> Result<Stack, BoxError> {
    let settings = &file.settings.shadow;
    let layer = following!(shadow::layer(file)?, previous);
    let service = layer.layer(logged);
    let service = if settings.reads_json() {
        Box::new(Reading { service, limit: file.rewrite_limit() })
    } else {
        boxed(service)
    };
    Ok(Stack {
        shadow: Some(layer.handle()),
        set_cookie: settings.set_cookie(),
        ..Stack::around(service, layer.epoch())
    })
}

fn multi_branch(file: &ExperimentFile, logged: Logged, previous: Option<Epoch>) -> Stack {
    let layer = following!(multi_branch::layer(file), previous);
    Stack::around(boxed(layer.layer(logged)), layer.epoch())
}

/// A strategy of the user's own.
fn custom(
    file: &ExperimentFile,
    logged: Logged,
    registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    previous: Option<Epoch>,
) -> Result<Stack, BoxError> {
    let name = file.strategy();
    let strategy = registry
        .build(name, &file.custom, file.pool())
        .map_err(|error| file.error("strategy", error))?;
    let layer: GenericStrategyLayer<_, InExtensions> =
        GenericStrategyLayer::new(name, strategy, file.pool().clone());
    let layer = following!(layer.experiment(file.experiment()), previous);
    Ok(Stack::around(boxed(Whole(layer.layer(logged))), layer.epoch()))
}

/// With or without the fallback layer: its request body is of another type.
fn with_fallback(
    file: &ExperimentFile,
    logged: Logged,
    without: impl FnOnce(Logged) -> Box<dyn Answer>,
    with: impl FnOnce(Fallback<Logged>) -> Box<dyn Answer>,
) -> Result<Box<dyn Answer>, BoxError> {
    Ok(match &file.settings.fallback {
        None => without(logged),
        Some(id) => with(FallbackLayer::new(file.pool().get(id)?.clone()).layer(logged)),
    })
}
