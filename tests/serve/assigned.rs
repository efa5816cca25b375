//! Who takes part, where a unit is told, and what `spearmint assign` says of it.

use crate::support::{Proxy, Upstream, ask, echo, post, run, saying, spearmint, stderr, stdout};
use http::Request;
use serde_json::Value;
use std::collections::BTreeSet;
use tempfile::TempDir;
use tower_spearmint::assign::Reason;

async fn proxy(round_robin: &str, upstreams: &[&Upstream]) -> Proxy {
    let yaml = format!(
        "
experiment: ranker
strategy: round_robin
round_robin: {{ {round_robin} }}
variant_header: x-variant
rewrite_limit: 1KiB
configs:
  - {{ config_id: a, upstream: UPSTREAM_A }}
  - {{ config_id: b, upstream: UPSTREAM_B }}
"
    );
    let addresses: Vec<_> = upstreams.iter().map(|upstream| upstream.address).collect();
    Proxy::start(&yaml, &addresses).await
}

/// The configs that a request gets when it is sent this often.
async fn variants(
    proxy: &Proxy,
    count: usize,
    request: impl Fn() -> http::request::Builder,
    body: &str,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for _ in 0..count {
        let answer = proxy.ask(request(), body.to_owned()).await;
        found.insert(answer.headers["x-variant"].to_str().unwrap().to_owned());
    }
    found
}

#[tokio::test]
async fn rules_testers_and_the_ramp_decide_in_this_order_and_each_branch_says_why() {
    let (a, b) = (saying("x").await, saying("x").await);
    let settings = "weights: { a: 0, b: 1 }, sticky: { key: { header: x-user } }, default: a, \
        testers: { header: x-variant-wanted }, ramp: { share: 1 }, \
        eligible: { path: /rank, not: { header: { x-bot: true } } }";
    let mut proxy = proxy(settings, &[&a, &b]).await;
    let get = |path: &str| Request::get(path).header("x-user", "ann");
    let said = async |request: http::request::Builder| {
        let answer = proxy.ask(request, "").await;
        answer.headers["x-variant"].to_str().unwrap().to_owned()
    };
    assert_eq!(said(get("/rank")).await, "b");
    assert_eq!(said(get("/other")).await, "a");
    assert_eq!(said(get("/rank").header("x-bot", "1")).await, "a");
    assert_eq!(said(get("/other").header("x-variant-wanted", "b")).await, "b");
    assert_eq!(said(get("/rank").header("x-variant-wanted", "c")).await, "b");
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["unknown_overrides"], 1);
    let epoch = stats["epoch"].clone();
    let reasons: Vec<_> = proxy
        .rows()
        .await
        .into_iter()
        .map(|row| {
            assert_eq!(serde_json::to_value(row.epoch.unwrap()).unwrap(), epoch);
            row.reason.unwrap()
        })
        .collect();
    use Reason::{Ineligible, Override, Sticky};
    assert_eq!(reasons, [Sticky, Ineligible, Ineligible, Override, Sticky]);
}

#[tokio::test]
async fn a_unit_is_told_by_whatever_the_file_says_the_first_that_is_there() {
    let (a, b) = (echo().await, echo().await);
    for key in [
        "{ header: x-user }",
        "{ cookie: uid }",
        "{ json: /user/id }",
        "{ path: 2 }",
        "client_address",
        "trace_id",
        "{ baggage: user }",
        "[{ header: x-none }, { cookie: none }, { baggage: none }, { path: 9 }, { header: x-user }]",
    ] {
        let proxy = proxy(&format!("sticky: {{ key: {key} }}"), &[&a, &b]).await;
        let request = |user: usize| {
            Request::post(format!("/users/{user}/x"))
                .header("content-type", "application/json")
                .header("x-user", user.to_string())
                .header("cookie", format!("a=b; uid={user}"))
                .header("traceparent", format!("00-{:032x}-00f067aa0ba902b7-01", user + 1))
                .header("baggage", format!("x=1, user={user};p=q"))
        };
        let mut all = BTreeSet::new();
        for user in 0..16 {
            let body = format!("{{\"user\":{{\"id\":{user}}}}}");
            let own = variants(&proxy, 3, || request(user), &body).await;
            assert_eq!(own.len(), 1, "{key}");
            all.extend(own);
        }
        // From one address come all of them.
        assert_eq!(all.len(), if key == "client_address" { 1 } else { 2 }, "{key}");
    }
}

