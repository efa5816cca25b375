//! References and missing values of a document, with their places.

use super::{
    address::Address,
    drawn::Drawn,
    engine::{Engine, Mistake},
    missing::missing,
    resolve::{placed, resolve_all, resolve_part},
    resolvers::Resolvers,
    tree::Tree,
};
use crate::config::{ConfigError, Document};
use serde_json::Value;

impl Document {
    /// Resolves every reference, all or nothing; see [`resolve`](super::resolve()). What values
    /// were drawn from is kept with the document, so that secrets stay secret.
    ///
    /// # Errors
    ///
    /// As [`resolve`](super::resolve()); each mistake with the file, the line and the column.
    pub fn resolve(&mut self, resolvers: &Resolvers) -> Result<(), ConfigError> {
        self.resolve_below(resolvers, "")
    }

    /// As [`resolve`](Self::resolve), and no value may be missing (`???`). Only below `open` may
    /// texts be left for what will be expanded.
    pub(crate) fn settle(&mut self, resolvers: &Resolvers, open: &str) -> Result<(), ConfigError> {
        self.resolve_below(resolvers, open)?;
        self.require_complete()
    }

    fn resolve_below(&mut self, resolvers: &Resolvers, open: &str) -> Result<(), ConfigError> {
        if self.drawn().is_done || !super::has_references(self.value()) {
            return Ok(());
        }
        let open = Some(Address::of_path(self.value(), open));
        match resolve_all(self.value_mut(), resolvers, open) {
            Ok(drawn) => {
                self.drawn_mut().merge(drawn);
                Ok(())
            }
            Err(mistakes) => Err(self.wrong(mistakes)),
        }
    }

    /// Resolves what was left in a value that was expanded from the part at `at`; see
    /// [`resolve_in`](super::resolve_in). Does nothing if nothing was left.
    ///
    /// # Errors
    ///
    /// As [`resolve_in`](super::resolve_in).
    pub fn resolve_expanded(
        &self,
        value: &mut Value,
        at: &str,
        resolvers: &Resolvers,
    ) -> Result<Drawn, ConfigError> {
        if self.drawn().is_complete() {
            return Ok(Drawn::default());
        }
        resolve_part(value, at, self.value(), resolvers).map_err(|mistakes| self.placed(mistakes))
    }

    /// The value at `path`, with the references in it resolved, and no others.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve), for what is asked; and when nothing is at `path`, or a value
    /// in it is missing (`???`).
    pub fn resolved(&self, path: &str, resolvers: &Resolvers) -> Result<Value, ConfigError> {
        let mut engine = Engine::new(Tree { root: self.value(), part: None }, resolvers, None);
        match engine.read(path) {
            Ok(value) => {
                self.none_missing(&value, path)?;
                Ok(value)
            }
            Err(_) => Err(self.placed(engine.mistakes)),
        }
    }

    /// The paths of the values that are missing (`???`).
    pub fn missing(&self) -> Vec<String> {
        missing(self.value())
    }

    /// # Errors
    ///
    /// When values are missing (`???`): one error that lists all of them.
    pub fn require_complete(&self) -> Result<(), ConfigError> {
        self.none_missing(self.value(), "")
    }

    fn none_missing(&self, value: &Value, base: &str) -> Result<(), ConfigError> {
        let errors: Vec<_> = missing(value)
            .iter()
            .map(|path| {
                let path = crate::config::path::join(base, path);
                self.error(&path, GIVE_ONE)
            })
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(ConfigError::MissingValues { errors }) }
    }

    /// All that is wrong with the document. If values are missing, that is told of them, too.
    fn wrong(&self, mut mistakes: Vec<Mistake>) -> ConfigError {
        if mistakes.iter().all(|mistake| mistake.missing) {
            let missing = self.missing().into_iter().map(|path| Mistake {
                path,
                message: GIVE_ONE.to_owned(),
                missing: true,
            });
            mistakes.splice(0..0, missing);
        }
        self.placed(mistakes)
    }

    fn placed(&self, mistakes: Vec<Mistake>) -> ConfigError {
        placed(mistakes, &|path, message| self.error(path, message))
    }
}

const GIVE_ONE: &str = "missing (`???`); a value must be given";
