//! The backend and its settings.

use super::{
    MlflowError, address,
    address::{Auth, Secret},
    client::Client,
    experiments::Experiments,
    unfinished::Unfinished,
};
use std::{env, fmt, sync::atomic::AtomicBool, time::Duration};

/// Records branches as runs of an MLflow server; see [the module](super).
///
/// It needs a Tokio runtime with its network and clock enabled (`enable_all`).
pub struct MlflowBackend {
    pub(super) client: Client,
    pub(super) experiment: Option<String>,
    pub(crate) max_concurrency: usize,
    pub(super) give_up_after: Duration,
    pub(super) experiments: Experiments,
    pub(super) unfinished: Unfinished,
    /// An outage was logged and is not over.
    pub(super) failing: AtomicBool,
}

impl MlflowBackend {
    /// How many branches are written at once, unless
    /// [`max_concurrency`](Self::max_concurrency) says otherwise.
    pub const MAX_CONCURRENCY: usize = 8;
    /// How long one request may take, unless [`request_timeout`](Self::request_timeout) says
    /// otherwise.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
    /// How long a request is tried again, unless [`give_up_after`](Self::give_up_after) says
    /// otherwise.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

    /// Records to the server at `uri` (`http://…` or `https://…`, with a path if the server is
    /// mounted under one). `user:password@` in it is used, and shown nowhere.
    ///
    /// # Errors
    ///
    /// When this is not such an address, or the HTTP client cannot be set up. Whether the server
    /// is there is not asked.
    pub fn new(uri: &str) -> Result<Self, MlflowError> {
        let (base, auth) = address::parse(uri)?;
        Ok(Self {
            client: Client::new(base, auth, Self::REQUEST_TIMEOUT)?,
            experiment: None,
            max_concurrency: Self::MAX_CONCURRENCY,
            give_up_after: Self::GIVE_UP_AFTER,
            experiments: Experiments::default(),
            unfinished: Unfinished::default(),
            failing: AtomicBool::new(false),
        })
    }

    /// As the environment says, by the names that MLflow's own client reads:
    /// `MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME`, and `MLFLOW_TRACKING_USERNAME` with
    /// `MLFLOW_TRACKING_PASSWORD`, or else `MLFLOW_TRACKING_TOKEN`. A variable that is empty
    /// counts as not set.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and when `MLFLOW_TRACKING_URI` is not set.
    pub fn from_env() -> Result<Self, MlflowError> {
        let uri = variable("MLFLOW_TRACKING_URI").ok_or(MlflowError::NoAddress)?;
        Ok(Self::new(&uri)?.with_env())
    }

    /// As [`from_env`](Self::from_env), but at the address it has already.
    #[must_use]
    pub fn with_env(self) -> Self {
        self.with_variables(variable)
    }

    fn with_variables(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        if let Some(name) = variable("MLFLOW_EXPERIMENT_NAME") {
            self = self.experiment(&name);
        }
        let user = variable("MLFLOW_TRACKING_USERNAME");
        let password = variable("MLFLOW_TRACKING_PASSWORD");
        // User and password before the token: MLflow's own client chooses so.
        match (user, password, variable("MLFLOW_TRACKING_TOKEN")) {
            (Some(user), Some(password), _) => self.basic_auth(&user, &password),
            (_, _, Some(token)) => self.bearer_token(&token),
            _ => self,
        }
    }

    /// Records every branch to the MLflow experiment of this name, instead of the one with the
    /// name of the branch's own experiment.
    #[must_use]
    pub fn experiment(mut self, name: &str) -> Self {
        self.experiment = Some(name.to_owned());
        self
    }

    /// Says who we are by user and password.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.client.auth = Auth::Basic(user.to_owned(), Secret(password.to_owned()));
        self
    }

    /// Says who we are by a bearer token.
    #[must_use]
    pub fn bearer_token(mut self, token: &str) -> Self {
        self.client.auth = Auth::Bearer(Secret(token.trim().to_owned()));
        self
    }

    /// How many branches are written at once, and so how many connections there are (at least
    /// 1).
    #[must_use]
    pub fn max_concurrency(mut self, requests: usize) -> Self {
        self.max_concurrency = requests.max(1);
        self
    }

    /// How long one request may take, from connecting to the end of the answer.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.client.timeout = timeout;
        self
    }

    /// How long a request is tried again after the first time it failed for a reason that may
    /// pass. Then its branch is lost; and if nothing else was written in that time, so is the
    /// rest of its batch.
    #[must_use]
    pub const fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = time;
        self
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl fmt::Debug for MlflowBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlflowBackend")
            .field("uri", &self.client.base.as_str())
            .field("auth", &self.client.auth)
            .field("experiment", &self.experiment)
            .field("max_concurrency", &self.max_concurrency)
            .field("request_timeout", &self.client.timeout)
            .field("give_up_after", &self.give_up_after)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> MlflowBackend {
        let find = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        };
        MlflowBackend::new("http://127.0.0.1:5000").unwrap().with_variables(find)
    }

    #[test]
    fn the_environment_says_who_we_are_as_for_mlflows_own_client() {
        let user = ("MLFLOW_TRACKING_USERNAME", "ann");
        let password = ("MLFLOW_TRACKING_PASSWORD", "hidden");
        let token = ("MLFLOW_TRACKING_TOKEN", "hidden\n");
        assert!(matches!(with(&[user, password, token]).client.auth, Auth::Basic(..)));
        assert!(
            matches!(with(&[user, token]).client.auth, Auth::Bearer(Secret(t)) if t == "hidden")
        );
        assert!(matches!(with(&[user]).client.auth, Auth::None));
        assert_eq!(with(&[("MLFLOW_EXPERIMENT_NAME", "e")]).experiment.as_deref(), Some("e"));
    }

    #[test]
    fn secrets_are_not_shown() {
        for variables in [
            &[("MLFLOW_TRACKING_TOKEN", "hidden")][..],
            &[("MLFLOW_TRACKING_USERNAME", "ann"), ("MLFLOW_TRACKING_PASSWORD", "hidden")],
        ] {
            let shown = format!("{:?}", with(variables));
            assert!(shown.contains("redacted") && !shown.contains("hidden"), "{shown}");
        }
    }
}
