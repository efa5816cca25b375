//! Callers that go on until they are told to stop.

use crate::{
    services::TAKES,
    support::{Proxy, at, caller, full},
};
use http::Request;
use http_body_util::BodyExt;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Callers at work.
pub struct Traffic {
    callers: JoinSet<()>,
    sent: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Traffic {
    /// So many of them.
    pub fn start(proxy: &Proxy, callers: usize) -> Self {
        let client = caller();
        let (sent, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mut at_work = JoinSet::new();
        for _ in 0..callers {
            let (client, address) = (client.clone(), proxy.address);
            let (sent, stop) = (sent.clone(), stop.clone());
            at_work.spawn(async move {
                while !stop.load(Relaxed) {
                    let path = format!("/{}", sent.fetch_add(1, Relaxed));
                    let request = at(address, Request::get(path), full(""));
                    let began = Instant::now();
                    let response = client.request(request).await.unwrap();
                    response.into_body().collect().await.unwrap();
                    // Where the machine is too busy for so many, they wait rather than their requests:
                    // what is measured are the services.
                    let late = began.elapsed().saturating_sub(TAKES);
                    tokio::time::sleep((late * 20).min(Duration::from_secs(4))).await;
                }
            });
        }
        Self { callers: at_work, sent, stop }
    }

    /// How many requests were sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Waits for the last answers.
    pub async fn stop(mut self) {
        self.stop.store(true, Relaxed);
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
    }
}
