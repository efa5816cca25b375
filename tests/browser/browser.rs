//! A browser with one window.

use crate::{driver::Driver, support::PATIENCE};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::time::Instant;

pub struct Browser {
    pub(super) driver: Driver,
}

/// How it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    pub height: u32,
    /// What the system prefers: `light` or `dark`.
    pub scheme: &'static str,
}

pub const LIGHT: Look = Look { width: 1280, height: 900, scheme: "light" };
pub const DARK: Look = Look { scheme: "dark", ..LIGHT };
pub const PHONE: Look = Look { width: 390, height: 844, ..LIGHT };

impl Browser {
    pub async fn start() -> Self {
        let browser = Self { driver: Driver::start().await };
        browser.look(LIGHT).await;
        // What is noted until then is about no page of ours.
        browser.console().await;
        browser.asked_for().await;
        browser
    }

    pub async fn look(&self, Look { width, height, scheme }: Look) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.driver.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.driver.devtools("Emulation.setEmulatedMedia", scheme).await;
    }

    /// Whether scripts of pages run, from the next page on.
    pub async fn scripts(&self, run: bool) {
        self.driver
            .devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !run }))
            .await;
    }

    /// Opens a page, and waits until it is loaded.
    pub async fn open(&self, url: &str) {
        self.driver.command("/url", json!({ "url": url })).await;
    }

    pub async fn title(&self) -> String {
        self.driver.question("/title").await.as_str().unwrap().to_owned()
    }

    pub async fn url(&self) -> String {
        self.driver.question("/url").await.as_str().unwrap().to_owned()
    }

    /// What a script returns that runs in the page; a promise is waited for.
    pub async fn script(&self, body: &str) -> Value {
        self.driver.command("/execute/sync", json!({ "script": body, "args": [] })).await
    }

    /// The text of what a selector finds first, as it is shown.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        self.driver.question(&format!("/element/{element}/text")).await.as_str().unwrap().to_owned()
    }

    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.driver.command(&format!("/element/{element}/click"), json!({})).await;
    }

    /// Types into what a selector finds first.
    pub async fn write(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.driver.command(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    /// Presses a key and lets it go, wherever the focus is.
    pub async fn press(&self, key: char) {
        let keys = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let source = json!({ "type": "key", "id": "keyboard", "actions": keys });
        self.driver.command("/actions", json!({ "actions": [source] })).await;
    }

    /// Waits until the text of what a selector finds is as it should be.
    pub async fn until(&self, selector: &str, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = self.text(selector).await;
            if is_so(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "not in time: {what}; `{selector}` says:\n{text}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Writes a picture of what the window shows.
    pub async fn picture(&self, file: &Path) {
        let png = self.driver.question("/screenshot").await;
        std::fs::write(file, BASE64.decode(png.as_str().unwrap()).unwrap()).unwrap();
    }

    async fn find(&self, selector: &str) -> String {
        let how = json!({ "using": "css selector", "value": selector });
        let found = self.driver.command("/element", how).await;
        // The name that the standard gives to a reference to an element.
        found["element-6066-11e4-a52e-4f735466cecf"].as_str().unwrap().to_owned()
    }
}
