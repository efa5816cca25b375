//! What in a file is the user's own: part of each config, and the settings of a strategy.

#[cfg(feature = "schema")]
use super::read::ENOUGH;
use crate::{
    config::{Config, ConfigError, Document, SecretKeys},
    proxy::settings::Settings,
    strategy::BUILT_IN,
};
use serde_json::{Map, Value};
use std::path::Path;

/// The part of each config that is the user's own, by the schema that the file names.
pub(super) fn check_configs(
    document: &mut Document,
    settings: &Settings,
    directory: &Path,
) -> Result<(), ConfigError> {
    let Some(file) = &settings.schema else { return Ok(()) };
    #[cfg(feature = "schema")]
    {
        use crate::config::schema::{Options, Schema};

        let schema = Schema::from_file(directory.join(file))
            .map_err(|error| document.error("schema", error))?;
        let options = Options::default().beside(["config_id", "upstream", "request", "shadow"]);
        let mut wrong = Vec::new();
        for at in 0..settings.configs.len() {
            if wrong.len() > ENOUGH {
                break;
            }
            wrong.extend(document.validate_at(&format!("configs[{at}]"), &schema, &options).err());
        }
        ConfigError::many(wrong)
    }
    #[cfg(not(feature = "schema"))]
    {
        let _ = (file, directory);
        Err(document.error("schema", "this program was built without the feature `schema`"))
    }
}

/// The settings of a strategy of the user's own stand under its name, like those of the others.
pub(in super::super) fn take_custom(document: &mut Document) -> Result<Config, ConfigError> {
    let name = document.value().get("strategy").and_then(Value::as_str).map(str::to_owned);
    let settings = name
        .as_ref()
        .filter(|name| !BUILT_IN.contains(&name.as_str()))
        .and_then(|name| document.value_mut().as_object_mut()?.remove(name))
        .unwrap_or_else(|| Value::Object(Map::new()));
    let secrets = SecretKeys::default().and_drawn(document.drawn(), &name.unwrap_or_default());
    Config::with_secrets(settings, &secrets)
}
