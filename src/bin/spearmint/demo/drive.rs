//! The callers of the demo.

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use indicatif::ProgressBar;
use serde::Serialize;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::task::JoinSet;
use tower_spearmint::BoxError;

/// How many callers there are.
const CALLERS: usize = 32;

/// What the callers saw.
#[derive(Debug, Default, Serialize)]
pub(super) struct Callers {
    pub(super) requests: u64,
    /// Responses below 500.
    pub(super) answered: u64,
    /// Responses of 500 and above.
    pub(super) server_errors: u64,
    /// 99 % of the responses came within this time.
    pub(super) p99_ns: u64,
}

/// Sends the requests, and waits for every response to its end.
pub(super) async fn drive(
    address: SocketAddr,
    requests: u64,
    bar: &ProgressBar,
) -> Result<Callers, BoxError> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(CALLERS).build(connector);
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (client, next, bar) = (client.clone(), next.clone(), bar.clone());
        callers.spawn(async move {
            let mut seen: Vec<(u64, bool)> = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= requests {
                    return Ok::<_, BoxError>(seen);
                }
                let query = format!("{{\"query\":\"q{number}\"}}");
                let request = Request::builder()
                    .method(Method::POST)
                    .uri(format!("http://{address}/score"))
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Full::from(query))?;
                let began = Instant::now();
                let response = client.request(request).await?;
                let is_error = response.status().is_server_error();
                response.into_body().collect().await?;
                seen.push((began.elapsed().as_nanos() as u64, is_error));
                bar.inc(1);
            }
        });
    }
    let mut all = Vec::new();
    while let Some(seen) = callers.join_next().await {
        all.extend(seen??);
    }
    all.sort_unstable();
    let server_errors = all.iter().filter(|(_, is_error)| *is_error).count() as u64;
    let at = (all.len() * 99).div_ceil(100).saturating_sub(1);
    Ok(Callers {
        requests: all.len() as u64,
        answered: all.len() as u64 - server_errors,
        server_errors,
        p99_ns: all.get(at).map_or(0, |(ns, _)| *ns),
    })
}
