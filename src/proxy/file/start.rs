//! Whether a file can be served here: what it names, besides what it says.

use super::ExperimentFile;
#[cfg(feature = "server")]
use crate::proxy::ui;
use crate::{
    config::ConfigError,
    proxy::{
        round_robin, shadow, single,
        stack::{ProxyRequest, ProxyResponse},
        tls,
    },
    strategy::{BUILT_IN, StrategyRegistry},
};

impl ExperimentFile {
    /// Whether a [`Proxy`](super::super::Proxy) of it can be made here: reads the certificates it names,
    /// and makes its strategy and its clients of MLflow and of a collector. Nothing is connected to, and no runtime is
    /// needed.
    ///
    /// # Errors
    ///
    /// Everything that stands in the way, with its places in the file.
    pub fn check_start(
        &self,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    ) -> Result<(), ConfigError> {
        let mut wrong = Vec::new();
        self.start_mistakes(registry, &mut wrong);
        ConfigError::many(wrong)
    }

    /// What stands in the way, beside what is known to be `wrong`.
    pub(in super::super) fn start_mistakes(
        &self,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
        wrong: &mut Vec<ConfigError>,
    ) {
        let is_right = wrong.is_empty();
        wrong.extend(match self.strategy() {
            // What is wrong with these was said with the file.
            name if BUILT_IN.contains(&name) && !is_right => None,
            "single" => single::layer(self).err(),
            "round_robin" => round_robin::layer(self).err(),
            "shadow" => shadow::layer(self).err(),
            "multi_branch" => None,
            custom => registry
                .build(custom, &self.custom, self.pool())
                .err()
                .map(|error| self.error("strategy", error)),
        });
        wrong.extend(tls::client_config(self).err());
        wrong.extend(tls::acceptor(self).err());
        #[cfg(feature = "server")]
        ui::mistakes(self, wrong);
        #[cfg(feature = "mlflow")]
        if let Some(uri) = self.mlflow() {
            let made = crate::mlflow::MlflowBackend::new(uri);
            wrong.extend(made.err().map(|error| self.error("mlflow", error)));
        }
        #[cfg(feature = "otlp")]
        wrong.extend(self.otlp_backend().err());
        #[cfg(feature = "mlflow")]
        if let Some(sync) = self.sync() {
            let made = crate::mlflow::MlflowBackend::new(sync.to);
            wrong.extend(made.err().map(|error| self.error("sync.to", error)));
        }
    }
}