#[tokio::test]
async fn a_body_that_was_looked_into_arrives_whole_however_large_it_is() {
    let (a, b) = (echo().await, echo().await);
    let settings = "weights: { a: 0, b: 1 }, eligible: { json: { /plan: pro } }";
    let mut proxy = proxy(settings, &[&a, &b]).await;
    let json = || post("/").header("content-type", "application/json");
    for (body, variant) in [
        ("{\"plan\":\"pro\"}".to_owned(), "b"),
        ("{\"plan\":\"free\"}".to_owned(), "a"),
        ("{\"plan\":".to_owned(), "a"),
        (String::new(), "a"),
        // Beyond `rewrite_limit` nothing is known of it.
        (format!("{{\"plan\":\"pro\",\"x\":\"{}\"}}", "y".repeat(100_000)), "a"),
    ] {
        let answer = proxy.ask(json(), body.clone()).await;
        assert_eq!(answer.headers["x-variant"], variant, "{body:.20}");
        assert_eq!(answer.text(), body);
    }
    assert_eq!(proxy.rows().await.len(), 5);
}

#[tokio::test]
async fn a_cookie_is_found_beside_one_that_is_not_ascii() {
    let (a, b) = (saying("x").await, saying("x").await);
    let settings =
        "sticky: { key: { cookie: { name: uid, set: {} } } }, testers: { cookie: wanted }";
    let proxy = proxy(settings, &[&a, &b]).await;
    let get = |cookies: &str| Request::get("/").header("cookie", cookies.as_bytes());
    for user in ["ann", "eve", "bob", "dan"] {
        let plain = variants(&proxy, 1, || get(&format!("uid={user}")), "").await;
        let cookies = format!("name=J\u{fc}rgen; uid={user}");
        assert_eq!(variants(&proxy, 4, || get(&cookies), "").await, plain, "{user}");
        let answer = proxy.ask(get(&cookies), "").await;
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let wanted = variants(&proxy, 1, || get("name=J\u{fc}rgen; wanted=b; uid=ann"), "").await;
    assert_eq!(wanted, BTreeSet::from(["b".to_owned()]));
}

#[tokio::test]
async fn a_number_is_one_key_however_it_is_written() {
    let (a, b) = (saying("x").await, saying("x").await);
    let proxy = proxy("sticky: { key: { json: /user } }", &[&a, &b]).await;
    let request = || post("/").header("content-type", "application/json");
    for user in 1..9 {
        let mut found = BTreeSet::new();
        for written in [format!("{user}"), format!("{user}.0"), format!("{user}0e-1")] {
            let body = format!(r#"{{ "user": {written} }}"#);
            found.append(&mut variants(&proxy, 1, request, &body).await);
        }
        assert_eq!(found.len(), 1, "{user}");
    }
}

/// Or all who say nothing would be one unit, and get the same.
#[tokio::test]
async fn an_empty_text_is_nobodys_key() {
    let (a, b) = (saying("x").await, saying("x").await);
    let both = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    for key in [
        "{ header: x-user }",
        "{ cookie: uid }",
        "{ json: /user }",
        "{ baggage: user }",
        "{ cookie: { name: uid, set: {} } }",
    ] {
        let proxy = proxy(&format!("sticky: {{ key: {key} }}"), &[&a, &b]).await;
        let request = || {
            post("/")
                .header("x-user", "")
                .header("cookie", "uid=")
                .header("baggage", "user=")
                .header("content-type", "application/json")
        };
        assert_eq!(variants(&proxy, 40, request, r#"{ "user": "" }"#).await, both, "{key}");
    }
    let proxy = proxy("sticky: { key: [{ header: x-user }, { cookie: uid }] }", &[&a, &b]).await;
    let get = |user| Request::get("/").header("x-user", user).header("cookie", "uid=ann");
    let other = Request::get("/").header("x-user", "ann");
    let ann = proxy.ask(other, "").await.headers["x-variant"].clone();
    let ann = BTreeSet::from([ann.to_str().unwrap().to_owned()]);
    assert_eq!(variants(&proxy, 8, || get(""), "").await, ann);
}

#[tokio::test]
async fn a_caller_without_the_cookie_is_given_one_and_stays_where_it_was() {
    let (a, b) = (saying("x").await, saying("x").await);
    let settings = "sticky: { key: { cookie: { name: uid, set: { max_age: 2d, secure: true, \
        same_site: strict, domain: example.org } } } }";
    let proxy = proxy(settings, &[&a, &b]).await;
    let mut values = BTreeSet::new();
    for _ in 0..8 {
        let first = proxy.get("/").await;
        let cookie = first.headers["set-cookie"].to_str().unwrap().to_owned();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(
            attributes,
            "Path=/; Domain=example.org; Max-Age=172800; SameSite=Strict; Secure; HttpOnly"
        );
        values.insert(pair.strip_prefix("uid=").unwrap().to_owned());
        let again = proxy.ask(Request::get("/").header("cookie", pair), "").await;
        assert!(!again.headers.contains_key("set-cookie"));
        assert_eq!(again.headers["x-variant"], first.headers["x-variant"]);
    }
    assert_eq!(values.len(), 8);
}

#[tokio::test]
async fn another_file_is_another_epoch_and_other_weights_have_another_fingerprint() {
    let (a, b) = (saying("x").await, saying("x").await);
    let proxy = proxy("ramp: { share: 0.1 }", &[&a, &b]).await;
    let file = proxy.path("experiment.yaml");
    let first = std::fs::read_to_string(&file).unwrap();
    let epoch = async || proxy.admin("/stats").await.json()["epoch"].clone();
    let reload = async |text: &str| {
        std::fs::write(&file, text).unwrap();
        let answer = ask(proxy.admin, Request::post("/reload"), "").await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    };
    let one = epoch().await;
    reload(&format!("{first}drain_timeout: 1s\n")).await;
    let same = epoch().await;
    assert_eq!(same["fingerprint"], one["fingerprint"]);
    reload(&first.replace("0.1", "0.2")).await;
    let two = epoch().await;
    assert_eq!([&one["number"], &same["number"], &two["number"]], [1, 2, 3]);
    assert_ne!(one["fingerprint"], two["fingerprint"]);
}

#[tokio::test]
async fn shadows_of_requests_that_are_not_eligible_are_counted_as_unmatched() {
    let (a, b) = (saying("x").await, saying("x").await);
    let yaml = "
experiment: ranker
strategy: shadow
primary: a
shadow:
  methods: [GET, POST]
  sample_by: { key: { header: x-user } }
  eligible: { any: [{ json: { /plan: pro } }, { percentage: { salt: s, percent: 0 } }] }
configs:
  - { config_id: a, upstream: UPSTREAM_A }
  - { config_id: b, upstream: UPSTREAM_B }
";
    let mut proxy = Proxy::start(yaml, &[a.address, b.address]).await;
    for body in ["{\"plan\":\"pro\"}", "{\"plan\":\"free\"}"] {
        let request = post("/").header("content-type", "application/json").header("x-user", "ann");
        proxy.ask(request, body).await;
    }
    let stats = proxy.admin("/stats").await.json();
    assert_eq!(stats["shadows"][0]["dispatched"], 1);
    assert_eq!(stats["shadows"][0]["unmatched"], 1);
    let reasons: BTreeSet<_> =
        proxy.rows().await.iter().map(|row| row.reason.unwrap().to_string()).collect();
    assert_eq!(reasons, BTreeSet::from(["primary".to_owned(), "sample".to_owned()]));
}

const FILE: &str = "\
experiment: ranker
strategy: round_robin
round_robin:
  weights: { stable: 9, candidate: 1 }
  sticky: { key: { header: x-user-id } }
  holdout: { salt: global, share: 0.05 }
  namespace: { name: search, ranges: { ranker: [[0, 0.5]], layout: [[0.5, 1]] } }
  ramp: { steps: [{ at: 2026-01-05T09:00:00Z, share: 0.01 }, { at: 2026-02-01T09:00:00Z, share: 1 }] }
  eligible: { path: /rank }
  testers: { cookie: variant }
configs:
  - { config_id: stable, upstream: http://127.0.0.1:9001 }
  - { config_id: candidate, upstream: http://127.0.0.1:9002 }
";

fn assign(text: &str, arguments: &[&str]) -> std::process::Output {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("x.yaml"), text).unwrap();
    run(&[&["assign", "x.yaml"], arguments].concat(), directory.path())
}

/// What is shown in `docs/assignment.md`.
#[test]
fn the_command_says_who_gets_what_and_why_step_by_step() {
    let output = assign(
        FILE,
        &["--unit", "user-20", "--path", "/rank", "--at", "2026-03-01T00:00:00Z", "--explain"],
    );
    assert_eq!(stderr(&output), "");
    let said = stdout(&output);
    let docs = include_str!("../../docs/assignment.md");
    assert!(docs.contains(said.trim()), "{said}");
    // Before the ramp began.
    let output =
        assign(FILE, &["--unit", "user-20", "--path", "/rank", "--at", "2026-01-01T00:00:00Z"]);
    assert_eq!(stdout(&output), "user-20: stable (ramp, probability 1)\n");
    // Each on a line.
    let units = ["--unit", "a", "--unit", "b"];
    let output = assign(FILE, &units);
    assert_eq!(stdout(&output).lines().count(), 2);
    let output = assign(FILE, &["--header", "cookie: variant=candidate", "--json"]);
    let told: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(told[0]["assigned"]["reason"], "override");
    assert_eq!(told[0]["assigned"]["config_id"], "candidate");
    assert_eq!(told[0]["assigned"]["steps"][0]["step"], "testers");
}

#[test]
fn every_strategy_can_be_asked() {
    let configs = "configs:\n  - { config_id: a, upstream: http://127.0.0.1:9001 }\n  - { config_id: b, upstream: http://127.0.0.1:9002 }\n";
    for (settings, expected) in [
        ("strategy: single", "a (primary, probability 1)\n"),
        ("strategy: multi_branch", "left to chance (all)\n"),
        ("strategy: round_robin", "left to chance (cycle)\n"),
        ("strategy: shadow\nprimary: b", "b (primary, probability 1)\n"),
    ] {
        let output = assign(&format!("experiment: x\n{settings}\n{configs}"), &[]);
        assert_eq!(stdout(&output), expected, "{}", stderr(&output));
    }
}

/// The same file as JSON, with its keys in another order and its numbers written otherwise.
#[test]
fn the_same_rules_assign_the_same_whatever_they_are_written_in() {
    let json = r#"{
        "round_robin": {
            "testers": { "cookie": "variant" },
            "eligible": { "path": "/rank" },
            "ramp": { "steps": [
                { "share": 1e-2, "at": "2026-01-05T10:00:00+01:00" },
                { "share": 1.0, "at": "2026-02-01t09:00:00.000z" }
            ] },
            "namespace": { "ranges": { "layout": [[0.50, 1]], "ranker": [[0.0, 5e-1]] }, "name": "search" },
            "holdout": { "share": 0.050, "salt": "global" },
            "sticky": { "key": { "header": "x-user-id" } },
            "weights": { "candidate": 1.0, "stable": 9 }
        },
        "strategy": "round_robin",
        "experiment": "ranker",
        "configs": [
            { "upstream": "http://127.0.0.1:9001", "config_id": "stable" },
            { "config_id": "candidate", "upstream": "http://127.0.0.1:9002" }
        ]
    }"#;
    let units: Vec<String> = (0..300).map(|n| format!("user-{n}")).collect();
    let mut arguments = vec!["--path", "/rank", "--at", "2026-03-01T00:00:00Z", "--json"];
    arguments.extend(units.iter().flat_map(|unit| ["--unit", unit]));
    let told = [FILE, json].map(|text| stdout(&assign(text, &arguments)));
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].matches("\"fingerprint\"").count(), 300);
    assert!(told[0].matches("\"candidate\"").count() > 5);
}

/// References, a template and an overlay: what is told is what `serve` would do with the same file.
#[test]
fn a_file_is_read_as_it_is_served_before_it_is_explained() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("env")).unwrap();
    let file = "\
experiment: ranker
strategy: round_robin
round_robin:
  weights: { small-t0: 1, large-t0: 1, small-t1: 0, large-t1: 0 }
  sticky: { salt: '${experiment}', key: { header: x-user-id } }
  ramp: { share: '${oc.decode:${oc.env:SHARE_OF_UNITS,1}}' }
configs:
  - upstream: http://127.0.0.1:9001
    model: { $choice: [small, large] }
    temperature: { $choice: [0, 1] }
    $expand: { name: '{model}-t{temperature}' }
";
    std::fs::write(directory.path().join("x.yaml"), file).unwrap();
    std::fs::write(directory.path().join("env/off.yaml"), "round_robin: { ramp: { share: 0 } }\n")
        .unwrap();
    let told = |variables: &[(&str, &str)], more: &[&str]| -> BTreeSet<String> {
        let units: Vec<String> = (0..50).map(|n| format!("user-{n}")).collect();
        let mut arguments = vec!["assign", "x.yaml"];
        arguments.extend(units.iter().flat_map(|unit| ["--unit", unit]));
        let mut command = spearmint();
        command.envs(variables.iter().copied()).args(arguments).args(more);
        let output = command.current_dir(directory.path()).output().unwrap();
        assert_eq!(stderr(&output), "");
        let said = stdout(&output);
        said.lines().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
    };
    let all = ["small-t0 (sticky, probability 0.5)", "large-t0 (sticky, probability 0.5)"];
    assert_eq!(told(&[], &[]), all.map(str::to_owned).into());
    let nobody = BTreeSet::from(["small-t0 (ramp, probability 1)".to_owned()]);
    assert_eq!(told(&[("SHARE_OF_UNITS", "0")], &[]), nobody);
    assert_eq!(told(&[("SPEARMINT__ROUND_ROBIN__RAMP__SHARE", "0")], &[]), nobody);
    assert_eq!(told(&[], &["--env", "off"]), nobody);
    assert_eq!(told(&[], &["--set", "round_robin.ramp.share=0"]), nobody);
}

