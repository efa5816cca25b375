//! The JSON Schema of an experiment file, from the types that read it.

use super::{file::ExperimentFile, settings::Settings};
use crate::{
    config::{ConfigError, schema::Schema},
    shadow::ShadowSettings,
    strategy::BUILT_IN,
};
use schemars::{generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

impl ExperimentFile {
    /// The JSON Schema (2020-12) of an experiment file, for editors that complete and check it. It is
    /// made from the types that read the file; what only a reader can tell (ids that are not there,
    /// weights that do not fit) it does not say.
    ///
    /// ```
    /// use tower_spearmint::proxy::ExperimentFile;
    ///
    /// let schema = ExperimentFile::json_schema();
    /// assert_eq!(schema["required"], serde_json::json!(["experiment", "strategy", "configs"]));
    /// ```
    pub fn json_schema() -> Value {
        let mut generator = SchemaSettings::draft2020_12()
            .with_transform(RecursiveTransform(readable_default))
            .into_generator();
        let shadow = generator.subschema_for::<ShadowSettings>().to_value();
        let mut schema = generator.into_root_schema_for::<Settings>().to_value();
        if let Some(root) = schema.as_object_mut() {
            let names: Vec<_> =
                properties(root).map(|keys| keys.keys().cloned().collect()).unwrap_or_default();
            root.insert("title".to_owned(), json!("A Spearmint experiment"));
            // The settings of a strategy of one's own stand under its name.
            root.remove("additionalProperties");
            root.insert("additionalProperties".to_owned(), json!(true));
            let is = |schema: Value| json!({ "properties": { "strategy": schema }, "required": ["strategy"] });
            let built_in: Vec<_> = BUILT_IN.into_iter().collect();
            root.insert(
                "allOf".to_owned(),
                json!([
                    {
                        "if": is(json!({ "enum": built_in })),
                        "then": { "propertyNames": { "enum": names } },
                    },
                    {
                        "if": is(json!({ "const": "shadow" })),
                        "then": {
                            "properties": {
                                "configs": { "items": { "properties": { "shadow": shadow } } },
                            },
                            "required": ["primary"],
                        },
                    },
                ]),
            );
        }
        schema
    }

    /// The same, as a file is checked by it once the settings of a strategy of one's own are
    /// taken out. Made once.
    pub(super) fn strict_schema() -> Result<&'static Schema, ConfigError> {
        static STRICT: LazyLock<Result<Schema, ConfigError>> =
            LazyLock::new(|| Schema::from_value(strict(ExperimentFile::json_schema())));
        STRICT.as_ref().map_err(|error| ConfigError::Mismatch {
            path: "experiment.schema.json".to_owned(),
            message: error.to_string(),
        })
    }
}

fn strict(mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut() {
        root.insert("additionalProperties".to_owned(), json!(false));
        if let Some(rules) = root.get_mut("allOf").and_then(Value::as_array_mut) {
            rules.remove(0);
            // The reader says more of a primary that is not there.
            if let Some(then) = rules.first_mut().and_then(|rule| rule.get_mut("then")) {
                then.as_object_mut().map(|then| then.remove("required"));
            }
        }
    }
    schema
}

fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// Defaults as they would be written: durations as texts; none where there is none.
fn readable_default(schema: &mut schemars::Schema) {
    let Some(default) = schema.get("default") else { return };
    if default.is_null() {
        schema.remove("default");
        return;
    }
    let part = |key| default.get(key).and_then(Value::as_u64);
    if let Some((seconds, nanoseconds)) = part("secs").zip(part("nanos")) {
        let text = if nanoseconds == 0 {
            format!("{seconds}s")
        } else {
            format!("{}ms", seconds * 1000 + nanoseconds / 1_000_000)
        };
        schema.insert("default".to_owned(), Value::String(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The defaults that the schema names, written into a file, change nothing.
    #[test]
    fn the_defaults_of_the_schema_are_those_of_the_reader() {
        fn defaults(root: &Value, schema: &Value) -> Option<Value> {
            if let Some(default) = schema.get("default") {
                return Some(default.clone());
            }
            let target = schema.get("$ref").and_then(Value::as_str);
            let schema = target.and_then(|target| root.pointer(&target[1..])).unwrap_or(schema);
            let keys = schema.get("properties")?.as_object()?;
            let set: Map<_, _> = keys
                .iter()
                .filter_map(|(key, schema)| Some((key.clone(), defaults(root, schema)?)))
                .collect();
            (!set.is_empty()).then_some(Value::Object(set))
        }
        let schema = ExperimentFile::json_schema();
        let mut written = defaults(&schema, &schema).unwrap();
        for key in ["limits", "upstreams", "failures", "trace"] {
            assert!(written.get(key).is_some(), "{key}: {written}");
        }
        let required = json!({ "experiment": "x", "strategy": "single", "configs": [] });
        written.as_object_mut().unwrap().extend(required.as_object().unwrap().clone());
        let with: Settings = serde_path_to_error::deserialize(written).unwrap();
        let without: Settings = serde_json::from_value(required).unwrap();
        assert_eq!(format!("{with:?}"), format!("{without:?}"));
    }
}
