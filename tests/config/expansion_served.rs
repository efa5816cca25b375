//! Templates in experiment files.

use tower_spearmint::{ConfigPool, proxy::ExperimentFile};

const FILE: &str = "
experiment: ranker
strategy: single
single: { config: small-0.5 }
configs:
  - config_id: stable
    upstream: http://127.0.0.1:9001
  - upstream: http://127.0.0.1:9002
    request:
      headers: { x-model: { $choice: [small, large] } }
      json: { /temperature: { $linspace: [0, 1, 3] } }
    $expand:
      exclude: \"`request.headers.x-model` == 'large' and `request.json./temperature` > 0\"
      name: \"{request.headers.x-model}-{request.json./temperature}\"
";

#[test]
fn an_experiment_has_a_config_for_each_that_its_templates_stand_for() {
    let file = ExperimentFile::from_yaml_str(FILE).unwrap();
    let ids: Vec<_> = file.pool().iter().map(|config| config.id().to_string()).collect();
    assert_eq!(ids, ["stable", "small-0", "small-0.5", "small-1", "large-0"]);
    assert_eq!(file.upstreams().count(), 5);
}

#[test]
fn the_upstream_may_be_a_choice() {
    let file = ExperimentFile::from_yaml_str(
        "
experiment: ranker
strategy: single
configs: [{ upstream: { $choice: [http://127.0.0.1:9002, http://127.0.0.1:9003] } }]",
    )
    .unwrap();
    let upstreams: Vec<_> = file.upstreams().map(|(_, upstream)| upstream).collect();
    assert_eq!(upstreams, ["http://127.0.0.1:9002", "http://127.0.0.1:9003"]);
}

fn error(configs: &str) -> String {
    let text = format!("experiment: e\nstrategy: single\nconfigs:\n{configs}");
    ExperimentFile::from_yaml_str(&text).unwrap_err().to_string()
}

#[test]
fn mistakes_are_shown_where_the_template_stands() {
    let first = "  - { config_id: a, upstream: http://127.0.0.1:1 }\n";
    let errors = [
        error(&format!("{first}  - {{ upstream: {{ $choice: [http://h:1, nowhere] }} }}")),
        error(&format!("{first}  - {{ n: {{ $choise: [1] }} }}")),
        error(&format!("{first}  - {{ n: {{ $range: [0, 100000] }} }}")),
        error(&format!(
            "  - {{ upstream: http://h:1, n: {{ $choice: [1, 2] }} }}\n{first}  - {{ a: 1 }}"
        )),
        error(&format!(
            "{first}  - {{ upstream: http://h:1, n: {{ $choice: [1, 2] }}, $expand: {{ name: n }} }}"
        )),
    ];
    assert_eq!(errors, SHOWN);
}

const SHOWN: [&str; 5] = [
    "<text>:5:7: `configs[1].upstream`: `nowhere` does not begin with http:// or https://; write \
     one as in http://127.0.0.1:9001",
    "<text>:5:12: `configs[1].n.$choise`: unknown word `$choise`; did you mean `$choice`? (a key \
     that really begins with $ is written `$$choise`)",
    "<text>:5:5: `configs[1]`: 100000 configs beside the 1 before it; a pool with expanded ones \
     takes up to 100000: narrow it with `$expand: { exclude: … }`, or take a sample of it in code \
     (`Space::sample`)",
    "<text>:6:5: `configs[2].upstream`: not set; write the address of this config's service, as in \
     `upstream: http://127.0.0.1:9001`",
    "<text>:5:5: `configs[1].config_id`: `n` is the id of another config, too (<text>:5; they \
     differ at `n`); give each its own",
];

#[test]
fn a_reference_to_what_varies_follows_each_config() {
    let pool = ConfigPool::from_yaml_str(
        "
- model: { $choice: [small, large] }
  password: hush
  label: \"m-${.model}\"
  dsn: \"db://${.model}:${.password}\"
- { config_id: fixed, label: \"\\\\${x}\", token: t0ken, dsn: \"x:${.token}\" }
",
    )
    .unwrap();
    let labels: Vec<String> = pool.iter().map(|config| config.get("label").unwrap()).collect();
    assert_eq!(labels, ["m-small", "m-large", "${x}"]);
    assert_eq!(pool[1].get::<String>("dsn").unwrap(), "db://large:hush");
    for config in pool.iter() {
        let shown = serde_json::to_string(config).unwrap();
        assert!(!shown.contains("hush") && !shown.contains("t0ken"), "{shown}");
    }
    // A secret leaves only its path in the id.
    let other =
        "{ model: small, password: other, label: m-small, dsn: \"db://small:${.password}\" }";
    assert_eq!(ConfigPool::from_yaml_str(other).unwrap()[0].id(), pool[0].id());
}

#[test]
fn a_name_shows_nothing_that_is_made_of_a_secret() {
    for template in [
        "{ k: { $choice: [1, 2] }, password: p, a: \"${.password}\", $expand: { name: \"{a}-{k}\" } }",
        "{ k: { $choice: [1, 2] }, password: p, a: \"${.password}-${.k}\", $expand: { name: \"{a}\" } }",
    ] {
        let error = ConfigPool::from_yaml_str(template).unwrap_err().to_string();
        assert!(error.contains("a name is shown everywhere"), "{error}");
    }
}
