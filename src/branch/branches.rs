//! All branches of one request.

use super::Branch;
use serde::Serialize;

/// All branches of one request, in the order of the pool.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Branches<T> {
    branches: Vec<Branch<T>>,
}

impl<T> Branches<T> {
    pub(crate) const fn new(branches: Vec<Branch<T>>) -> Self {
        Self { branches }
    }

    /// The branch of the config with this id.
    pub fn get(&self, config_id: &str) -> Option<&Branch<T>> {
        self.iter().find(|branch| branch.config_id.as_str() == config_id)
    }

    /// The branches that succeeded, in the order of the pool.
    pub fn successes(&self) -> impl Iterator<Item = &Branch<T>> {
        self.iter().filter(|branch| branch.is_success())
    }

    /// The output of the first success, in the order of the pool.
    pub fn into_first_output(self) -> Option<T> {
        self.branches.into_iter().find_map(|branch| branch.output)
    }
}

impl<T> std::ops::Deref for Branches<T> {
    type Target = [Branch<T>];

    fn deref(&self) -> &[Branch<T>] {
        &self.branches
    }
}

impl<T> IntoIterator for Branches<T> {
    type Item = Branch<T>;
    type IntoIter = std::vec::IntoIter<Branch<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.branches.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Branches<T> {
    type Item = &'a Branch<T>;
    type IntoIter = std::slice::Iter<'a, Branch<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.branches.iter()
    }
}
