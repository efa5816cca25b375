//! Candidates that run beside the primary, on each of its requests.

use crate::{
    seen::{at_a_terminal, decided, everywhere},
    services::{Services, experiment},
    support::Proxy,
};

const STRATEGY: &str = "
strategy: shadow
primary: stable
shadow: { max_in_flight: 4096 }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_that_does_harm_is_kept_out_and_an_equal_one_is_shipped() {
    let services = Services::start().await;
    let mut proxy = Proxy::start(&experiment(STRATEGY), &services.addresses()).await;
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
