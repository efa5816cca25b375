//! What people see of an experiment.

use crate::{
    support::{Proxy, run, stderr, stdout},
    traffic::Traffic,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::Mutex;

/// Each experiment has the machine to itself: what it measures are its services.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Lets so many callers send requests until these candidates are decided (or there were so many requests that
/// they never will be), ends the proxy, and returns the verdicts on all that was recorded, as JSON says them.
pub async fn decided(
    proxy: &mut Proxy,
    callers: usize,
    candidates: &[&str],
    at_most: u64,
) -> BTreeMap<String, String> {
    let _alone = ALONE.lock().await;
    let traffic = Traffic::start(proxy, callers);
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let verdicts = verdicts(proxy).await;
        let is_decided = |id: &&str| verdicts.get(*id).is_some_and(|word| word != "undecided");
        if candidates.iter().all(is_decided) || traffic.sent() >= at_most {
            break;
        }
    }
    traffic.stop().await;
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0), "{}", proxy.log());
    verdicts(proxy).await
}

async fn verdicts(proxy: &Proxy) -> BTreeMap<String, String> {
    let reports: Value = serde_json::from_str(&report(proxy, &["--json"]).await).unwrap();
    let candidates = reports[0]["candidates"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    candidates.map(|found| (text(&found["config_id"]), text(&found["verdict"]))).collect()
}

/// What `spearmint report` says with these arguments.
pub async fn report(proxy: &Proxy, arguments: &[&'static str]) -> String {
    let report = ["report", "--file", "experiment.yaml", "--store", "store.db"];
    let arguments = [&report, arguments].concat();
    let directory = proxy.path("");
    // The callers go on meanwhile.
    let output = tokio::task::spawn_blocking(move || run(&arguments, &directory)).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    stdout(&output)
}

/// The lines at a terminal that say what to do with each candidate, and the beginning of why.
pub async fn at_a_terminal(proxy: &Proxy) -> Vec<String> {
    let text = report(proxy, &[]).await;
    let first = text.lines().skip(1).take_while(|line| !line.is_empty());
    first.map(|line| line.split_once(": ").map_or(line, |(begin, _)| begin).to_owned()).collect()
}

/// Whether `--format html` says this of a candidate.
pub async fn is_in_the_file(proxy: &Proxy, verdict: &str, candidate: &str) -> bool {
    let html = report(proxy, &["--format", "html"]).await;
    html.contains(&format!("<strong>{verdict}</strong> <span>{candidate} against stable</span>"))
}
