//! First pages of searches, by filter.

use crate::client::{Client, Error};
use serde_json::json;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Runs of a page, as MLflow's pages ask for them.
const PAGE: usize = 100;
/// The first search opens a connection to the file; what a user waits for comes after.
const ROUNDS: usize = 9;

/// A filter, how many runs its first page had, and how long it took: the median and the longest.
pub(crate) struct Searched {
    pub(crate) filter: String,
    pub(crate) found: usize,
    pub(crate) median: Duration,
    pub(crate) longest: Duration,
}

/// # Errors
///
/// When the server refuses a search.
pub(crate) async fn run(
    address: SocketAddr,
    experiment: &str,
    filters: &[String],
) -> Result<Vec<Searched>, Error> {
    let mut client = Client::new(address, true);
    let named = json!({ "filter": format!("name = '{experiment}'"), "max_results": 1 });
    let found = client.post("experiments/search", &named).await?;
    let experiment = found["experiments"][0]["experiment_id"].clone();
    let mut all = Vec::new();
    for filter in filters {
        let search =
            json!({ "experiment_ids": [experiment], "filter": filter, "max_results": PAGE });
        let mut found = 0;
        let mut took = Vec::new();
        for _ in 0..ROUNDS {
            let started = Instant::now();
            let page = client.post("runs/search", &search).await?;
            took.push(started.elapsed());
            found = page["runs"].as_array().map_or(0, Vec::len);
        }
        took.sort_unstable();
        all.push(Searched {
            filter: filter.clone(),
            found,
            median: took[took.len() / 2],
            longest: took[took.len() - 1],
        });
    }
    Ok(all)
}
