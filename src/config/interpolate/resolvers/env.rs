//! `env`: an environment variable.

use super::{DrawnFrom, Surroundings, count, text};
use crate::config::SecretKeys;
use serde_json::Value;

pub(super) fn env(
    arguments: &[Value],
    around: &Surroundings,
    secrets: &SecretKeys,
) -> Result<(Value, DrawnFrom), String> {
    let (name, default) = match arguments {
        [name] => (text(name)?, None),
        [name, default] => (text(name)?, Some(default)),
        _ => return Err(count("a name, or a name and a default,", arguments.len())),
    };
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err("the name of an environment variable is not empty and has no `=`".to_owned());
    }
    let found = match &around.env {
        Some(env) => env(&name),
        None => match std::env::var(&name) {
            Ok(value) => Some(value),
            Err(std::env::VarError::NotPresent) => None,
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(format!("the environment variable `{name}` is not UTF-8"));
            }
        },
    };
    let mut sources = DrawnFrom::ENV;
    if secrets.matches(&name) {
        sources.add(DrawnFrom::SECRET);
    }
    let value = match (found, default) {
        (Some(value), _) => Value::String(value),
        (None, Some(Value::Null)) => Value::Null,
        (None, Some(default)) => Value::String(text(default)?),
        (None, None) => {
            return Err(format!(
                "the environment variable `{name}` is not set; set it, or give a default, as in \
                 ${{env:{name},default}}"
            ));
        }
    };
    Ok((value, sources))
}
