//! What a request itself says: whether it may take part, and which config a tester wants.

use std::borrow::Cow;

/// Decides whether a request may take part in an experiment: a closure does.
pub trait Eligible<R> {
    /// Whether it may. `unit` is the key of its unit, if it has one.
    fn is_eligible(&self, request: &R, unit: Option<&[u8]>) -> bool;
}

/// Every request may take part.
#[derive(Debug, Clone, Copy, Default)]
pub struct Everyone;

impl<R> Eligible<R> for Everyone {
    fn is_eligible(&self, _: &R, _: Option<&[u8]>) -> bool {
        true
    }
}

impl<R, F: Fn(&R) -> bool> Eligible<R> for F {
    fn is_eligible(&self, request: &R, _: Option<&[u8]>) -> bool {
        self(request)
    }
}

impl<R, E: Eligible<R>> Eligible<R> for Option<E> {
    fn is_eligible(&self, request: &R, unit: Option<&[u8]>) -> bool {
        self.as_ref().is_none_or(|rule| rule.is_eligible(request, unit))
    }
}

/// Finds the id of the config that a tester asks for: a closure does.
pub trait Testers<R> {
    /// The id, if the request asks for one. It need not be one of the pool.
    fn wanted<'a>(&self, request: &'a R) -> Option<Cow<'a, str>>;
}

/// Nobody is asked: no request can choose its config.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTesters;

impl<R> Testers<R> for NoTesters {
    fn wanted<'a>(&self, _: &'a R) -> Option<Cow<'a, str>> {
        None
    }
}

impl<R, F: Fn(&R) -> Option<String>> Testers<R> for F {
    fn wanted<'a>(&self, request: &'a R) -> Option<Cow<'a, str>> {
        self(request).map(Cow::Owned)
    }
}

impl<R, T: Testers<R>> Testers<R> for Option<T> {
    fn wanted<'a>(&self, request: &'a R) -> Option<Cow<'a, str>> {
        self.as_ref()?.wanted(request)
    }
}
