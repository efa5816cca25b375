//! Whole documents, parts that were expanded, and single values.

use super::{
    address::{Address, expanded},
    drawn::Drawn,
    engine::{Engine, Mistake, Stop},
    grammar::{is_template, parse},
    resolvers::Resolvers,
    template::{Insert, Key, Template},
    tree::{Made, Tree},
};
use crate::config::{ConfigError, path::step};
use serde_json::Value;
use std::rc::Rc;

/// Resolves every reference in `value`, all or nothing.
///
/// A text that refers to what stands for many values (a map with a key that begins with `$`) is
/// left, see [`Drawn::left`]; while there is one, every text is still a template (a literal `${`
/// stands as `\${`), and [`resolve_in`] makes values of them.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::config::interpolate::{Resolvers, resolve};
///
/// let mut value = json!({ "model": "small", "name": "${model}-v2", "n": 3, "copies": ["${n}"] });
/// resolve(&mut value, &Resolvers::standard())?;
/// assert_eq!(value["name"], "small-v2");
/// assert_eq!(value["copies"], json!([3]));
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
///
/// # Errors
///
/// When a text is not well-formed, or refers to nothing, to itself or to a value that is missing
/// (`???`), or when a resolver fails or what is made is beyond the bounds. All mistakes are
/// reported, each once.
pub fn resolve(value: &mut Value, resolvers: &Resolvers) -> Result<Drawn, ConfigError> {
    if !has_references(value) {
        return Ok(Drawn::default());
    }
    resolve_all(value, resolvers, Some(Address::default())).map_err(|all| placed(all, &unplaced))
}

/// Resolves what [`resolve`] left in a value that was expanded from the part of `outer` at `at`.
///
/// References that lead below `at` are looked up in `value` itself, others in `outer`, which is
/// the document after [`resolve`]. The paths of the result begin at `value`.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::config::interpolate::{Resolvers, resolve, resolve_in};
///
/// let mut document = json!({
///     "team": "search",
///     "configs": [{ "k": { "$choice": [1, 2] }, "name": "${team}-${configs[0].k}" }],
/// });
/// let resolvers = Resolvers::standard();
/// let drawn = resolve(&mut document, &resolvers)?;
/// assert_eq!(drawn.left(), ["configs[0].name"]);
///
/// let mut one = document["configs"][0].clone();
/// one["k"] = json!(2);
/// resolve_in(&mut one, "configs[0]", &document, &resolvers)?;
/// assert_eq!(one, json!({ "k": 2, "name": "search-2" }));
/// # Ok::<(), tower_spearmint::config::ConfigError>(())
/// ```
///
/// # Errors
///
/// As [`resolve`], and when a reference leads to what still stands for many values. The path in
/// the error is that in the document.
pub fn resolve_in(
    value: &mut Value,
    at: &str,
    outer: &Value,
    resolvers: &Resolvers,
) -> Result<Drawn, ConfigError> {
    resolve_part(value, at, outer, resolvers).map_err(|all| placed(all, &unplaced))
}

/// Whether any text in `value` has a `${`; one scan, without making anything.
pub fn has_references(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text),
        Value::Array(items) => items.iter().any(has_references),
        Value::Object(map) => map.values().any(has_references),
        _ => false,
    }
}

/// Whether a text is one reference and nothing else; and the path it refers to, if that stands there
/// from the top and by plain names.
pub(crate) fn refers_to(text: &str) -> Option<Option<String>> {
    if !is_template(text) {
        return None;
    }
    let template = parse(text).ok()?;
    let Insert::Reference(reference) = template.sole()? else { return Some(None) };
    let names = reference.keys.iter().map(|key| match key {
        Key::Name(name) => Some(name),
        Key::Insert { .. } => None,
    });
    let path = names.filter(|_| reference.up == 0);
    Some(
        path.collect::<Option<Vec<_>>>()
            .filter(|names| !names.is_empty())
            .map(|names| names.into_iter().fold(String::new(), |path, name| step(&path, name))),
    )
}

