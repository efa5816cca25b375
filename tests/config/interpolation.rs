//! References between values, and to what is around a config.

use serde_json::{Value, json};
use tower_spearmint::config::interpolate::{Resolvers, resolve};

/// What differs from omegaconf on purpose: the text, what it stands for here (`None`: an error),
/// and why.
const DIFFERENT: &[(&str, Option<&str>, &str)] = &[];

#[test]
fn references_mean_what_they_mean_to_omegaconf() {
    let table: Value =
        serde_json::from_str(include_str!("omegaconf_interpolation.json")).unwrap();
    let env = table["env"].clone();
    let resolvers = Resolvers::standard()
        .with_env(move |name| env.get(name)?.as_str().map(str::to_owned))
        .with("list", |arguments| Ok(arguments.to_vec().into()));
    let cases = table["cases"].as_array().unwrap();
    assert!(cases.len() >= 60);
    let mut wrong = Vec::new();
    for case in cases {
        let text = case["text"].as_str();
        let mut document = match text {
            Some(text) => {
                let mut document = table["base"].clone();
                document["v"] = text.into();
                document
            }
            None => case["document"].clone(),
        };
        let pointer: String = case["path"]
            .as_str()
            .unwrap_or("v")
            .split('.')
            .flat_map(|step| ["/", step])
            .collect();
        let resolved = resolve(&mut document, &resolvers);
        let ours = match &resolved {
            Ok(_) => match document.pointer(&pointer) {
                Some(Value::String(text)) if text == "???" => None,
                found => found,
            },
            Err(_) => None,
        };
        let different = DIFFERENT.iter().find(|(other, ..)| Some(*other) == text);
        let expected = match different {
            Some((_, ours, _)) => ours.map(|ours| serde_json::from_str(ours).unwrap()),
            None => case.get("value").cloned(),
        };
        if different.is_some() && expected.as_ref() == case.get("value") {
            wrong.push(format!("{case} is no difference"));
        }
        if ours != expected.as_ref() {
            wrong.push(format!("{case} is {ours:?} ({:?})", resolved.err().map(|e| e.to_string())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let _ = json!(null);
}
