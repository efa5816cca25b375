//! `defaults:` lists: a file that is composed of others, as in Hydra.
//!
//! | entry | what it merges |
//! |---|---|
//! | `- base` | `base.yaml`, beside this file |
//! | `- model: gpt` | `model/gpt.yaml`, under the key `model` |
//! | `- db/engine: lite` | `db/engine/lite.yaml`, under `db.engine` |
//! | `- model@judge: gpt` | `model/gpt.yaml`, under `judge` (`@_global_`: under no key) |
//! | `- model: [a, b]` | both, one after the other |
//! | `- model: null` | nothing, until a command line chooses |
//! | `- /model: gpt` | from the directory of the first file, wherever this one stands |
//! | `- optional model: gpt` | the same, or nothing if there is no such file |
//! | `- override model: gpt` | nothing here; what an included file's `model` is to be |
//! | `- _self_` | what this file says itself; the last, if it is not named |
//!
//! What is merged later wins.

use super::{
    Document, Override, Trace,
    choice::{Choices, Chosen},
    entry::{Entry, Group, take_list},
    find::{is_name, listed, with_ending},
};
use crate::config::{ConfigError, nearest};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Honest files do not include each other this deep, nor so many.
const MAX_NESTED: usize = 32;
const MAX_FILES: usize = 1_000;

/// Reads a file with all that its `defaults:` list names.
pub(super) struct Composer<'a> {
    /// The directory of the first file.
    root: &'a Path,
    choices: Choices,
    /// What `override` entries chose, by group.
    overridden: HashMap<String, Vec<String>>,
    /// The files that are being read, each inside the one before.
    open: Vec<PathBuf>,
    files: usize,
}

/// Where a file stands among the groups and in the tree of the config.
#[derive(Clone, Default)]
struct Seat {
    /// The group of the file, as `db/engine`; empty for the first.
    group: String,
    /// Under which keys it is merged.
    package: Vec<String>,
}

impl<'a> Composer<'a> {
    pub(super) fn new(root: &'a Path, overrides: Vec<Override>) -> Self {
        let choices = Choices::new(overrides);
        Self { root, choices, overridden: HashMap::new(), open: Vec::new(), files: 0 }
    }

    /// The overrides that chose no file.
    pub(super) fn not_chosen(self) -> Result<Vec<Override>, ConfigError> {
        self.choices.rest()
    }

    /// The document `own` of a file, with all that its list names.
    pub(super) fn compose(
        &mut self,
        file: &Path,
        mut own: Document,
    ) -> Result<Document, ConfigError> {
        let entries = take_list(&mut own)?;
        let Some(entries) = entries else { return Ok(own) };
        let mut whole = self.list(file, own, &entries, &Seat::default())?;
        let root = self.root;
        let is_group = |group: &str| {
            let directory = group.split('@').next().unwrap_or_default();
            is_name(directory) && root.join(directory).is_dir()
        };
        for (group, chosen) in self.choices.added(is_group) {
            let group = Group::parse(&group);
            let by = chosen.by;
            for option in chosen.options {
                let seat = Seat::default().inside(&group);
                let directory = self.root.join(&group.name);
                let found = with_ending(&directory, &option)?.filter(|_| is_name(&option));
                let Some(found) = found else {
                    let message = format!(
                        "no `{option}` in the group `{}`; {}",
                        group.name,
                        listed(&directory)
                    );
                    return Err(self.choices.error(by, message));
                };
                let part = self
                    .include(&found, &seat)?
                    .map_err(|message| self.choices.error(by, message))?;
                whole.merge(part)?;
            }
        }
        Ok(whole)
    }

    /// A file of a list, under its package; `Err` inside is what the one who names it is to be told.
    fn include(
        &mut self,
        file: &Path,
        seat: &Seat,
    ) -> Result<Result<Document, String>, ConfigError> {
        let real = file
            .canonicalize()
            .map_err(|source| ConfigError::Read { path: file.to_owned(), source })?;
        if self.open.contains(&real) {
            return Ok(Err(format!(
                "{} is being read already: the files include each other in a circle",
                file.display()
            )));
        }
        if self.open.len() >= MAX_NESTED {
            return Ok(Err(format!("files include files more than {MAX_NESTED} deep")));
        }
        self.files += 1;
        if self.files > MAX_FILES {
            return Ok(Err(format!("more than {MAX_FILES} files")));
        }
        let mut own = Document::read_file(file)?;
        if !own.value.is_object() {
            return Err(own.error("", "a file that a `defaults:` list names is a map"));
        }
        let whole = match take_list(&mut own)? {
            None => own.nested(&seat.package),
            Some(entries) => self.list(file, own, &entries, seat)?,
        };
        Ok(Ok(whole))
    }

