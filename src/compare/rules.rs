//! What a comparison of JSON values passes over.

use super::{PathPattern, PatternError, Tolerance, pattern::Node};
use crate::config::SecretKeys;

/// What [`json`](super::json) passes over and hides. Without rules every difference counts.
///
/// Paths are JSON pointers in which a segment may be `*` ([`PathPattern`]). A rule covers what is
/// at its path and everything below it, but for [`unordered`](Self::unordered), which speaks of
/// the arrays at its path alone. Of several tolerances the one with the longest path holds.
///
/// ```
/// use serde_json::json;
/// use tower_spearmint::compare::{JsonRules, Tolerance, json};
///
/// let rules = JsonRules::default()
///     .ignore(["/took_ms", "/items/*/seen_at"])?
///     .tolerances([("/items/*/score", Tolerance::absolute(0.01))])?
///     .unordered(["/tags"])?;
/// let primary = json!({
///     "took_ms": 12, "tags": ["a", "b"], "items": [{ "score": 0.5, "seen_at": 1 }]
/// });
/// let shadow = json!({
///     "took_ms": 15, "tags": ["b", "a"], "items": [{ "score": 0.507, "seen_at": 2 }]
/// });
/// assert!(json(&primary, &shadow, &rules).is_empty());
/// # Ok::<(), tower_spearmint::compare::PatternError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonRules {
    pub(super) root: Node,
    pub(super) tolerance: Tolerance,
    pub(super) unordered_everywhere: bool,
    pub(super) secrets: SecretKeys,
    /// Whether any tolerance is set, here or below.
    pub(super) is_tolerant: bool,
}

impl JsonRules {
    /// Passes over these paths.
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`].
    pub fn ignore<'a>(
        self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        paths.into_iter().try_fold(self, |rules, path| Ok(rules.ignore_at(&path.parse()?)))
    }

    /// How far apart numbers may be that no path of [`tolerances`](Self::tolerances) covers; not
    /// at all until then.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.is_tolerant |= !tolerance.is_exact();
        self.tolerance = tolerance;
        self
    }

    /// How far apart the numbers at these paths may be.
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`].
    pub fn tolerances<'a>(
        self,
        tolerances: impl IntoIterator<Item = (&'a str, Tolerance)>,
    ) -> Result<Self, PatternError> {
        tolerances.into_iter().try_fold(self, |rules, (path, tolerance)| {
            Ok(rules.tolerance_at(&path.parse()?, tolerance))
        })
    }

    /// The order of the items of the arrays at these paths does not count. Items that are equal
    /// are matched first, then those whose numbers are near enough; the rest is compared in order.
    /// Of unordered arrays in each other that differ, the outer eight are matched so.
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`].
    pub fn unordered<'a>(
        self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        paths.into_iter().try_fold(self, |rules, path| Ok(rules.unordered_at(&path.parse()?)))
    }

    /// The order of the items of no array counts.
    #[must_use]
    pub fn unordered_everywhere(mut self) -> Self {
        self.unordered_everywhere = true;
        self
    }

    /// Samples of what is at these paths read `[redacted]`. What differs there is still found and
    /// counted; its path shows.
    ///
    /// # Errors
    ///
    /// When one is not a [`PathPattern`].
    pub fn redact<'a>(
        self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        paths.into_iter().try_fold(self, |rules, path| Ok(rules.redact_at(&path.parse()?)))
    }

    /// Which keys hold secrets: samples of what is under them read `[redacted]`, wherever they
    /// stand. [`SecretKeys::default`] until then.
    #[must_use]
    pub fn secrets(mut self, secrets: SecretKeys) -> Self {
        self.secrets = secrets;
        self
    }

    /// Whether nothing is compared.
    #[cfg(feature = "compare")]
    pub(crate) fn ignores_all(&self) -> bool {
        self.root.ignore
    }

    /// Whether nothing is shown.
    #[cfg(feature = "compare")]
    pub(crate) fn redacts_all(&self) -> bool {
        self.root.redact
    }

    /// The beginning of a value, without what must not be shown.
    #[cfg(feature = "compare")]
    pub(crate) fn sample(&self, value: &serde_json::Value) -> String {
        super::sample::samples(self, &[], Some(value), None).0.unwrap_or_default()
    }

    pub(crate) fn ignore_at(mut self, pattern: &PathPattern) -> Self {
        self.root.at(pattern).ignore = true;
        self
    }

    pub(crate) fn tolerance_at(mut self, pattern: &PathPattern, tolerance: Tolerance) -> Self {
        self.is_tolerant |= !tolerance.is_exact();
        self.root.at(pattern).tolerance = Some(tolerance);
        self
    }

    pub(crate) fn unordered_at(mut self, pattern: &PathPattern) -> Self {
        self.root.at(pattern).unordered = true;
        self
    }

    pub(crate) fn redact_at(mut self, pattern: &PathPattern) -> Self {
        self.root.at(pattern).redact = true;
        self
    }
}
