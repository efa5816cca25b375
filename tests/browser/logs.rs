//! What the browser noted while it showed pages.

use crate::browser::Browser;
use serde_json::{Value, json};

impl Browser {
    /// What stands in the console since this was last asked: scripts that failed, things that could not be
    /// loaded, what the page's own policy forbade. Chromium's hints to those who look for faults are left out.
    pub async fn console(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        let line =
            |entry: &Value| format!("{}: {}", text(&entry["level"]), text(&entry["message"]));
        entries.iter().filter(|entry| entry["level"] != "DEBUG").map(line).collect()
    }

    /// The addresses that pages asked for since this was last asked.
    pub async fn asked_for(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let events = entries
            .iter()
            .map(|entry| -> Value { serde_json::from_str(text(&entry["message"])).unwrap() });
        let urls = events.filter_map(|event| {
            let message = &event["message"];
            match text(&message["method"]) {
                "Network.requestWillBeSent" => {
                    Some(text(&message["params"]["request"]["url"]).to_owned())
                }
                "Network.webSocketCreated" => Some(text(&message["params"]["url"]).to_owned()),
                _ => None,
            }
        });
        urls.collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.driver.command("/se/log", json!({ "type": kind })).await;
        entries.as_array().unwrap().clone()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