/// Each is shown in `docs/assignment.md`.
#[test]
fn mistakes_are_named_with_their_place_and_what_would_be_right() {
    let docs = include_str!("../../docs/assignment.md");
    for (good, bad) in [
        ("share: 0.05", "share: 5"),
        ("{ salt: global, share: 0.05 }", "{ share: 0.05 }"),
        ("[[0.5, 1]]", "[[0.4, 1]]"),
        ("[[0, 0.5]]", "[[0.5, 0]]"),
        ("ranges: { ranker:", "ranges: { rankr:"),
        ("at: 2026-02-01T09:00:00Z", "at: tomorrow"),
        ("at: 2026-02-01T09:00:00Z", "at: 2026-01-01T09:00:00Z"),
        (
            "[{ at: 2026-01-05T09:00:00Z, share: 0.01 }, { at: 2026-02-01T09:00:00Z, share: 1 }]",
            "[]",
        ),
        ("path: /rank", "path: rank"),
        ("path: /rank", "paths: /rank"),
        ("path: /rank", "method: get"),
        ("path: /rank", "any: []"),
        ("path: /rank", "not: { json: { plan: pro } }"),
        ("path: /rank", "grpc_method: /rank.Ranker/Rank"),
        ("path: /rank", "header: { 'x bot': true }"),
        ("path: /rank", "all: [{ percentage: { salt: beta, percent: 101 } }]"),
        ("path: /rank", "cookie: { beta: 1 }"),
        (
            "steps: [{ at: 2026-01-05T09:00:00Z, share: 0.01 }, { at: 2026-02-01T09:00:00Z, share: 1 }]",
            "share: 1.5",
        ),
        ("cookie: variant", "header: 'x variant'"),
        ("{ header: x-user-id }", "{ cookie: { name: uid, set: { path: '/a b' } } }"),
        ("  sticky: { key: { header: x-user-id } }\n", ""),
        ("{ header: x-user-id }", "[]"),
        ("{ header: x-user-id }", "{ json: user }"),
        ("{ header: x-user-id }", "{ path: 0 }"),
        ("{ header: x-user-id }", "client_addres"),
        ("{ header: x-user-id }", "{ cookie: { name: uid, set: { same_site: none } } }"),
        ("{ header: x-user-id }", "{ cookie: { name: 'u d', set: { path: / } } }"),
        ("  testers: { cookie: variant }\n", "  default: best\n"),
    ] {
        assert!(FILE.contains(good), "{good}");
        let output = assign(&FILE.replacen(good, bad, 1), &[]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{bad}: {said}");
        let said = said.trim().strip_prefix("error: ").unwrap().to_owned();
        assert!(docs.contains(&said), "{bad}\n{said}");
    }
}
