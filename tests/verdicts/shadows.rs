//! Candidates that run beside the primary, on each of its requests.

use crate::{
    seen::{at_a_terminal, decided, everywhere},
    services::Services,
    support::Proxy,
};

/// (The median is that of the services on a busy machine, too; what few answers take longest is not.)
const YAML: &str = "
experiment: ranker
ui: { listen: '127.0.0.1:0' }
strategy: shadow
primary: stable
shadow: { max_in_flight: 4096 }
metrics:
  error_rate: { role: guardrail, margin: 0.2% }
  latency_p50: { role: guardrail, margin: 10% }
configs:
  - { config_id: stable, upstream: UPSTREAM_A }
  - { config_id: failing, upstream: UPSTREAM_B }
  - { config_id: slower, upstream: UPSTREAM_C }
  - { config_id: equal, upstream: UPSTREAM_D }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_that_does_harm_is_kept_out_and_an_equal_one_is_shipped() {
    let services = Services::start().await;
    let mut proxy = Proxy::start(YAML, &services.addresses()).await;
    decided(&proxy, 96, &["failing", "slower", "equal"], 50_000).await;
    let expected = [("equal", "ship"), ("failing", "keep"), ("slower", "keep")];
    everywhere(&mut proxy, &expected).await;
    assert_eq!(
        at_a_terminal(&proxy).await,
        [
            "ship  equal against stable",
            "  error_rate, latency_p50 within the margins",
            "keep  failing against stable",
            "  error_rate",
            "keep  slower against stable",
            "  latency_p50",
        ]
    );
}
