//! Mistakes in a file: where, what, and what would be right.

use crate::support::{run, stderr};
use std::net::TcpListener;
use tempfile::TempDir;

const GOOD: &str = "\
experiment: ranker
strategy: shadow
primary: stable
shadow: { methods: [GET, POST], sample: 0.5, timeout: 2s }
configs:
  - config_id: stable
    upstream: http://127.0.0.1:9001
  - config_id: candidate
    upstream: http://127.0.0.1:9002
";

/// What `spearmint serve` says to this file. It must be a mistake of the user's.
fn said_with(text: &str, overrides: &[&str]) -> String {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("x.yaml"), text).unwrap();
    let mut arguments = vec!["serve", "x.yaml", "--listen", "127.0.0.1:0"];
    arguments.extend(overrides);
    let output = run(&arguments, directory.path());
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    let said = stderr(&output);
    said.strip_prefix("error: ").unwrap().trim_end().to_owned()
}

fn said(text: &str) -> String {
    said_with(text, &[])
}

/// One thing in the good file, and what is written instead.
fn instead(good: &str, bad: &str) -> String {
    assert!(GOOD.contains(good));
    said(&GOOD.replacen(good, bad, 1))
}

/// The good file with this at its end: still in the last config.
fn and(more: &str) -> String {
    said(&format!("{GOOD}{more}"))
}

