//! Values that must be given elsewhere: `???`.

use tower_spearmint::{
    ConfigPool,
    config::{ConfigError, interpolate::Resolvers, yaml::parse},
};

fn error(text: &str) -> ConfigError {
    ConfigPool::from_yaml_str(text).expect_err(text)
}

#[test]
fn all_missing_values_are_told_at_once_as_the_documentation_shows_it() {
    let error = error("llm:\n  model: ???\n  stops: [a, \"???\"]\nname: ${llm.model}\n");
    let expected = "<text>:2:10: `llm.model`: missing (`???`); a value must be given\n\
                    <text>:3:14: `llm.stops[1]`: missing (`???`); a value must be given\n\
                    <text>:4:7: `name`: `${llm.model}` refers to `llm.model`, which is missing (`???`)";
    assert_eq!(error.to_string(), expected);
    let documentation = include_str!("../../docs/configuration.md");
    for line in expected.lines() {
        assert!(documentation.contains(&line.replace("<text>", "exp.yaml")), "{line}");
    }
    let ConfigError::MissingValues { errors } = error else { panic!("{error:?}") };
    assert_eq!(errors.len(), 3);
}

#[test]
fn a_reference_to_a_missing_value_is_such_an_error_too() {
    let error = error("a: ???\nb: ${a}\nc: ${b}\nd: x${a.k}\n");
    assert!(matches!(error, ConfigError::MissingValues { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "<text>:1:4: `a`: missing (`???`); a value must be given\n\
         <text>:2:4: `b`: `${a}` refers to `a`, which is missing (`???`)\n\
         <text>:4:4: `d`: `${a.k}` refers to `a`, which is missing (`???`)"
    );
}

#[test]
fn a_value_that_was_given_is_not_missing() {
    let mut document = parse("a: ???\nb: ${a}\n", "exp.yaml").unwrap().swap_remove(0);
    assert_eq!(document.missing(), ["a"]);
    document.set("a=5").unwrap();
    document.resolve(&Resolvers::standard()).unwrap();
    document.require_complete().unwrap();
    assert_eq!(document.get("b"), document.get("a"));
}

#[test]
fn only_three_question_marks_alone_are_a_missing_value() {
    let pool = ConfigPool::from_yaml_str("a: what???\nb: \"??\"\nc: \"????\"\n").unwrap();
    assert_eq!(pool[0].get::<String>("c").unwrap(), "????");
}

#[test]
fn what_a_resolver_gives_may_be_missing() {
    let resolvers = Resolvers::standard().with_env(|_| Some("???".to_owned()));
    let mut document =
        parse("a: ${b}\nb: 1\nc: 1\nd: 1\nhost: ${env:X}\n", "exp.yaml").unwrap().swap_remove(0);
    let error = document.resolve(&resolvers).unwrap_err().to_string();
    assert_eq!(error, "exp.yaml:5:7: `host`: `${env:…}` gives `???`, which is a missing value");
    assert!(include_str!("../../docs/configuration.md").contains(&error));
}

#[test]
fn other_mistakes_come_before_missing_values() {
    let error = error("a: ???\nb: ${nope}\nc: ${a}\n").to_string();
    assert!(error.starts_with("<text>:2:4: `b`: `${nope}` refers to nothing"), "{error}");
}
