//! Large and many uploads: what a healthy shadow gets of them, and what a stuck one may hold.

use crate::{
    errand::{Errand, Verb},
    sick::Sick,
    support::{Proxy, full},
    verdict::{no_part_was_taken_for_the_whole, quiet},
    visit::{Connection, Protocol, rounds},
    well::well,
};
use tokio::task::JoinSet;

const LARGE: usize = 20 << 20;
const AT_ONCE: usize = 8;
const MEGABYTE: u64 = 1 << 20;

fn yaml(settings: &str, protocol: Protocol) -> String {
    format!(
        "
experiment: uploads
strategy: shadow
primary: a
shadow: {{ methods: [POST], {settings} }}
drain_timeout: 15s
upstreams: {{ http2: {} }}
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
",
        protocol == Protocol::Http2
    )
}

/// Uploads from so many callers at once, each of which is answered with the same bytes.
async fn upload(proxy: &Proxy, protocol: Protocol, seeds: std::ops::Range<usize>) {
    let mut callers = JoinSet::new();
    for seed in seeds {
        let address = proxy.address;
        callers.spawn(async move {
            let mut connection = Connection::open(address, protocol).await;
            let errand = Errand { verb: Verb::Post, seed, len: LARGE };
            connection.ask(errand, full(errand.sent())).await;
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
}

async fn a_healthy_shadow_gets_all(protocol: Protocol) {
    let (a, b) = (well().await, Sick::Well.start(protocol).await);
    let quiet = quiet().await;
    let mut proxy = Proxy::start(&yaml("timeout: 30s", protocol), &[a.address, b.address]).await;
    let (mut sent, rounds) = (0, rounds() as usize);
    for _ in 0..2 * rounds {
        upload(&proxy, protocol, sent..sent + 1).await;
        sent += 1;
    }
    for _ in 0..rounds {
        upload(&proxy, protocol, sent..sent + AT_ONCE).await;
        sent += AT_ONCE;
    }
    let tally = proxy.tally().await;
    drop(quiet);
    assert_eq!(tally["a primary success"], sent);
    no_part_was_taken_for_the_whole(&b.ledger);
    let whole = b.ledger.received().iter().filter(|one| one.is_as_sent()).count();
    assert!(whole * 100 >= sent * 99, "{whole} of {sent}: {tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_shadow_gets_large_uploads_whole_with_the_default_buffers() {
    a_healthy_shadow_gets_all(Protocol::Http1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_shadow_gets_large_uploads_whole_over_http2() {
    a_healthy_shadow_gets_all(Protocol::Http2).await;
}

/// How much more memory these uploads took than the same without anything kept for the shadow.
async fn held(settings: &str, sick: Sick) -> u64 {
    let mut peaks = Vec::new();
    for settings in ["sample: 0", settings] {
        let (a, b) = (well().await, sick.start(Protocol::Http1).await);
        let yaml = yaml(settings, Protocol::Http1);
        let mut proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
        upload(&proxy, Protocol::Http1, 0..AT_ONCE).await;
        peaks.push(proxy.peak_memory());
        assert_eq!(proxy.tally().await["a primary success"], AT_ONCE);
    }
    peaks[1].saturating_sub(peaks[0])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shadows_that_never_read_hold_no_more_than_the_total_buffer() {
    let _quiet = quiet().await;
    let settings = "timeout: 2s, body_buffer: 32MiB, body_buffer_total: 32MiB";
    let held = held(settings, Sick::NeverReads).await;
    // (160 MiB were sent. Connections and the allocator take their part.)
    assert!(held < 40 * MEGABYTE, "{held} bytes");
}

/// Though the system takes some of it off our hands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_that_never_reads_is_dropped_when_its_buffer_is_full() {
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let (a, b) = (well().await, Sick::NeverReads.start(protocol).await);
        let yaml = yaml("timeout: 1h, body_buffer: 4MiB", protocol);
        let mut proxy = Proxy::start(&yaml, &[a.address, b.address]).await;
        upload(&proxy, protocol, 0..1).await;
        assert_eq!(proxy.ends().await, ["a primary success", "b shadow failed/lagging"]);
    }
}
