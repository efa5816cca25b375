//! A strategy of one's own around an HTTP service.

use crate::support::{FedBody, hear, pool, records, whole_body};
use http::{Request, Response, StatusCode};
use tower::{Layer, ServiceExt};
use tower_spearmint::{
    BoxError, Config,
    assign::Reason,
    branch::Role,
    http::{InExtensions, RecordBody, place},
    service_fn,
    strategy::{BoxFuture, Dispatch, GenericStrategyLayer, Strategy, StrategyRegistry},
};

type Answer = Response<RecordBody<FedBody>>;

/// Asks the configs in order until one gives a success.
struct Cascade {
    skip: Option<usize>,
}

impl Strategy<Request<()>, Answer> for Cascade {
    fn run(
        &self,
        request: Request<()>,
        dispatch: Dispatch<Request<()>, Answer>,
    ) -> BoxFuture<Result<Answer, BoxError>> {
        let skip = self.skip;
        Box::pin(async move {
            let mut last = Err("no configs".into());
            for position in 0..dispatch.configs().len() {
                if skip == Some(position) {
                    dispatch.skip(position, Role::Primary);
                    continue;
                }
                last = dispatch.call(position, Role::Primary, request.clone()).await;
                if last.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
            }
            last
        })
    }
}

type Layers<St> = GenericStrategyLayer<St, InExtensions>;

async fn ask<St: Strategy<Request<()>, Answer>>(
    layer: Layers<St>,
    records: &crate::support::Records,
) -> Result<Answer, BoxError> {
    let service = service_fn(|request: Request<()>| async move {
        let mut response = Response::new(whole_body("x"));
        match place(request.extensions()).unwrap().config_id().as_str() {
            "small" => *response.status_mut() = StatusCode::NOT_FOUND,
            "broken" => return Err(BoxError::from("broken")),
            _ => {}
        }
        Ok(response)
    });
    layer.layer(records.layer.layer(service)).oneshot(Request::new(())).await
}

#[tokio::test]
async fn each_call_of_a_strategy_is_a_branch_of_the_same_request() {
    let records = records();
    let layer: Layers<_> =
        Layers::new("cascade", Cascade { skip: None }, pool(&["small", "broken", "large"]));
    let response = ask(layer.experiment("ranker"), &records).await.unwrap();
    hear(response.into_body()).await;
    // (Nobody read the answer of `small`.)
    assert_eq!(
        records.ends().await,
        ["broken primary failed/error", "large primary success", "small primary cancelled"]
    );
    let branches = records.all().await;
    assert!(branches.iter().all(|branch| branch.request_id == branches[0].request_id));
    assert_eq!((&*branches[0].strategy, &*branches[0].experiment), ("cascade", "ranker"));
}

#[tokio::test]
async fn the_response_carries_the_place_of_the_branch_that_gave_it() {
    let records = records();
    let layer: Layers<_> =
        Layers::new("cascade", Cascade { skip: None }, pool(&["small", "large"]));
    let response = ask(layer, &records).await.unwrap();
    let place = place(response.extensions()).unwrap();
    assert_eq!((place.config_id().as_str(), place.strategy()), ("large", "cascade"));
}

#[tokio::test]
async fn what_a_strategy_skips_is_recorded_as_skipped() {
    let records = records();
    let layer: Layers<_> =
        Layers::new("cascade", Cascade { skip: Some(0) }, pool(&["small", "large"]));
    hear(ask(layer, &records).await.unwrap().into_body()).await;
    assert_eq!(records.ends().await, ["large primary success", "small primary skipped/strategy"]);
}

#[tokio::test]
async fn a_strategy_says_why_it_chose_a_config_and_how_probable_that_was() {
    struct Bandit;
    impl Strategy<Request<()>, Answer> for Bandit {
        fn run(
            &self,
            request: Request<()>,
            dispatch: Dispatch<Request<()>, Answer>,
        ) -> BoxFuture<Result<Answer, BoxError>> {
            dispatch.call_chosen(1, Role::Primary, Reason::Weight, 0.25, request)
        }
    }
    let records = records();
    let layer: Layers<_> = Layers::new("bandit", Bandit, pool(&["small", "large"]));
    let epoch = layer.epoch();
    hear(ask(layer, &records).await.unwrap().into_body()).await;
    let branch = &records.all().await[0];
    assert_eq!((branch.reason, branch.probability, branch.epoch), (Reason::Weight, 0.25, epoch));
}

#[tokio::test]
async fn a_position_that_is_not_there_is_an_error() {
    struct Wrong;
    impl Strategy<Request<()>, Answer> for Wrong {
        fn run(
            &self,
            request: Request<()>,
            dispatch: Dispatch<Request<()>, Answer>,
        ) -> BoxFuture<Result<Answer, BoxError>> {
            dispatch.call(7, Role::Primary, request)
        }
    }
    let layer: Layers<_> = Layers::new("wrong", Wrong, pool(&["a", "b"]));
    let error = ask(layer, &records()).await.unwrap_err();
    assert_eq!(error.to_string(), "no config at position 7 of 2");
}

#[tokio::test]
async fn a_registry_builds_strategies_by_name_with_their_settings() {
    let mut registry = StrategyRegistry::<Request<()>, Answer>::new();
    registry
        .register("cascade", |settings, _| Ok(Cascade { skip: settings.get_or("skip", None)? }))
        .unwrap();
    let pool = pool(&["small", "large"]);
    let settings = Config::new(serde_json::json!({ "skip": 0 })).unwrap();
    let strategy = registry.build("cascade", &settings, &pool).unwrap();
    let records = records();
    let layer: Layers<_> = Layers::new("cascade", strategy, pool.clone());
    hear(ask(layer, &records).await.unwrap().into_body()).await;
    assert_eq!(records.ends().await.len(), 2);

    let said = |error: tower_spearmint::strategy::RegistryError| error.to_string();
    let taken = registry.register("shadow", |_, _| Ok(Cascade { skip: None }));
    assert_eq!(
        said(taken.unwrap_err()),
        "the strategy `shadow` is there already; choose another name"
    );
    assert_eq!(
        said(registry.build("cascado", &settings, &pool).err().unwrap()),
        "no strategy `cascado`; there are `single`, `round_robin`, `shadow`, `multi_branch`, `cascade`"
    );
    let wrong = Config::new(serde_json::json!({ "skip": "x" })).unwrap();
    let error = said(registry.build("cascade", &wrong, &pool).err().unwrap());
    assert!(error.starts_with("the strategy `cascade` refused its settings: `skip`"), "{error}");
}