    /// What a file with a list comes to.
    fn list(
        &mut self,
        file: &Path,
        own: Document,
        entries: &[Entry],
        seat: &Seat,
    ) -> Result<Document, ConfigError> {
        self.open.push(
            file.canonicalize()
                .map_err(|source| ConfigError::Read { path: file.to_owned(), source })?,
        );
        let directory = file.parent().unwrap_or(Path::new(""));
        for entry in entries {
            if let Entry::Override { group, options } = entry {
                let key = seat.key(group);
                // The one who includes has the last word.
                self.overridden.entry(key).or_insert_with(|| options.clone());
            }
        }
        let mut whole = Document {
            place: own.place.clone(),
            value: Value::Object(Map::new()),
            trace: own.trace.origin.clone().map_or_else(Trace::default, Trace::whole),
            files: own.files.clone(),
            drawn: own.drawn.clone(),
            expanded: None,
        };
        // Errors about the list still need its places.
        let places = own.clone();
        let mut own = Some(own);
        for (at, entry) in entries.iter().enumerate() {
            let place = format!("defaults[{at}]");
            let wrong = |message: String| places.error(&place, message);
            match entry {
                Entry::Override { .. } => {}
                Entry::Itself => {
                    let own = own
                        .take()
                        .ok_or_else(|| wrong("`_self_` stands in the list twice".to_owned()))?;
                    whole.merge(own.nested(&seat.package))?;
                }
                Entry::Sibling { name, optional } => {
                    let found = with_ending(directory, name)?;
                    match found {
                        None if *optional => {}
                        None => {
                            return Err(wrong(format!(
                                "no file `{name}` beside this one; {}",
                                listed(directory)
                            )));
                        }
                        Some(found) => whole.merge(self.include(&found, seat)?.map_err(wrong)?)?,
                    }
                }
                Entry::Group { group, options, optional } => {
                    let key = seat.key(group);
                    let chosen = self.choices.of(&key);
                    let options = match &chosen {
                        Some(chosen) => &chosen.options,
                        None => self.overridden.get(&key).unwrap_or(options),
                    }
                    .clone();
                    let within = if group.absolute { self.root } else { directory };
                    let part =
                        self.group(within, group, &options, *optional && chosen.is_none(), seat)?;
                    let part = part.map_err(|message| match &chosen {
                        Some(Chosen { by, .. }) => self.choices.error(*by, message),
                        None => wrong(message),
                    })?;
                    for part in part {
                        whole.merge(part)?;
                    }
                }
            }
        }
        if let Some(own) = own {
            whole.merge(own.nested(&seat.package))?;
        }
        self.open.pop();
        Ok(whole)
    }

    fn group(
        &mut self,
        within: &Path,
        group: &Group,
        options: &[String],
        optional: bool,
        seat: &Seat,
    ) -> Result<Result<Vec<Document>, String>, ConfigError> {
        let directory = within.join(&group.name);
        if !options.is_empty() && !directory.is_dir() && !optional {
            let message = format!(
                "no group `{}`: {} is no directory{}",
                group.name,
                directory.display(),
                near(within, &group.name)
            );
            return Ok(Err(message));
        }
        let seat = seat.inside(group);
        let mut parts = Vec::new();
        for option in options {
            let found = if is_name(option) { with_ending(&directory, option)? } else { None };
            match found {
                None if optional => {}
                None => {
                    let there = listed(&directory);
                    return Ok(Err(format!(
                        "no `{option}` in the group `{}`; {there}",
                        group.name
                    )));
                }
                Some(found) => match self.include(&found, &seat)? {
                    Ok(part) => parts.push(part),
                    Err(message) => return Ok(Err(message)),
                },
            }
        }
        Ok(Ok(parts))
    }
}

impl Seat {
    /// By what a group is called on a command line: from the directory of the first file on.
    fn key(&self, group: &Group) -> String {
        let inside = !group.absolute && !self.group.is_empty();
        let name =
            if inside { format!("{}/{}", self.group, group.name) } else { group.name.clone() };
        match &group.package {
            Some(package) => format!("{name}@{package}"),
            None => name,
        }
    }

    /// The seat of the files of a group that a file here names.
    fn inside(&self, group: &Group) -> Self {
        let parts = |text: &str, by: char| text.split(by).map(str::to_owned).collect::<Vec<_>>();
        let package = match group.package.as_deref() {
            Some("_global_") => Vec::new(),
            Some(package) => [self.package.clone(), parts(package, '.')].concat(),
            None if group.absolute => parts(&group.name, '/'),
            None => [self.package.clone(), parts(&group.name, '/')].concat(),
        };
        let group = if group.absolute || self.group.is_empty() {
            group.name.clone()
        } else {
            format!("{}/{}", self.group, group.name)
        };
        Self { group, package }
    }
}

/// The group that was probably meant.
fn near(directory: &Path, name: &str) -> String {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let groups: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .take(1_000)
        .collect();
    nearest(name, groups.iter().map(String::as_str))
        .map(|group| format!("; did you mean `{group}`?"))
        .unwrap_or_default()
}
