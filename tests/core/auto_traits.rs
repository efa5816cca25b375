//! Layers are shared, services and futures move between threads.

use crate::support::{echo, pool};
use tower::{Layer, Service};
use tower_spearmint::{
    Branch, Branches, Config, ConfigPool, LogLayer, MultiBranchLayer, Place, Recorder,
    RoundRobinLayer, ShadowLayer, SingleLayer, Trial,
    record::{MemoryBackend, Recording},
};

fn send<T: Send>(_: &T) {}
fn all<T: Send + Sync + Clone + 'static>() {}

fn shared<L>(layer: L)
where
    L: Layer<tower::util::BoxCloneSyncService<Trial<()>, String, tower::BoxError>>
        + Send
        + Sync
        + Clone,
    L::Service: Service<()> + Send + Sync + Clone,
    <L::Service as Service<()>>::Future: Send,
{
    let service = tower::util::BoxCloneSyncService::new(echo());
    let mut service = layer.layer(service);
    send(&service.call(()));
}

#[tokio::test]
async fn layers_and_services_are_shared_and_futures_move() {
    let ab = || pool(&["a", "b"]);
    shared(SingleLayer::new(ab()[0].clone()));
    shared(RoundRobinLayer::new(ab()));
    shared(RoundRobinLayer::new(ab()).sticky("salt", |(): &()| None));
    shared(ShadowLayer::new(ab().primary("a").unwrap()));
    shared(MultiBranchLayer::new(ab()));
    shared(MultiBranchLayer::new(ab()).streaming());
    all::<LogLayer>();
    all::<Recorder>();
    all::<ConfigPool>();
    all::<Config>();
    all::<Branch>();
    all::<Branches<String>>();
    all::<Place>();
    all::<Trial<String>>();
    let (_, recording): (_, Recording) = Recorder::pair(MemoryBackend::new());
    send(&recording);
}
