//! References in an experiment file, as `spearmint serve` reads it.

use tower_spearmint::{config::REDACTED, proxy::ExperimentFile};

const FILE: &str = r#"
experiment: ranker
strategy: single
single: { config: "${configs[0].config_id}" }
secrets: [house_word]
configs:
  - config_id: stable
    upstream: http://127.0.0.1:9001
    house_word: sesame
    prompt: ${file:prompt.txt}
    greeting: open ${.house_word}
"#;

fn file(text: &str) -> Result<ExperimentFile, String> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("prompt.txt"), "Be brief.\n").unwrap();
    let file = directory.path().join("x.yaml");
    std::fs::write(&file, text).unwrap();
    let read = ExperimentFile::with_overrides(&file, &["experiment='${strategy}-run'".to_owned()]);
    read.map_err(|error| error.to_string().replace(&format!("{}/", directory.path().display()), ""))
}

#[test]
fn settings_and_configs_are_read_with_their_references_resolved() {
    let file = file(FILE).unwrap();
    assert_eq!(file.experiment(), "single-run");
    let stable = &file.pool()[0];
    assert_eq!(stable.get::<String>("prompt").unwrap(), "Be brief.");
    assert_eq!(stable.get::<String>("greeting").unwrap(), "open sesame");
}

#[test]
fn the_secrets_that_the_file_names_stay_secret_in_what_is_made_of_them() {
    let file = file(FILE).unwrap();
    assert_eq!(file.pool()[0].redacted()["greeting"], REDACTED);
    assert_eq!(file.pool()[0].redacted()["prompt"], "Be brief.");
}

#[test]
fn a_missing_value_and_a_wrong_reference_refuse_the_file() {
    let text = FILE;
    let error = file(&text.replace("open ${.house_word}", "???")).unwrap_err();
    assert_eq!(
        error,
        "x.yaml:11:15: `configs[0].greeting`: missing (`???`); a value must be given"
    );
    let error = file(&text.replace("${.house_word}", "${.house_wort}")).unwrap_err();
    assert!(error.ends_with("did you mean `house_word`?"), "{error}");
}

#[test]
fn an_upstream_that_is_made_of_a_secret_is_not_shown() {
    let upstream = "upstream: http://127.0.0.1:9001";
    let open = file(FILE).unwrap();
    assert_eq!(open.upstreams().next().unwrap().1, "http://127.0.0.1:9001");
    for secret in ["http://127.0.0.1:9001/${.house_word}", "http://${.house_word}.test:9001/v1"] {
        let file = file(&FILE.replace(upstream, &format!("upstream: {secret}"))).unwrap();
        let shown: Vec<_> = file.upstreams().map(|(_, upstream)| upstream).collect();
        assert_eq!(shown, [REDACTED]);
        assert!(!format!("{file:?}").contains("sesame"), "{file:?}");
    }
    for wrong in
        ["http://ann:${.house_word}@127.0.0.1:9001", "${.house_word}", "ftp://${.house_word}"]
    {
        let error = file(&FILE.replace(upstream, &format!("upstream: {wrong}"))).unwrap_err();
        assert!(error.starts_with("x.yaml:8:15: `configs[0].upstream`: "), "{error}");
        assert!(!error.contains("sesame"), "{error}");
    }
}

#[test]
fn only_a_config_may_refer_to_what_is_expanded() {
    let text = FILE
        .replace("prompt: ${file:prompt.txt}", "n: { $choice: [1, 2] }")
        .replace("config: \"${configs[0].config_id}\"", "config: s1")
        .replace("config_id: stable", "$expand: { name: \"s{n}\" }");
    assert_eq!(file(&text).map(|file| file.pool().len()), Ok(2));
    let error =
        file(&text.replace("strategy: single", "strategy: \"${configs[0].n}\"")).unwrap_err();
    assert!(error.contains("refers to what stands for many values"), "{error}");
}

#[test]
fn what_the_environment_gave_is_not_quoted_when_it_is_wrong() {
    // `PATH` is set for every test, and no strategy has its value for a name.
    let text = FILE.replace("strategy: single", "strategy: single\nlisten: ${env:PATH}");
    let error = file(&text).unwrap_err();
    assert!(error.starts_with("x.yaml:4:9: `listen`: "), "{error}");
    assert!(!error.contains(&std::env::var("PATH").unwrap()), "{error}");
}

#[test]
fn values_of_ones_own_stand_under_vars() {
    let text = FILE
        .replace("strategy: single", "strategy: single\nvars: { house: [low, high] }")
        .replace("open ${.house_word}", "${vars.house[1]}");
    let file = file(&text).unwrap();
    assert_eq!(file.pool()[0].get::<String>("greeting").unwrap(), "high");
}

#[test]
fn no_id_and_no_experiment_is_named_after_a_secret() {
    let error = file(&FILE.replace("config_id: stable", "config_id: ${.house_word}")).unwrap_err();
    assert_eq!(
        error,
        "x.yaml:7:16: `configs[0].config_id`: made of a secret; an id is shown everywhere"
    );
    let named = "experiment='${configs[0].house_word}'";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.yaml");
    std::fs::write(&path, FILE.replace("${file:prompt.txt}", "p")).unwrap();
    let error = ExperimentFile::with_overrides(&path, &[named.to_owned()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "override `experiment=[redacted]`: `experiment`: made of a secret; the name of an \
         experiment is shown everywhere"
    );
}