/// `open`: below which texts may be left, if anywhere.
pub(super) fn resolve_all(
    value: &mut Value,
    resolvers: &Resolvers,
    open: Option<Address>,
) -> Result<Drawn, Vec<Mistake>> {
    let mut engine = Engine::new(Tree { root: &*value, part: None }, resolvers, open.clone());
    engine.visit(value, &mut Address::default());
    if !engine.mistakes.is_empty() {
        return Err(engine.mistakes);
    }
    Ok(put(engine.done, value, &Address::default(), open.as_ref()))
}

pub(super) fn resolve_part(
    value: &mut Value,
    at: &str,
    outer: &Value,
    resolvers: &Resolvers,
) -> Result<Drawn, Vec<Mistake>> {
    if !has_references(value) {
        return Ok(Drawn::default());
    }
    let mut at = Address::of_path(outer, at);
    let tree = Tree { root: outer, part: Some((at.clone(), &*value)) };
    let mut engine = Engine::new(tree, resolvers, None);
    engine.visit(value, &mut at);
    if !engine.mistakes.is_empty() {
        return Err(engine.mistakes);
    }
    Ok(put(engine.done, value, &at, None))
}

/// Puts what was made in the place of the texts at and below `base`.
fn put(
    done: impl IntoIterator<Item = (Address, Result<Rc<Made>, Stop>)>,
    value: &mut Value,
    base: &Address,
    open: Option<&Address>,
) -> Drawn {
    let mut drawn = Drawn::default();
    let done: Vec<_> = done.into_iter().filter(|(at, _)| at.0.starts_with(&base.0)).collect();
    let is_left = done.iter().any(|(_, made)| made.is_err());
    for (at, made) in done {
        let place = Address(at.0[base.0.len()..].to_vec());
        let Some(target) = place.find_mut(value) else { continue };
        match made {
            Err(_) => {
                if let Value::String(text) = target
                    && let Ok(template) = parse(text)
                {
                    *text = lifted(template, &at).to_string();
                }
                drawn.left.push(place.to_string());
            }
            Ok(made) => {
                for trace in &made.traces {
                    let steps = [place.0.as_slice(), &trace.below].concat();
                    drawn.add(expanded(&steps).to_string(), trace.sources);
                    drawn.add(Address(steps).to_string(), trace.sources);
                }
                *target = Rc::try_unwrap(made).map_or_else(|made| made.value.clone(), |m| m.value);
                if is_left && open.is_some_and(|open| at.0.starts_with(&open.0)) {
                    escape(target);
                }
            }
        }
    }
    drawn.left.sort();
    drawn
}

/// While something is left, every text is a template.
fn escape(value: &mut Value) {
    match value {
        Value::String(text) if is_template(text) => *text = Template::of_text(text).to_string(),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(map) => map.values_mut().for_each(escape),
        _ => {}
    }
}

/// With the references that lead out of what is to be expanded made absolute: the text will stand
/// elsewhere.
fn lifted(mut template: Template, at: &Address) -> Template {
    template.each_reference(&mut |reference| {
        let Some(kept) = at.0.len().checked_sub(reference.up).filter(|_| reference.up > 0) else {
            return;
        };
        let base = Address(at.0[..kept].to_vec());
        if !base.is_in_space() {
            let names = base.0.iter().map(|step| Key::Name(step.name()));
            reference.keys = names.chain(std::mem::take(&mut reference.keys)).collect();
            reference.up = 0;
        }
    });
    template
}

/// One error of all mistakes. If all that is wrong is that values are missing, it says so.
pub(super) fn placed(
    mistakes: Vec<Mistake>,
    error: &dyn Fn(&str, &str) -> ConfigError,
) -> ConfigError {
    let all_missing = mistakes.iter().all(|mistake| mistake.missing);
    let errors: Vec<_> = mistakes
        .iter()
        .filter(|mistake| all_missing || !mistake.missing)
        .map(|mistake| error(&mistake.path, &mistake.message))
        .collect();
    if all_missing { ConfigError::MissingValues { errors } } else { ConfigError::several(errors) }
}

fn unplaced(path: &str, message: &str) -> ConfigError {
    ConfigError::Mismatch { path: path.to_owned(), message: message.to_owned() }
}
