//! These tests find what they look for.

use crate::{
    browser::{Browser, PHONE},
    support::{respond, upstream},
};
use http::{HeaderValue, header};

const FAULTY: &str = "<!DOCTYPE html><html lang=en><title>x</title><main><h1>x</h1>
    <p style='color: #ddd; background: #fff; width: 600px'>hardly to be read</p>
    <input><img src='http://127.0.0.1:9/elsewhere.png'><script>undefined.of</script></main>";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_page_is_noticed() {
    let faulty = upstream(|_| async {
        let mut response = respond(200, FAULTY);
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
        response
    });
    let (faulty, browser) = tokio::join!(faulty, Browser::start());
    browser.look(PHONE).await;
    browser.open(&format!("http://{}/", faulty.address)).await;
    let console = browser.console().await;
    assert!(console.iter().any(|line| line.contains("TypeError")), "{console:?}");
    let asked = browser.asked_for().await;
    assert!(asked.contains(&"http://127.0.0.1:9/elsewhere.png".to_owned()), "{asked:?}");
    let faults = browser.faults().await;
    for rule in ["color-contrast: ", "image-alt: ", "label: "] {
        assert!(faults.iter().any(|fault| fault.starts_with(rule)), "{rule} {faults:?}");
    }
    let width = browser.script("return document.documentElement.scrollWidth").await;
    assert!(width.as_u64().unwrap() > 390, "{width}");
}