fn round_robin(settings: &str) -> String {
    let text = GOOD.replace("strategy: shadow\nprimary: stable\n", "strategy: round_robin\n");
    said(&format!("{text}round_robin: {settings}\n"))
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_that_there_is() {
    assert_eq!(
        instead("primary", "primay"),
        "x.yaml:3:9: `primay`: unknown key `primay`; did you mean `primary`?"
    );
    assert_eq!(
        instead("sample", "sampel"),
        "x.yaml:4:41: `shadow.sampel`: unknown key `sampel`; did you mean `sample`?"
    );
    assert_eq!(
        and("    request: { header: { x-model: b } }\n"),
        "x.yaml:10:16: `configs[1].request.header`: unknown key `header`; did you mean `headers`?"
    );
    assert_eq!(
        and("    shadow: { smple: 0.3 }\n"),
        "x.yaml:10:22: `configs[1].shadow.smple`: unknown key `smple`; did you mean `sample`?"
    );
    assert_eq!(
        and("round_robin: { colour: red }\n"),
        "x.yaml:10:24: `round_robin.colour`: unknown key `colour`; there are weights, seed, sticky, \
         ramp, namespace, holdout, eligible, testers, default"
    );
}

#[test]
fn a_missing_key_is_named() {
    assert_eq!(instead("experiment: ranker\n", ""), "x.yaml:1:1: missing key `experiment`");
    assert_eq!(instead("strategy: shadow\n", ""), "x.yaml:1:1: missing key `strategy`");
    assert_eq!(
        instead("primary: stable\n", ""),
        "x.yaml:1:1: `primary`: not set; name the config that answers, as in `primary: stable`"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_shown_with_what_is_expected() {
    for (good, bad, expected) in [
        ("ranker", "5", "x.yaml:1:13: `experiment`: a text is expected here, not the number 5"),
        (
            "strategy: shadow",
            "strategy: [shadow]",
            "x.yaml:2:1: `strategy`: a text is expected here, not a list",
        ),
        (
            "0.5",
            "half",
            "x.yaml:4:41: `shadow.sample`: a number is expected here, not the text \"half\"",
        ),
        (
            "[GET, POST]",
            "GET",
            "x.yaml:4:20: `shadow.methods`: a list, as in [a, b], is expected here, not the text \"GET\"",
        ),
        (
            "sample: 0.5",
            "max_in_flight: -1",
            "x.yaml:4:48: `shadow.max_in_flight`: a whole number from 0 is expected here, not the number -1",
        ),
    ] {
        assert_eq!(instead(good, bad), expected);
    }
}

#[test]
fn wrong_settings_of_a_shadow_say_what_would_be_right() {
    for (bad, expected) in [
        (
            "only: { paths: [rank] }",
            "`shadow.only.paths[0]`: `rank` does not begin with a slash; write it as in /rank or /v2/*",
        ),
        (
            "only: { paths: [] }",
            "`shadow.only.paths`: empty; no request would fit. Leave it out to shadow whatever the path",
        ),
        (
            "only: { headers: { x-a: [b] } }",
            "`shadow.only.headers.x-a`: the value as a text, or true or false for whether it is there, is expected here, not a list",
        ),
        (
            "control: often",
            "`shadow.control`: true, false, or a map of settings is expected here, not the text \"often\"",
        ),
        (
            "control: { sample: 2 }",
            "`shadow.control.sample`: 2 is not a share of requests; write a number from 0 to 1",
        ),
        (
            "breaker: { failure_rate: 0 }",
            "`shadow.breaker.failure_rate`: 0 is not a failure rate; write a number above 0, up to 1",
        ),
        (
            "idempotency_key: keep",
            "`shadow.idempotency_key`: unknown value `keep`; there are own, forward, remove",
        ),
    ] {
        let error = instead("sample: 0.5", bad);
        let said = error.split_once(": ").unwrap().1;
        assert_eq!(said, expected);
    }
}

#[test]
fn a_bad_duration_says_how_one_is_written() {
    for bad in ["2", "soon", "2 weeks", "-1s", "1e3s"] {
        assert_eq!(
            instead("2s", bad),
            format!(
                "x.yaml:4:55: `shadow.timeout`: `{bad}` is not a duration; write a number and a unit, as in 150ms, 2s, 5m or 1h"
            )
        );
    }
}

#[test]
fn a_bad_size_says_how_one_is_written() {
    assert_eq!(
        instead("sample: 0.5", "body_buffer: 8 megs"),
        "x.yaml:4:46: `shadow.body_buffer`: `8 megs` is not a size; write bytes or a number and a unit, as in 512, 64KiB or 8MiB"
    );
}

#[test]
fn a_share_is_from_0_to_1() {
    assert_eq!(
        instead("0.5", "1.5"),
        "x.yaml:4:41: `shadow.sample`: 1.5 is not a share of requests; write a number from 0 to 1"
    );
    assert_eq!(
        and("    shadow: { sample: 3 }\n"),
        "x.yaml:10:23: `configs[1].shadow.sample`: 3 is not a share of requests; write a number from 0 to 1"
    );
}

#[test]
fn a_bad_method_says_how_one_is_written() {
    for bad in ["get", "'G T'", "''"] {
        assert_eq!(
            instead("GET", bad),
            format!(
                "x.yaml:4:21: `shadow.methods[0]`: `{}` is not a method; write it as in GET, POST",
                bad.trim_matches('\'')
            )
        );
    }
}

#[test]
fn a_config_that_is_not_there_is_shown_with_those_that_are() {
    assert_eq!(
        instead("primary: stable", "primary: stabel"),
        "x.yaml:3:10: `primary`: no config `stabel`; the pool has `stable`, `candidate`"
    );
    let single = GOOD.replace("strategy: shadow", "strategy: single");
    assert_eq!(
        said(&format!("{single}single: {{ config: x }}\n")),
        "x.yaml:10:19: `single.config`: no config `x`; the pool has `stable`, `candidate`"
    );
    assert_eq!(
        said(&format!("{single}fallback: x\n")),
        "x.yaml:10:11: `fallback`: no config `x`; the pool has `stable`, `candidate`"
    );
}

#[test]
fn a_config_needs_an_upstream() {
    assert_eq!(
        instead("    upstream: http://127.0.0.1:9002\n", ""),
        "x.yaml:8:5: `configs[1].upstream`: not set; write the address of this config's service, as in `upstream: http://127.0.0.1:9001`"
    );
    assert_eq!(
        instead("    upstream: http://127.0.0.1:9002\n", "    upstraem: http://127.0.0.1:9002\n"),
        "x.yaml:8:5: `configs[1].upstream`: not set; write the address of this config's service, as in `upstream: http://127.0.0.1:9001` (`upstraem` is close; is that what was meant?)"
    );
}

#[test]
fn an_upstream_that_is_no_address_says_why() {
    for (bad, why) in [
        ("127.0.0.1:9002", "`127.0.0.1:9002` does not begin with http:// or https://"),
        ("ftp://x", "`ftp://x` does not begin with http:// or https://"),
        ("http://", "`http://` is not an address"),
        ("http://a b/", "`http://a b/` is not an address"),
        ("http://x:99999", "`http://x:99999` has a port that is none"),
        ("http://x/?q=1", "`http://x/?q=1` has a query"),
        ("9002", "9002 is not an address"),
    ] {
        assert_eq!(
            instead("http://127.0.0.1:9002", bad),
            format!(
                "x.yaml:9:15: `configs[1].upstream`: {why}; write one as in http://127.0.0.1:9001"
            )
        );
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    assert_eq!(
        instead("http://127.0.0.1:9002", "http://ann:hunter2@x"),
        "x.yaml:9:15: `configs[1].upstream`: has a user name or password; set the header under `request.headers` instead"
    );
}

#[test]
fn two_different_configs_of_one_id_are_shown_with_their_difference() {
    assert_eq!(
        instead("config_id: candidate", "config_id: stable"),
        "x.yaml:8:16: `configs[1].config_id`: `stable` is the id of another config, too (x.yaml:6; they differ at `upstream`); give each its own"
    );
    assert_eq!(
        instead("config_id: candidate", "config_id: 5"),
        "x.yaml:8:16: `configs[1].config_id`: 5 is not a non-empty string"
    );
}

#[test]
fn there_must_be_configs() {
    let before = GOOD.split("configs:").next().unwrap();
    for (configs, expected) in [
        ("", "x.yaml:1:1: missing key `configs`"),
        ("configs: []\n", "x.yaml:5:1: `configs`: empty; an experiment needs at least one config"),
        (
            "configs: { a: 1 }\n",
            "x.yaml:5:1: `configs`: a list, as in [a, b], is expected here, not a map",
        ),
        (
            "configs:\n",
            "x.yaml:5:8: `configs`: a list, as in [a, b], is expected here, not nothing",
        ),
        (
            "configs: [a]\n",
            "x.yaml:5:11: `configs[0]`: a config is a map of settings; this is a string",
        ),
    ] {
        assert_eq!(said(&format!("{before}{configs}")), expected);
    }
}

#[test]
fn an_unknown_strategy_or_choice_is_shown_with_those_that_there_are() {
    assert_eq!(
        instead("strategy: shadow", "strategy: shadwo"),
        "x.yaml:2:11: `strategy`: no strategy `shadwo`; there are `single`, `round_robin`, `shadow`, `multi_branch`"
    );
    assert_eq!(
        and("multi_branch: { combine: xml }\n"),
        "x.yaml:10:26: `multi_branch.combine`: unknown value `xml`; there are json, ndjson, sse, first_success"
    );
    assert_eq!(
        instead("sample: 0.5", "on_cancel: stop"),
        "x.yaml:4:44: `shadow.on_cancel`: unknown value `stop`; there are finish, cancel"
    );
}

#[test]
fn weights_must_fit_the_configs() {
    for (weights, expected) in [
        (
            "{ stable: 1, candidat: 1 }",
            "`round_robin.weights`: a weight for `candidat`, which is not in the pool",
        ),
        (
            "{ stable: 1 }",
            "`round_robin.weights`: no weight for `candidate`; give every config of the pool one (0 is allowed)",
        ),
        (
            "{ stable: 1, candidate: -1 }",
            "`round_robin.weights`: the weight of `candidate` is -1; a weight is a finite number of at least 0",
        ),
        (
            "{ stable: 0, candidate: 0 }",
            "`round_robin.weights`: all weights are 0; nothing could be chosen",
        ),
    ] {
        assert_eq!(
            round_robin(&format!("{{ weights: {weights} }}")),
            format!("x.yaml:9:16: {expected}")
        );
    }
}

#[test]
fn a_unit_key_must_be_found_somewhere() {
    assert_eq!(
        round_robin("{ sticky: { key: { hedaer: x-user } } }"),
        "x.yaml:9:41: `round_robin.sticky.key.hedaer`: unknown value `hedaer`; did you mean `header`?"
    );
    assert_eq!(
        round_robin("{ sticky: { key: { header: 'x user' } } }"),
        "x.yaml:9:41: `round_robin.sticky.key.header`: `x user` is not a header name"
    );
    assert_eq!(
        round_robin("{ sticky: { salt: s } }"),
        "x.yaml:9:16: `round_robin.sticky`: missing key `key`"
    );
}

#[test]
fn what_a_variant_changes_must_be_sound() {
    for (request, expected) in [
        (
            "{ json: { model: x } }",
            "31: `configs[1].request.json.model`: `model` is not a JSON pointer; write a path that begins with a slash, as in /model",
        ),
        (
            "{ remove_json: [model] }",
            "30: `configs[1].request.remove_json[0]`: `model` is not a JSON pointer; write a path that begins with a slash, as in /model",
        ),
        (
            "{ headers: { 'x y': x } }",
            "34: `configs[1].request.headers.x y`: `x y` is not a header name",
        ),
        (
            "{ headers: { x-y: \"a\\nb\" } }",
            "32: `configs[1].request.headers.x-y`: not a header value; only visible characters and spaces are",
        ),
        (
            "{ headers: { content-length: '5' } }",
            "43: `configs[1].request.headers.content-length`: `content-length` cannot be set: the proxy says itself where a request ends",
        ),
        (
            "{ path: { add_prefix: v2 } }",
            "36: `configs[1].request.path.add_prefix`: `v2` does not begin with a slash; write `/v2`",
        ),
        (
            "{ path: { strip_prefix: '/v2?x' } }",
            "38: `configs[1].request.path.strip_prefix`: `/v2?x` is not a path; write one as in /v2, with %20 for a space",
        ),
    ] {
        assert_eq!(and(&format!("    request: {request}\n")), format!("x.yaml:10:{expected}"));
    }
}

#[test]
fn a_bad_override_is_named_as_it_was_given() {
    for (given, expected) in [
        (
            "shadow.sample=2",
            "override `shadow.sample=2`: `shadow.sample`: 2 is not a share of requests; write a number from 0 to 1",
        ),
        (
            "shadow.smple=0.1",
            "override `shadow.smple=0.1`: `shadow.smple`: unknown key `smple`; did you mean `sample`?",
        ),
        (
            "configs[1].upstream=9002",
            "override `configs[1].upstream=9002`: `configs[1].upstream`: 9002 is not an address; write one as in http://127.0.0.1:9001",
        ),
        (
            "shadow.sample",
            "override `shadow.sample`:1:1: not `key=value`; write one as in shadow.sample=0.1",
        ),
        (
            "configs[7].upstream=x",
            "override `configs[7].upstream=x`:1:1: the path leads through something that is not a map or a list item",
        ),
    ] {
        assert_eq!(said_with(GOOD, &[given]), expected);
    }
}

#[test]
fn what_is_no_experiment_file_says_what_would_be_one() {
    let map = "an experiment file is a map: `experiment: …`, `strategy: …`, `configs: …`";
    assert_eq!(said(""), format!("x.yaml:1:1: empty; {map}"));
    assert_eq!(said("- a\n"), format!("x.yaml:1:1: {map}"));
    assert_eq!(and("---\nx: 1\n"), "x.yaml:1:1: 2 documents; a config file is one");
    assert_eq!(
        and("primary: x\n"),
        "x.yaml:10:1: the key `primary` is written twice in one map; keep one of them"
    );
    let tab = instead("    upstream", "\tupstream");
    assert!(tab.starts_with("x.yaml:6:") && tab.contains("tab"), "{tab}");
    assert_eq!(
        instead("ranker", "''"),
        "x.yaml:1:13: `experiment`: empty; give the experiment a name"
    );
}

#[test]
fn the_rest_of_the_settings_are_checked_too() {
    for (setting, expected) in [
        (
            "listen: 8080",
            "x.yaml:10:9: `listen`: `8080` is not an address to listen on; write an IP address and a port, as in 127.0.0.1:8080",
        ),
        (
            "admin: localhost:8080",
            "x.yaml:10:8: `admin`: `localhost:8080` is not an address to listen on; write an IP address and a port, as in 127.0.0.1:8080",
        ),
        ("threads: 0", "x.yaml:10:10: `threads`: 0; at least one thread must serve"),
        (
            "threads: 010",
            "x.yaml:10:10: `threads`: `010` is not a plain number; write 10, or \"010\" for a text",
        ),
        ("variant_header: 'x y'", "x.yaml:10:17: `variant_header`: `x y` is not a header name"),
        (
            "fallback: stable",
            "x.yaml:10:11: `fallback`: only for the strategies `single` and `round_robin`, where one config answers",
        ),
        (
            "upstreams: { ca_file: no.pem }",
            "x.yaml:10:23: `upstreams.ca_file`: no.pem: I/O error: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(and(&format!("{setting}\n")), expected);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_the_users_mistake() {
    let directory = TempDir::new().unwrap();
    let output = run(&["serve", "missing.yaml"], directory.path());
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stderr(&output), "error: missing.yaml: No such file or directory (os error 2)\n");
    std::fs::write(directory.path().join("x.yaml"), b"experiment: gr\xfc\xdfe\n").unwrap();
    let output = run(&["serve", "x.yaml"], directory.path());
    assert_eq!(
        stderr(&output),
        "error: x.yaml:1:15: the byte 0xfc is not UTF-8; save the file as UTF-8\n"
    );
}

#[test]
fn a_port_in_use_is_no_mistake_in_the_file() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("x.yaml"), GOOD).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--listen", "--admin"] {
        let mut arguments = vec!["serve", "x.yaml", flag, &address];
        if flag == "--admin" {
            arguments.extend(["--listen", "127.0.0.1:0"]);
        }
        let output = run(&arguments, directory.path());
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(
            said.contains(&format!("error: cannot listen on {address}: Address already in use"))
                && said.contains("choose another address"),
            "{said}"
        );
    }
}

#[test]
fn bounds_that_would_refuse_everyone_are_refused() {
    for (limits, expected) in [
        ("max_connections: 0", "x.yaml:10:28: `limits.max_connections`: 0; nobody could be served"),
        ("max_headers: 0", "x.yaml:10:24: `limits.max_headers`: 0; nobody could be served"),
        ("max_streams: 0", "x.yaml:10:24: `limits.max_streams`: 0; nobody could be served"),
        (
            "max_head_size: 4KiB",
            "x.yaml:10:26: `limits.max_head_size`: 4096 bytes; write a size from 8KiB to 16MiB",
        ),
        (
            "max_head_size: 1GiB",
            "x.yaml:10:26: `limits.max_head_size`: 1073741824 bytes; write a size from 8KiB to 16MiB",
        ),
        ("head_timeout: 0s", "x.yaml:10:25: `limits.head_timeout`: 0; write a duration, as in 30s"),
        (
            "idle_timeuot: 3s",
            "x.yaml:10:25: `limits.idle_timeuot`: unknown key `idle_timeuot`; did you mean `idle_timeout`?",
        ),
    ] {
        assert_eq!(and(&format!("limits: {{ {limits} }}\n")), expected);
    }
    assert_eq!(and("tls: { certificate: cert.pem }\n"), "x.yaml:10:1: `tls`: missing key `key`");
}
