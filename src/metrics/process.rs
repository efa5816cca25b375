//! What every page says of its process.

use super::Exposition;
use std::time::Duration;

impl Exposition {
    /// Adds the version.
    pub(crate) fn build(&mut self) {
        self.gauge("spearmint_build_info", "Always 1; the label names the version.")
            .value(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    }

    /// Adds when it began, since the Unix epoch.
    pub(crate) fn started(&mut self, at: Duration) {
        self.gauge("spearmint_start_time_seconds", "When it was started, since the Unix epoch.")
            .value(&[], at.as_secs_f64());
    }
}
