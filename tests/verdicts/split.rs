//! Candidates of which each request goes to one.

use crate::{
    seen::{at_a_terminal, decided, everywhere},
    services::{Services, experiment},
    support::Proxy,
};

const STRATEGY: &str = "
strategy: round_robin
round_robin: { weights: { stable: 1, failing: 1, slower: 1, equal: 1 } }
baseline: stable
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_split_harm_is_kept_out_and_what_is_equal_is_no_reason_to_change() {
    let services = Services::start().await;
    let mut proxy = Proxy::start(&experiment(STRATEGY), &services.addresses()).await;
    decided(&proxy, 384, &["failing", "slower"], 100_000).await;
    let expected = [("equal", "undecided"), ("failing", "keep"), ("slower", "keep")];
    everywhere(&mut proxy, &expected).await;
    let mut lines = at_a_terminal(&proxy).await;
    // What it waits for: more requests, as long as its guardrails may be broken, and then a metric to be better at.
    lines.remove(1);
    assert_eq!(
        lines,
        [
            "undecided  equal against stable",
            "keep  failing against stable",
            "  error_rate",
            "keep  slower against stable",
            "  latency_p50",
        ]
    );
}
