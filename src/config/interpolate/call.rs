//! Calls of resolvers: their arguments, those that look into the document, and their mistakes.

use super::{
    address::Address,
    drawn::DrawnFrom,
    engine::{Engine, Stop},
    follow::{Dead, Found},
    grammar::parse_value,
    missing::is_missing,
    resolvers::{count, text},
    template::{Argument, Call},
    tree::Made,
};
use crate::config::{nearest::nearest, path};
use serde_json::{Map, Value};

impl Engine<'_> {
    pub(super) fn call(&mut self, call: &Call, at: &Address) -> Result<Made, Stop> {
        let name = call.name.as_str();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        let mut sources = DrawnFrom::NONE;
        for argument in &call.arguments {
            let made = self.argument(argument, at)?;
            sources.add(made.sources());
            arguments.push(made.value);
        }
        let made = match name {
            _ if self.resolvers.is_custom(name) => None,
            "decode" | "oc.decode" => {
                Some(decode(&arguments).map(|v| Made::new(v, DrawnFrom::NONE)))
            }
            "oc.create" => Some(create(&arguments).map(|v| Made::new(v, DrawnFrom::NONE))),
            "oc.select" => Some(self.select(&arguments, at)?),
            "oc.dict.keys" => Some(self.entries(&arguments, at, false)?),
            "oc.dict.values" => Some(self.entries(&arguments, at, true)?),
            _ => None,
        };
        let made = match made {
            Some(made) => made,
            None => {
                let resolvers = self.resolvers;
                let Some(answer) = resolvers.call(name, &arguments, || self.now()) else {
                    return Err(self.unknown(name));
                };
                answer.map(|(value, drawn)| Made::new(value, drawn))
            }
        };
        match made {
            Ok(made) if is_missing(&made.value) => {
                Err(self.lacks(format!("`${{{name}:…}}` gives `???`, which is a missing value")))
            }
            Ok(mut made) => {
                self.charge_whole(&made.value)?;
                made.mark(sources);
                Ok(made)
            }
            Err(message) => {
                // These may quote what they were given.
                let quotes = self.resolvers.is_custom(name) || name.ends_with("decode");
                let is_open = sources.may_be_quoted() && !(quotes && self.is_below_secret(at));
                Err(if is_open {
                    self.wrong(format!("`${{{name}:…}}`: {message}"))
                } else {
                    self.wrong(format!(
                        "`${{{name}:…}}` failed; why is not shown, since it has to do with a value \
                         from the environment, a file or a secret"
                    ))
                })
            }
        }
    }

    fn argument(&mut self, argument: &Argument, at: &Address) -> Result<Made, Stop> {
        match argument {
            Argument::Plain(value) => Ok(Made::new(value.clone(), DrawnFrom::NONE)),
            Argument::Text(template) => self.text(template, at),
            Argument::Insert(insert) => self.insert(insert, at),
            Argument::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                let mut sources = DrawnFrom::NONE;
                for item in items {
                    let made = self.argument(item, at)?;
                    sources.add(made.sources());
                    list.push(made.value);
                }
                Ok(Made::new(Value::Array(list), sources))
            }
            Argument::Map(entries) => {
                let mut map = Map::new();
                let mut sources = DrawnFrom::NONE;
                for (key, item) in entries {
                    let made = self.argument(item, at)?;
                    sources.add(made.sources());
                    map.insert(key.clone(), made.value);
                }
                Ok(Made::new(Value::Object(map), sources))
            }
        }
    }

    fn unknown(&mut self, name: &str) -> Stop {
        let resolvers = self.resolvers;
        let mut message = format!("there is no resolver `{name}`");
        match nearest(name, resolvers.names()) {
            Some(near) => message.push_str(&format!("; did you mean `{near}`?")),
            None => {
                let all: Vec<_> =
                    resolvers.names().filter(|name| !name.starts_with("oc.")).collect();
                message.push_str(&format!("; there are {}", all.join(", ")));
            }
        }
        self.wrong(message)
    }

    /// `oc.select`: the value at a path, or else the default, or else null.
    fn select(&mut self, arguments: &[Value], at: &Address) -> Result<Result<Made, String>, Stop> {
        let (key, default) = match arguments {
            [key] => (key, Value::Null),
            [key, default] => (key, default.clone()),
            _ => return Ok(Err(count("a path, or a path and a default,", arguments.len()))),
        };
        let key = match text(key) {
            Ok(key) => key,
            Err(message) => return Ok(Err(message)),
        };
        let route = self.route_of_text(&key, at)?;
        match self.seek(route)? {
            Ok((Found::Part(_, value), _)) if is_missing(value) => {}
            Ok((found, sources)) => {
                let mut made = self.take(found, &key)?;
                made.mark(sources);
                return Ok(Ok(made));
            }
            Err(Dead::Space) => return Err(Stop::Left),
            Err(Dead::Missing(_) | Dead::End { .. }) => {}
        }
        Ok(Ok(Made::new(default, DrawnFrom::NONE)))
    }

    /// `oc.dict.keys` and `oc.dict.values` of the map at a path.
    fn entries(
        &mut self,
        arguments: &[Value],
        at: &Address,
        values: bool,
    ) -> Result<Result<Made, String>, Stop> {
        let key = match arguments {
            [key] => match text(key) {
                Ok(key) => key,
                Err(message) => return Ok(Err(message)),
            },
            _ => return Ok(Err(count("the path of a map", arguments.len()))),
        };
        let route = self.route_of_text(&key, at)?;
        let (found, sources) = self.locate(route, &format!("${{{key}}}"))?;
        let made = self.take(found, &format!("${{{key}}}"))?;
        let drawn = made.sources();
        let Value::Object(map) = made.value else {
            return Ok(Err(format!("`{key}` is {}, not a map", path::kind(&made.value))));
        };
        let list = if values {
            map.into_iter().map(|(_, value)| value).collect()
        } else {
            map.into_iter().map(|(key, _)| Value::String(key)).collect()
        };
        let mut made = Made::new(Value::Array(list), sources);
        if values {
            // Which item holds what is not worth telling.
            made.mark(drawn);
        }
        Ok(Ok(made))
    }
}

/// The value that a text stands for, as an argument would be read.
fn decode(arguments: &[Value]) -> Result<Value, String> {
    match arguments {
        [Value::Null] => Ok(Value::Null),
        [Value::String(text)] => parse_value(text),
        [other] => Err(format!("{} is given where a text is expected", path::kind(other))),
        _ => Err(count("one text", arguments.len())),
    }
}

/// A list or a map as it stands among the arguments.
fn create(arguments: &[Value]) -> Result<Value, String> {
    match arguments {
        [value @ (Value::Array(_) | Value::Object(_))] => Ok(value.clone()),
        [Value::String(_)] => {
            Err("a list or a map is expected; `oc.decode` reads one from a text".to_owned())
        }
        _ => Err(count("one list or map", arguments.len())),
    }
}
