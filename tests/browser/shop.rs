//! An experiment with something to see: a candidate that says another price now and then, and sometimes fails.

use crate::support::{Proxy, Upstream, post, respond, upstream};
use http::{HeaderValue, header};
use serde_json::json;
use std::net::SocketAddr;
use tempfile::TempDir;
use tower_spearmint::branch::{Role, Status};

const YAML: &str = "
experiment: shop
strategy: shadow
primary: stable
shadow: { methods: [GET, POST], control: true, control_methods: [GET, POST] }
configs:
  - { config_id: stable, upstream: UPSTREAM_A, prices: { currency: EUR, rounded: false } }
  - { config_id: candidate, upstream: UPSTREAM_B, prices: { currency: EUR, rounded: true } }
";

/// `serve` at work, with its pages.
pub struct Shop {
    pub proxy: Proxy,
    pub pages: SocketAddr,
    asked: u64,
    _services: [Upstream; 2],
}

/// Requests that are sent at first.
pub const FIRST: u64 = 64;

impl Shop {
    pub async fn open() -> Self {
        Self::open_in(TempDir::new().unwrap(), "ui: { listen: '127.0.0.1:0' }\n").await
    }

    /// With these settings in its file, beside what is in a directory.
    pub async fn open_in(directory: TempDir, settings: &str) -> Self {
        let services = [service(0, 0).await, service(4, 16).await];
        let addresses = services.each_ref().map(|service| service.address);
        let yaml = format!("{YAML}{settings}");
        let proxy = Proxy::start_in(directory, &yaml, &addresses).await;
        let pages = proxy.ui().await;
        let mut shop = Self { proxy, pages, asked: 0, _services: services };
        shop.ask(FIRST).await;
        shop
    }

    /// Sends so many requests more, and waits until all that came of them is in the store.
    pub async fn ask(&mut self, requests: u64) {
        for _ in 0..requests {
            let request = post(&format!("/price?of={}", self.asked));
            assert_eq!(self.proxy.ask(request, "").await.status, 200);
            self.asked += 1;
        }
        // A primary, its control and a shadow.
        self.proxy.stores(3 * self.asked as usize).await;
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.pages)
    }

    /// The id of a shadow's branch that failed.
    pub fn failed(&self) -> String {
        let rows = self.proxy.stored();
        let failed =
            rows.iter().find(|row| row.role == Role::Shadow && row.status == Status::Failed);
        failed.unwrap().id.to_string()
    }

    /// Each page there is.
    pub fn paths(&self) -> Vec<String> {
        vec![
            "/".into(),
            "/experiments/shop".into(),
            "/experiments/shop/differences".into(),
            "/experiments/shop/differences?path=%2Fprice".into(),
            "/experiments/shop/branches".into(),
            "/experiments/shop/branches?role=shadow&status=failed".into(),
            format!("/branches/{}", self.failed()),
            "/login".into(),
        ]
    }
}

/// Of so many answers one has another price, and one fails; 0: none.
async fn service(wrong: u64, failing: u64) -> Upstream {
    upstream(move |request| async move {
        let query = request.uri().query().unwrap_or_default();
        let number: u64 = query.trim_start_matches("of=").parse().unwrap_or_default();
        let is = |one_of: u64| one_of > 0 && number % one_of == one_of - 1;
        if is(failing) {
            return respond(503, "sold out");
        }
        let price = if is(wrong) { "12.00" } else { "12.49" };
        let body = json!({ "of": number, "price": price, "tags": ["<b>new</b>", "& cheap"] });
        let mut response = respond(200, body.to_string());
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    })
    .await
}
