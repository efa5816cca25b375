//! What is made of a secret is a secret.

use crate::interpolation::{document, resolvers};
use serde_json::json;
use tower_spearmint::{
    ConfigPool,
    config::{REDACTED, SecretKeys},
};

fn pool(text: &str) -> ConfigPool {
    let mut document = document(text);
    document.resolve(&resolvers()).unwrap();
    let value = document.value().clone();
    let secrets = SecretKeys::default().and_drawn(document.drawn(), "");
    ConfigPool::new([tower_spearmint::Config::with_secrets(value, &secrets).unwrap()]).unwrap()
}

#[test]
fn what_is_made_of_a_secret_is_a_secret() {
    let pool = pool(
        "
password: hunter2
db: { password: \"${password}\", host: h }
link: x=${password}
again: ${link}!
all: ${db}
list: [1, \"${db.password}\"]
values: ${oc.dict.values:db}
named: ${env:DB_PASSWORD}
decoded: ${oc.decode:${link}}
open: ${db.host}
",
    );
    assert_eq!(
        pool[0].redacted(),
        &json!({
            "password": REDACTED,
            "db": { "password": REDACTED, "host": "h" },
            "link": REDACTED,
            "again": REDACTED,
            "all": { "password": REDACTED, "host": "h" },
            "list": [1, REDACTED],
            "values": REDACTED,
            "named": REDACTED,
            "decoded": REDACTED,
            "open": "h",
        })
    );
    assert!(!format!("{:?}", pool[0]).contains("hunter2"));
    assert_eq!(pool[0].get::<String>("link").unwrap(), "x=hunter2");
}

#[test]
fn a_secret_in_a_text_counts_only_by_its_path_in_the_id() {
    let with = |password: &str| {
        let text = format!("password: {password}\nlink: \"x=${{password}}\"\nn: 1\n");
        ConfigPool::from_yaml_str(&text).unwrap()[0].clone()
    };
    assert_eq!(with("one").id(), with("two").id());
    assert_eq!(with("one").get::<String>("link").unwrap(), "x=one");
    assert_eq!(with("one").redacted()["link"], REDACTED);
}

#[test]
fn a_mounted_secret_in_a_pool_is_redacted() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("api_key.txt"), "hunter2\n").unwrap();
    let file = directory.path().join("pool.yaml");
    std::fs::write(&file, "key: ${file:api_key.txt}\nn: 1\n").unwrap();
    let pool = ConfigPool::from_yaml_file(&file).unwrap();
    assert_eq!(pool[0].get::<String>("key").unwrap(), "hunter2");
    assert_eq!(pool[0].redacted(), &json!({ "key": REDACTED, "n": 1 }));
}

#[test]
fn no_error_quotes_what_came_from_outside_or_from_a_secret() {
    let mut document = document("port: ${env:REGION}\nlink: x=${env:DB_PASSWORD}\n");
    document.resolve(&resolvers()).unwrap();
    for error in [
        document.bind::<u16>("port").unwrap_err(),
        document.bind::<u16>("link").unwrap_err(),
        document.error("link", "`x=hunter2` is not a URL"),
        document.error("port", "`eu` is not a port"),
    ] {
        let error = error.to_string();
        assert!(!error.contains("hunter2") && !error.contains("eu"), "{error}");
        assert!(error.starts_with("exp.yaml:"), "{error}");
    }
    let pool = ConfigPool::from_yaml_str("path: ${env:PATH}\n").unwrap();
    let error = pool[0].get::<u16>("path").unwrap_err().to_string();
    assert!(!error.contains('/'), "{error}");
}

#[test]
fn where_values_were_drawn_from_is_known() {
    let mut document = document(
        "now: ${time.unix:}\nname: run-${now}\nregion: ${env:REGION}\nhost: ${sys.hostname:}\nn: 1\n\
         copy: { a: \"${name}\" }\nplain: ${n}\n",
    );
    document.resolve(&resolvers()).unwrap();
    let drawn: Vec<_> =
        document.drawn().iter().map(|(path, sources)| format!("{path}: {sources}")).collect();
    assert_eq!(drawn, ["copy.a: time", "host: sys", "name: time", "now: time", "region: env"]);
}

#[test]
fn a_secret_among_choices_is_one_where_it_comes_to_stand() {
    let mut document = document(
        "password: hunter2\nlink: { $choice: [a, \"x=${password}\"] }\nt: { $choice: [{ l: \"${password}\" }] }\n",
    );
    document.resolve(&resolvers()).unwrap();
    let secret: Vec<_> = document
        .drawn()
        .iter()
        .filter(|(_, sources)| sources.is_secret())
        .map(|(path, _)| path)
        .collect();
    assert!(secret.contains(&"link") && secret.contains(&"t.l"), "{secret:?}");
}

#[test]
fn no_id_is_made_of_a_secret() {
    for text in [
        "{ password: hunter2, config_id: \"a-${password}\" }",
        "{ config_id: \"a-${env:DB_PASSWORD,hunter2}\" }",
        "{ password: hunter2, config_id: \"a-${password}\", n: { $choice: [1] } }",
        "{ password: hunter2, $zip: { config_id: [\"${password}\", b], n: [1, 2] } }",
    ] {
        let error = ConfigPool::from_yaml_str(text).unwrap_err().to_string();
        assert!(error.contains("`config_id`: made of a secret"), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = ConfigPool::from_yaml_str("{ password: hunter2, config_id: [\"${password}\"] }");
    assert_eq!(
        error.unwrap_err().to_string(),
        "<text>:1:22: `config_id`: a list is not a non-empty string"
    );
}
