//! Branches that are made up, and some that a layer made.

use serde_json::json;
use std::time::Duration;
use tower::{Layer, Service, ServiceExt};
use tower_spearmint::{
    Branch, ConfigPool, LogLayer, Recorder, RoundRobinLayer, Trial, branch::BranchId,
    record::MemoryBackend, service_fn,
};

/// What a recorder hands over at most.
pub(crate) const BATCH: usize = 5_000;
/// 100,000 branches a second.
pub(crate) const STEP_NS: u64 = 10_000;
pub(crate) const START_NS: u64 = 1_790_000_000_000_000_000;

pub(crate) fn id(at_ns: u64, number: u32) -> BranchId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&(at_ns / 1_000_000).to_be_bytes()[2..]);
    let fraction = ((at_ns % 1_000_000) << 12) / 1_000_000;
    bytes[6..8].copy_from_slice(&(0x7000 | fraction as u16).to_be_bytes());
    // Variant, counter and chance, as the crate lays them out.
    let low = 0b10 << 62 | u64::from(number) << 30 | 0x1234_5678;
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    BranchId::from_bytes(bytes)
}

pub(crate) fn place(branch: &mut Branch, n: u64) {
    branch.start_ns = START_NS + n * STEP_NS + n * 7_919 % 5_000;
    branch.id = id(branch.start_ns, n as u32);
    branch.request_id = branch.id;
    branch.duration_ns = 1_000_000 + n * 104_729 % 20_000_000;
    branch.end_ns = branch.start_ns + branch.duration_ns;
}

/// A branch of each config, as a strategy makes it.
pub(crate) async fn template() -> Vec<Branch> {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "stable", "llm": { "model": "small-v1" } }),
        json!({ "config_id": "candidate", "llm": { "model": "small-v2" } }),
    ])
    .unwrap();
    let memory = MemoryBackend::new();
    let (recorder, recording) = Recorder::pair(memory.clone());
    tokio::spawn(recording);
    let inner = service_fn(|_: Trial<()>| async { Ok::<_, String>(()) });
    let logged = LogLayer::new(recorder.clone()).layer(inner);
    let mut service = RoundRobinLayer::new(pool).experiment("bench").layer(logged);
    for _ in 0..2 {
        service.ready().await.unwrap().call(()).await.unwrap();
    }
    recorder.drain(Duration::from_secs(10)).await.unwrap();
    memory.take()
}
