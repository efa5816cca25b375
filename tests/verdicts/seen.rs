//! What people see of an experiment.

use crate::{
    support::{PATIENCE, Proxy, ask, eventually, run, stderr, stdout},
    traffic::Traffic,
};
use http::Request;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// Each experiment has the machine to itself: what it measures are its services.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Lets so many callers send requests until these candidates are decided, or there were so many requests that
/// they never will be.
pub async fn decided(proxy: &Proxy, callers: usize, candidates: &[&str], at_most: u64) {
    let _alone = ALONE.lock().await;
    let traffic = Traffic::start(proxy, callers);
    // Before that there is no such experiment.
    eventually("the first branches", || !proxy.stored().is_empty()).await;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let verdicts = verdicts(proxy).await;
        let is_decided = |id: &&str| verdicts.get(*id).is_some_and(|word| word != "undecided");
        if candidates.iter().all(is_decided) || traffic.sent() >= at_most {
            break;
        }
    }
    traffic.stop().await;
}

/// Each candidate has this verdict: on the page, and when all is recorded and the proxy has ended, in JSON and
/// in a file for browsers.
pub async fn everywhere(proxy: &mut Proxy, expected: &[(&str, &str)]) {
    let in_html = |(candidate, verdict): &(&str, &str)| {
        format!("<strong>{verdict}</strong> <span>{candidate} against stable</span>")
    };
    let (page, deadline) = (proxy.ui().await, Instant::now() + PATIENCE);
    loop {
        let page = ask(page, Request::get("/experiments/ranker"), "").await;
        match expected.iter().map(in_html).find(|said| !page.text().contains(said)) {
            None => break,
            Some(missed) => assert!(Instant::now() < deadline, "{missed}: {}", page.text()),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    proxy.signal("TERM");
    assert_eq!(proxy.ended().await, Some(0), "{}", proxy.log());
    let owned = |(id, word): &(&str, &str)| ((*id).to_owned(), (*word).to_owned());
    assert_eq!(verdicts(proxy).await, expected.iter().map(owned).collect());
    let file = report(proxy, &["--format", "html"]).await;
    for said in expected.iter().map(in_html) {
        assert!(file.contains(&said), "{said}: {file}");
    }
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
    let begin = |line: &str| {
        let end = [", since ", ": "].iter().filter_map(|end| line.find(end)).min();
        line[..end.unwrap_or(line.len())].to_owned()
    };
    first.map(begin).collect()
}
