//! Outcomes of units, reported to the server.

use super::support::Server;
use http_body_util::Full;
use serde_json::json;
use tempfile::TempDir;
use tower_spearmint::{
    server::{Access, Tokens},
    store::{OutcomeRules, SqliteStore},
};

const ANN: &str = "ann-may-do-everything";
const BOT: &str = "bot-may-only-read-it";

#[tokio::test]
async fn whoever_may_write_reports_outcomes() {
    let directory = TempDir::new().unwrap();
    let tokens = Tokens::new().and("ann", Access::ReadWrite, ANN).unwrap();
    let tokens = tokens.and("bot", Access::ReadOnly, BOT).unwrap();
    let server = Server::start_with(&directory, |server| server.tokens(tokens)).await;
    let store = SqliteStore::open(&server.store).unwrap();
    store.set_outcome_rules(&OutcomeRules::new("ranker")).unwrap();
    let bought = json!({ "id": "1", "unit": "ann", "name": "purchase" }).to_string();
    let report = async |secret: &str| {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str())];
        let body = Full::new(bought.clone().into());
        server.try_call_with("POST", "/outcomes", &headers, body).await.unwrap()
    };
    assert_eq!(report("nobody").await.status, 401);
    let only_reads = (403, "PERMISSION_DENIED".to_owned(), "this token only reads".to_owned());
    assert_eq!(report(BOT).await.error(), only_reads);
    assert_eq!(store.stat().unwrap().outcomes, 0);
    let answer = report(ANN).await;
    assert_eq!(answer.json(), json!({ "new": 1, "known": 0, "attributed": 0, "unattributed": 1 }));
    assert_eq!(report(ANN).await.json()["known"], 1);
    let get = server.get("/outcomes").await;
    assert_eq!(get.status, 401);
    server.stop().await;
}
