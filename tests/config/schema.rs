//! Documents, configs and pools against a schema.

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tower_spearmint::{
    Config, ConfigPool,
    config::{
        Document, Secret,
        schema::{Options, Schema, UnknownKeys},
        yaml::parse,
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
enum Mode {
    Fast,
    Thorough,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Llm {
    model: String,
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: f64,
    depth: Option<u32>,
    mode: Option<Mode>,
    seal: Option<Secret<String>>,
    retry: Option<Retry>,
    #[serde(default)]
    stops: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code)]
enum Retry {
    Off(bool),
    With { times: u8, pause: String },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(dead_code)]
enum Shape {
    Circle { radius: f64 },
    Square { side: u32 },
}

fn document(text: &str) -> Document {
    parse(text, "x.yaml").unwrap().remove(0)
}

fn checked(schema: &Schema, text: &str) -> Result<Value, Vec<String>> {
    checked_with(schema, text, &Options::default())
}

fn checked_with(schema: &Schema, text: &str, options: &Options) -> Result<Value, Vec<String>> {
    let mut document = document(text);
    match document.validate(schema, options) {
        Ok(()) => Ok(document.value().clone()),
        Err(error) => Err(error.to_string().lines().map(str::to_owned).collect()),
    }
}

fn llm() -> Schema {
    Schema::of::<Llm>().unwrap()
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file() {
    let text = "\
modle: small
temperature: 2.5
depth: -1
mode: fsat
stops: [a, 5]
labels: { a: 1 }
retry: { times: 300 }
";
    assert_eq!(
        checked(&llm(), text).unwrap_err(),
        [
            "x.yaml:1:1: missing key `model`",
            "x.yaml:1:8: `modle`: unknown key `modle`; did you mean `model`?",
            "x.yaml:2:14: `temperature`: the number 2.5 is too large; the most is 2.0",
            "x.yaml:3:8: `depth`: the number -1 is too small; the least is 0",
            "x.yaml:4:7: `mode`: unknown value `fsat`; did you mean `fast`?",
            "x.yaml:5:12: `stops[1]`: a text is expected here, not the number 5",
            "x.yaml:6:14: `labels.a`: a text is expected here, not the number 1",
            "x.yaml:7:1: `retry`: missing key `pause`",
            "x.yaml:7:17: `retry.times`: the number 300 is too large; the most is 255",
        ]
    );
}

#[test]
fn of_alternatives_none_of_which_fits_the_one_that_was_meant_is_spoken_of() {
    let good = "model: a\ntemperature: 1\n";
    let said = |more: &str| checked(&llm(), &format!("{good}{more}\n")).unwrap_err();
    assert_eq!(
        said("retry: sometimes"),
        [
            "x.yaml:3:8: `retry`: true or false or a map, as in { key: value }, is expected here, not the text \"sometimes\""
        ]
    );
    assert_eq!(
        said("retry: { times: 3, puase: 1s }"),
        [
            "x.yaml:3:1: `retry`: missing key `pause`",
            "x.yaml:3:27: `retry.puase`: unknown key `puase`; did you mean `pause`?",
        ]
    );

    let shape = Schema::of::<Shape>().unwrap();
    assert_eq!(
        checked(&shape, "{ kind: square, side: 1.5 }").unwrap_err(),
        ["x.yaml:1:23: `side`: a whole number from 0 is expected here, not the number 1.5"]
    );
    assert_eq!(
        checked(&shape, "{ kind: squrae, side: 1 }").unwrap_err(),
        ["x.yaml:1:9: `kind`: unknown value `squrae`; did you mean `square`?"]
    );
    assert_eq!(
        checked(&shape, "{ kind: square, side: 1, radius: 2 }").unwrap_err(),
        ["x.yaml:1:34: `radius`: unknown key `radius`; there are kind, side"]
    );
}

#[test]
fn keys_are_known_through_references_and_combinations() {
    let schema = Schema::from_value(json!({
        "$defs": {
            "base": { "type": "object", "properties": { "a": { "type": "integer" } } },
            "tree": {
                "type": "object",
                "properties": { "children": { "type": "array", "items": { "$ref": "#/$defs/tree" } } },
            },
        },
        "allOf": [{ "$ref": "#/$defs/base" }],
        "properties": {
            "b": { "type": "integer" },
            "tree": { "$ref": "#/$defs/tree" },
            "open": { "type": "object", "properties": { "x": {} }, "additionalProperties": true },
        },
        "patternProperties": { "^x-": {} },
    }))
    .unwrap();
    assert!(checked(&schema, "{ a: 1, b: 2, x-own: 3, open: { any: 1 } }").is_ok());
    assert_eq!(
        checked(&schema, "{ a: 1, y-own: 3, tree: { children: [{ childern: [] }] } }").unwrap_err(),
        [
            "x.yaml:1:16: `y-own`: unknown key `y-own`; there are a, b, open, tree",
            "x.yaml:1:40: `tree.children[0].childern`: unknown key `childern`; did you mean `children`?",
        ]
    );
    let allow = Options::default().unknown_keys(UnknownKeys::Allow);
    assert!(checked_with(&schema, "{ a: 1, y-own: 3 }", &allow).is_ok());
}

#[test]
fn a_scalar_is_converted_only_if_that_is_asked_for() {
    let text = "{ model: 5, temperature: '0.5', depth: '100', stops: [true, 7], retry: yes }";
    let convert = Options::default().convert(true);
    assert_eq!(
        checked_with(&llm(), text, &convert).unwrap(),
        json!({ "model": "5", "temperature": 0.5, "depth": 100, "stops": ["true", "7"], "retry": true })
    );
    assert_eq!(checked(&llm(), text).unwrap_err().len(), 6);
    // 1.10 was read as 1.1.
    assert_eq!(
        checked_with(&llm(), "{ model: 1.10, temperature: 1 }", &convert).unwrap_err(),
        ["x.yaml:1:10: `model`: a text is expected here, not the number 1.1"]
    );
}

#[test]
fn what_was_set_on_the_command_line_is_named_as_such() {
    let mut document = document("{ model: a, temperature: 1 }");
    document.set("temperature=hot").unwrap();
    assert_eq!(
        document.validate(&llm(), &Options::default()).unwrap_err().to_string(),
        "override `temperature=hot`: `temperature`: a number is expected here, not the text \"hot\""
    );
}

#[test]
fn a_secret_by_schema_is_shown_nowhere() {
    for seal in [
        json!({ "type": "string", "writeOnly": true }),
        json!({ "type": "string", "format": "password" }),
        json!({ "type": "string", "x-secret": true }),
        json!({ "$ref": "#/$defs/seal" }),
    ] {
        let schema = Schema::from_value(json!({
            "$defs": { "seal": { "type": "string", "writeOnly": true } },
            "properties": {
                "seal": seal,
                "port": { "type": "integer", "maximum": 9, "x-secret": true },
                "all": { "items": { "properties": { "seal": seal } } },
            },
        }))
        .unwrap();
        let value = |seal: &str| json!({ "seal": seal, "port": 5, "all": [{ "seal": seal }] });
        let options = Options::default();
        let config = Config::new(value("wax-1")).unwrap().validate(&schema, &options).unwrap();
        assert_eq!(
            config.redacted(),
            &json!({ "seal": "[redacted]", "port": "[redacted]", "all": [{ "seal": "[redacted]" }] })
        );
        assert_eq!(config.get::<String>("seal").unwrap(), "wax-1");
        // A new secret is no new config.
        let other = Config::new(value("wax-2")).unwrap().validate(&schema, &options).unwrap();
        assert_eq!(config.id(), other.id());
        let error = config.get::<f64>("seal").unwrap_err().to_string();
        assert!(!error.contains("wax"), "{error}");

        assert_eq!(
            checked(&schema, "{ seal: 12345, port: 77 }").unwrap_err(),
            [
                "x.yaml:1:9: `seal`: a text is expected here, not a number that is not shown",
                "x.yaml:1:22: `port`: a number that is not shown is too large; the most is 9",
            ]
        );
        let mut document = document("{ seal: wax-3 }");
        document.set("port=99").unwrap();
        assert_eq!(
            document.validate(&schema, &options).unwrap_err().to_string(),
            "override `port=[redacted]`: `port`: a number that is not shown is too large; the most is 9"
        );
        document.set("port=5").unwrap();
        document.validate(&schema, &options).unwrap();
        let error = document.bind::<f64>("seal").unwrap_err().to_string();
        assert_eq!(
            error,
            "x.yaml:1:9: `seal`: a number is expected here, not a text that is not shown"
        );
    }
}

#[test]
fn a_secret_type_is_a_secret_to_the_schema() {
    let config = Config::new(json!({ "model": "a", "temperature": 1, "seal": "wax" })).unwrap();
    let config = config.validate(&llm(), &Options::default()).unwrap();
    assert_eq!(config.redacted()["seal"], "[redacted]");
    let llm: Llm = config.bind("").unwrap();
    assert_eq!(llm.seal.as_ref().unwrap().expose(), "wax");
    assert!(!format!("{llm:?}").contains("wax"));
    assert_eq!(serde_json::to_string(&llm.seal).unwrap(), "\"[redacted]\"");
}

#[test]
fn every_config_of_a_pool_is_checked() {
    let pool = ConfigPool::from_values([
        json!({ "config_id": "a", "model": "small", "temperature": 1 }),
        json!({ "config_id": "b", "model": "small", "temperature": "hot" }),
        json!({ "config_id": "c", "temperature": 3 }),
    ])
    .unwrap();
    assert_eq!(
        pool.validate(&llm(), &Options::default()).unwrap_err().to_string(),
        "configs[1] (`b`): `temperature`: a number is expected here, not the text \"hot\"\n\
         configs[2] (`c`): `.`: missing key `model`\n\
         configs[2] (`c`): `temperature`: the number 3 is too large; the most is 2.0"
    );
    let pool = ConfigPool::new([pool[0].clone()]).unwrap();
    assert_eq!(pool.validate(&llm(), &Options::default()).unwrap()[0], pool[0]);
}

#[test]
fn a_schema_that_is_none_is_said_to_be_none() {
    let error = Schema::from_value(json!({ "properties": { "a": { "type": "nubmer" } } }));
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("the schema: `/properties/a/type`: not a JSON Schema: "), "{error}");

    let elsewhere = json!({ "$ref": "https://example.org/other.json" });
    assert!(Schema::from_value(elsewhere).is_err());

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("x.schema.json");
    std::fs::write(&file, "{\n  \"type\": }").unwrap();
    let error = Schema::from_file(&file).unwrap_err().to_string();
    assert!(error.ends_with("x.schema.json:2:11: not JSON: expected value"), "{error}");
    std::fs::write(&file, "{ \"type\": \"integer\" }").unwrap();
    assert_eq!(
        checked(&Schema::from_file(&file).unwrap(), "a").unwrap_err(),
        ["x.yaml:1:1: a whole number is expected here, not the text \"a\""]
    );
}

#[test]
fn a_flood_of_mistakes_is_cut_short() {
    let items = "x, ".repeat(10_000);
    let schema = Schema::from_value(json!({ "items": { "type": "integer" } })).unwrap();
    let said = checked(&schema, &format!("[{items}]")).unwrap_err();
    assert_eq!(said.len(), 101);
    assert_eq!(said[0], "x.yaml:1:1: more than 100 mistakes; these are some of them");
}

#[test]
fn a_hostile_schema_ends() {
    let mut defs = serde_json::Map::new();
    for at in 0..40 {
        let next = format!("#/$defs/d{}", (at + 1) % 40);
        defs.insert(
            format!("d{at}"),
            json!({ "properties": { "a": { "$ref": next } }, "anyOf": [{}, {}] }),
        );
    }
    let schema = Schema::from_value(json!({ "$defs": defs, "$ref": "#/$defs/d0" })).unwrap();
    let deep = format!("{}1{}", "{ a: ".repeat(60), " }".repeat(60));
    assert!(checked(&schema, &deep).is_ok());
    // A pattern that backtracking engines take exponential time for.
    let schema = Schema::from_value(json!({ "pattern": "^(a+)+$" })).unwrap();
    assert!(checked(&schema, &format!("{}!", "a".repeat(5_000))).is_err());
}

proptest! {
    /// What the schema takes, the type takes, after conversion as before.
    #[test]
    fn what_the_schema_takes_binds(
        model in "[ -~]{0,12}",
        temperature in prop_oneof![Just("1".to_owned()), "[0-9.e-]{1,4}", Just("'0.5'".to_owned())],
        depth in prop_oneof![Just("7".to_owned()), "'?[0-9]{1,12}'?", Just("5.0".to_owned())],
        convert in any::<bool>(),
    ) {
        let text = format!(
            "{{ model: {}, temperature: {temperature}, depth: {depth} }}",
            serde_json::to_string(&model).unwrap()
        );
        let Ok(documents) = parse(&text, "x.yaml") else { return Ok(()) };
        let mut document = documents[0].clone();
        if document.validate(&llm(), &Options::default().convert(convert)).is_ok()
            && document.value()["depth"].is_u64()
        {
            let llm = document.bind::<Llm>("");
            prop_assert!(llm.is_ok(), "{text}: {llm:?}");
        }
    }
}
