//! Resolves the texts of a tree, each once, within bounds.

use super::{
    address::{Address, Step},
    drawn::DrawnFrom,
    grammar::{is_template, parse},
    resolvers::Resolvers,
    template::{Insert, Piece, Template},
    tree::{Made, Tree},
};
use crate::config::path;
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    time::SystemTime,
};

/// Honest values and chains of references are not nested this deep.
const MAX_DEPTH: usize = 128;

/// More mistakes than these are not reported.
const MAX_MISTAKES: usize = 100;

/// Why a text has no value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stop {
    /// It needs what stands for many values.
    Left,
    /// It needs a value that is missing.
    Missing,
    /// It, or what it needs, is wrong; the mistake is noted.
    Failed,
}

/// Something wrong, at the text where it stands.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) path: String,
    pub(super) message: String,
    /// It is only that a value is missing.
    pub(super) missing: bool,
}

pub(super) struct Engine<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) resolvers: &'a Resolvers,
    /// Below this, a text may be left; elsewhere that is a mistake.
    open: Option<Address>,
    /// What became of each text.
    pub(super) done: HashMap<Address, Result<Rc<Made>, Stop>>,
    pub(super) followed: HashMap<Address, super::follow::Followed<'a>>,
    /// The texts that are being resolved, each because of the one before.
    chain: Vec<Address>,
    /// What is read, if that is no text that stands somewhere.
    pub(super) asked: String,
    pub(super) depth: usize,
    pub(super) spent: usize,
    now: Option<SystemTime>,
    secret_keys: HashMap<String, bool>,
    pub(super) mistakes: Vec<Mistake>,
    mistaken: HashSet<String>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(tree: Tree<'a>, resolvers: &'a Resolvers, open: Option<Address>) -> Self {
        Self {
            tree,
            resolvers,
            open,
            done: HashMap::new(),
            followed: HashMap::new(),
            chain: Vec::new(),
            asked: String::new(),
            depth: 0,
            spent: 0,
            now: None,
            secret_keys: HashMap::new(),
            mistakes: Vec::new(),
            mistaken: HashSet::new(),
        }
    }

    /// Resolves every text in `value`, which stands at `at`.
    pub(super) fn visit(&mut self, value: &'a Value, at: &mut Address) {
        if self.is_spent() {
            // Said already; what else is wrong may be found when this is mended.
            return;
        }
        match value {
            Value::String(text) if is_template(text) => {
                // What is wrong with it is noted.
                let _ = self.leaf(at, text);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.0.push(Step::At(index));
                    self.visit(item, at);
                    at.0.pop();
                }
            }
            Value::Object(map) => {
                for (key, item) in map {
                    at.0.push(Step::Key(key.clone()));
                    self.visit(item, at);
                    at.0.pop();
                }
            }
            _ => {}
        }
    }

    /// The value of a text, and what it was drawn from.
    pub(super) fn leaf(&mut self, at: &Address, text: &'a str) -> Result<Rc<Made>, Stop> {
        if let Some(done) = self.done.get(at) {
            return done.clone();
        }
        let depth = self.depth;
        self.enter(at)?;
        let made = self.evaluate(at, text).and_then(|made| self.check_height(at, made));
        let made = match made {
            Err(Stop::Left) if !self.may_be_left(at) => Err(self.wrong(
                "refers to what stands for many values (a map with a key that begins with `$`); \
                 only a config that is expanded with it can",
            )),
            made => made.map(Rc::new),
        };
        self.leave(depth);
        self.done.insert(at.clone(), made.clone());
        made
    }

    fn may_be_left(&self, at: &Address) -> bool {
        self.open.as_ref().is_some_and(|open| at.0.starts_with(&open.0))
    }

    fn check_height(&mut self, at: &Address, made: Made) -> Result<Made, Stop> {
        if at.0.len() + super::copy::height(&made.value) > MAX_DEPTH {
            return Err(self.too_deep());
        }
        Ok(made)
    }

    /// Begins with the text at `at`.
    pub(super) fn enter(&mut self, at: &Address) -> Result<(), Stop> {
        if let Some(first) = self.chain.iter().position(|other| other == at) {
            let circle = self.shown_chain(first);
            let path = at.to_string();
            let message = format!("refers to itself: {circle} → {path}");
            return Err(self.note(path, message, false));
        }
        self.deeper()?;
        self.chain.push(at.clone());
        Ok(())
    }

    /// Ends with it; `depth` is what it was before.
    pub(super) fn leave(&mut self, depth: usize) {
        self.chain.pop();
        self.depth = depth;
    }

    pub(super) fn deeper(&mut self) -> Result<(), Stop> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    fn too_deep(&mut self) -> Stop {
        let first = self.chain.first().map(Address::to_string).unwrap_or_default();
        let message = format!(
            "nested deeper than {MAX_DEPTH} levels by its references and those they lead to"
        );
        self.note(first, message, false)
    }

    fn shown_chain(&self, from: usize) -> String {
        let all: Vec<_> = self.chain[from..].iter().map(Address::to_string).collect();
        match all.as_slice() {
            // As long a chain tells no more.
            [first, second, .., last] if all.len() > 12 => {
                format!("{first} → {second} → … → {last}")
            }
            _ => all.join(" → "),
        }
    }

    /// Notes a mistake in the text at hand.
    pub(super) fn wrong(&mut self, message: impl Into<String>) -> Stop {
        self.wrong_here(message.into(), false)
    }

    /// Notes that the text at hand needs a value that is missing.
    pub(super) fn lacks(&mut self, message: impl Into<String>) -> Stop {
        self.wrong_here(message.into(), true);
        Stop::Missing
    }

    fn wrong_here(&mut self, message: String, missing: bool) -> Stop {
        let path = self.chain.last().map_or_else(|| self.asked.clone(), Address::to_string);
        let message = if self.chain.len() > 1 {
            format!("{message} (on the way {})", self.shown_chain(0))
        } else {
            message
        };
        self.note(path, message, missing)
    }

    /// Notes one mistake a text.
    fn note(&mut self, path: String, message: String, missing: bool) -> Stop {
        if self.mistakes.len() < MAX_MISTAKES && self.mistaken.insert(path.clone()) {
            self.mistakes.push(Mistake { path, message, missing });
        }
        Stop::Failed
    }

    pub(super) fn now(&mut self) -> SystemTime {
        *self.now.get_or_insert_with(|| self.resolvers.now())
    }

    /// Whether what stands under `key` is a secret. Asked often, and not cheap to tell.
    pub(super) fn is_secret(&mut self, key: &str) -> bool {
        if let Some(known) = self.secret_keys.get(key) {
            return *known;
        }
        let is_secret = self.resolvers.secrets.matches(key);
        self.secret_keys.insert(key.to_owned(), is_secret);
        is_secret
    }

    pub(super) fn is_below_secret(&mut self, at: &Address) -> bool {
        at.0.iter().any(|step| matches!(step, Step::Key(key) if self.is_secret(key)))
    }

    pub(super) fn parse(&mut self, at: &Address, text: &str) -> Result<Template, Stop> {
        parse(text).map_err(|message| {
            if self.is_below_secret(at) {
                self.wrong(
                    "its `${` is not well-formed; the text is not shown, since it is a secret",
                )
            } else {
                self.wrong(message)
            }
        })
    }

    fn evaluate(&mut self, at: &Address, text: &str) -> Result<Made, Stop> {
        let template = self.parse(at, text)?;
        self.template(&template, at)
    }

    /// The value of a template that stands at `at`; only a sole reference keeps its type.
    pub(super) fn template(&mut self, template: &Template, at: &Address) -> Result<Made, Stop> {
        if let Some(insert) = template.sole() {
            return self.insert(insert, at);
        }
        self.text(template, at)
    }

    /// The text of a template.
    pub(super) fn text(&mut self, template: &Template, at: &Address) -> Result<Made, Stop> {
        let mut text = String::new();
        let mut sources = DrawnFrom::NONE;
        for piece in &template.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Insert(insert) => {
                    let made = self.insert(insert, at)?;
                    sources.add(made.sources());
                    match &made.value {
                        Value::String(piece) => text.push_str(piece),
                        value @ (Value::Array(_) | Value::Object(_)) => {
                            return Err(self.wrong(format!(
                                "`{}` is {}, which cannot stand inside a text",
                                insert.outline(),
                                path::kind(value)
                            )));
                        }
                        value => text.push_str(&value.to_string()),
                    }
                }
            }
        }
        self.charge(text.len())?;
        Ok(Made::new(Value::String(text), sources))
    }

    pub(super) fn insert(&mut self, insert: &Insert, at: &Address) -> Result<Made, Stop> {
        match insert {
            Insert::Reference(reference) => self.reference(reference, insert, at),
            Insert::Call(call) => self.call(call, at),
        }
    }
}
