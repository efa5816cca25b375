//! References and what stands for many configs.

use crate::interpolation::{document, resolved, resolvers};
use serde_json::json;
use tower_spearmint::config::interpolate::{resolve, resolve_in};

#[test]
fn a_reference_to_what_will_be_expanded_is_left_and_resolved_for_each() {
    let mut document = document(
        r#"
team: search
base: 0.5
configs:
  - temperature: { $choice: [1, "${base}"] }
    name: ${team}-${.temperature}
    again: ${configs[0].name}
    all: "${.temperature}"
    literal: \${team}
    deep: { t: "${..temperature}" }
"#,
    );
    document.resolve(&resolvers()).unwrap();
    assert_eq!(
        document.drawn().left(),
        ["configs[0].again", "configs[0].all", "configs[0].deep.t", "configs[0].name"]
    );
    assert_eq!(document.get("configs[0].temperature"), Some(&json!({ "$choice": [1, 0.5] })));
    for temperature in [json!(1), json!(0.5)] {
        let mut one = document.get("configs[0]").unwrap().clone();
        one["temperature"] = temperature.clone();
        document.resolve_expanded(&mut one, "configs[0]", &resolvers()).unwrap();
        let name = format!("search-{temperature}");
        assert_eq!(
            one,
            json!({
                "temperature": temperature,
                "name": name,
                "again": name,
                "all": temperature,
                "literal": "${team}",
                "deep": { "t": temperature },
            })
        );
    }
}

#[test]
fn a_reference_that_is_itself_a_choice_works_where_it_comes_to_stand() {
    let mut document = json!({
        "base": 3,
        "k": { "$choice": [1, 2] },
        "pick": { "$choice": [{ "x": "${..y}", "y": "${k}", "z": "${....k}" }, 7] },
    });
    let resolvers = resolvers();
    let drawn = resolve(&mut document, &resolvers).unwrap_err().to_string();
    // `..y` counts from where the text stands: in the map in the list.
    assert!(drawn.contains("`pick.$choice[0].x`"), "{drawn}");
    let mut document = json!({
        "k": { "$choice": [1, 2] },
        "pick": { "$choice": [{ "x": "${.y}", "y": "${k}", "z": "${....k}" }, 7] },
    });
    resolve(&mut document, &resolvers).unwrap();
    let mut one = json!({ "k": 2, "pick": document["pick"]["$choice"][0] });
    resolve_in(&mut one, "", &document, &resolvers).unwrap();
    assert_eq!(one, json!({ "k": 2, "pick": { "x": 2, "y": 2, "z": 2 } }));
}

#[test]
fn keys_of_json_schema_are_no_choices() {
    let value =
        resolved("$schema: x\ntool: { $ref: \"#/a\", b: 1 }\ncopy: ${tool}\nn: ${tool.b}\n");
    assert_eq!(value["copy"], json!({ "$ref": "#/a", "b": 1 }));
    assert_eq!(value["n"], 1);
}
