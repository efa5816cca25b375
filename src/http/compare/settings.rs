//! The rules as a file holds them.

use super::CompareRules;
use crate::{
    compare::{PathPattern, Tolerance},
    config::units,
};
use http::HeaderName;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;
use std::collections::BTreeMap;

/// How two answers are compared.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "CompareRules"))]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Settings {
    /// The headers that are compared [default: content-type].
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<crate::config::schema::written::HeaderName>>")
    )]
    headers: Option<Vec<Name>>,
    /// The trailers that are compared.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<crate::config::schema::written::HeaderName>>")
    )]
    trailers: Option<Vec<Name>>,
    /// Paths that are not compared.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::PathPattern>")
    )]
    ignore: Vec<PathPattern>,
    /// How far numbers may be apart and still count as equal.
    tolerance: Tolerance,
    /// The same by path.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<crate::config::schema::written::PathPattern, Tolerance>")
    )]
    tolerances: BTreeMap<PathPattern, Tolerance>,
    /// Lists whose order does not count: paths, or `true` for all.
    unordered: Unordered,
    /// Paths whose values are not recorded.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::PathPattern>")
    )]
    redact: Vec<PathPattern>,
    /// Headers whose values are not recorded.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::HeaderName>")
    )]
    redact_headers: Vec<Name>,
    /// How much a compressed body may come to.
    #[serde(deserialize_with = "units::size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    max_decoded: Option<usize>,
}

impl<'de> Deserialize<'de> for CompareRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Settings::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CompareRules {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Settings::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Settings::json_schema(generator)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Unordered {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unordered".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let paths = generator.subschema_for::<Vec<crate::config::schema::written::PathPattern>>();
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, paths] })
    }
}

impl From<Settings> for CompareRules {
    fn from(settings: Settings) -> Self {
        let names = |names: Vec<Name>| names.into_iter().map(|Name(name)| name).collect();
        let mut rules = Self::default().tolerance(settings.tolerance);
        let json = std::mem::take(&mut rules.json);
        let json = settings.ignore.iter().fold(json, |json, path| json.ignore_at(path));
        let json = settings.redact.iter().fold(json, |json, path| json.redact_at(path));
        let json = settings
            .tolerances
            .iter()
            .fold(json, |json, (path, tolerance)| json.tolerance_at(path, *tolerance));
        rules.json = match &settings.unordered {
            Unordered::Everywhere => json.unordered_everywhere(),
            Unordered::At(paths) => paths.iter().fold(json, |json, path| json.unordered_at(path)),
        };
        rules.headers = settings.headers.map_or(rules.headers, names);
        rules.trailers = settings.trailers.map_or(rules.trailers, names);
        rules.redact_headers = names(settings.redact_headers);
        rules.max_decoded = settings.max_decoded.unwrap_or(rules.max_decoded);
        rules
    }
}

struct Name(HeaderName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| {
            de::Error::custom(format!("`{text}` is not the name of a header, as in content-type"))
        })
    }
}

enum Unordered {
    Everywhere,
    At(Vec<PathPattern>),
}

impl Default for Unordered {
    fn default() -> Self {
        Self::At(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Unordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Self::Everywhere),
            Value::Bool(false) => Ok(Self::default()),
            Value::Array(paths) => {
                let path = |path| serde_json::from_value(path).map_err(de::Error::custom);
                paths.into_iter().map(path).collect::<Result<_, _>>().map(Self::At)
            }
            other => Err(de::Error::custom(format!(
                "`{other}` is not a list of paths, as in [/tags], nor `true` for all arrays"
            ))),
        }
    }
}

#[cfg(all(test, feature = "yaml"))]
mod tests {
    use super::*;
    use crate::config::yaml;

    fn read(text: &str) -> Result<CompareRules, String> {
        #[derive(Deserialize)]
        struct File {
            compare: CompareRules,
        }
        let documents = yaml::parse(text, "x.yaml").map_err(|error| error.to_string())?;
        let file = documents[0].bind::<File>("").map_err(|error| error.to_string())?;
        Ok(file.compare)
    }

    #[test]
    fn yaml_reads_as_the_methods_say_and_a_mistake_has_its_place() {
        let rules = read(
            "compare: { ignore: [/id, /items/*/at], tolerance: 1e-6, unordered: [/tags], \
             tolerances: { /score: { relative: 0.1 } }, max_decoded: 64KiB }",
        );
        let expected = CompareRules::default()
            .ignore(["/id", "/items/*/at"])
            .unwrap()
            .tolerance(Tolerance::absolute(1e-6))
            .unordered(["/tags"])
            .unwrap()
            .tolerances([("/score", Tolerance::relative(0.1))])
            .unwrap()
            .max_decoded(65_536);
        assert_eq!(rules, Ok(expected));
        assert_eq!(
            read("compare:\n  ignore: [/a, id]\n").unwrap_err(),
            "x.yaml:2:16: `compare.ignore[1]`: `id` is not a path; write a JSON pointer, as in /id or \
             /items/*/id"
        );
    }
}
