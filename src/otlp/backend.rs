//! The backend and its settings.

use super::{OtlpError, OtlpStats, SpanKind, client::Client, counters::Counters, env};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

const SERVICE_NAME: &str = "service.name";

/// Sends each branch as a span to an OpenTelemetry collector; see [the module](super).
///
/// It needs a Tokio runtime with its network and clock enabled (`enable_all`).
pub struct OtlpBackend {
    pub(super) client: Client,
    /// What is said of the service.
    pub(super) resource: BTreeMap<String, String>,
    pub(super) kind: SpanKind,
    pub(super) give_up_after: Duration,
    pub(super) counters: Arc<Counters>,
    /// An outage was logged and is not over.
    pub(super) failing: AtomicBool,
}

impl OtlpBackend {
    /// Where a collector usually is.
    pub const ENDPOINT: &str = "http://localhost:4318";
    /// How long one request may take, unless [`request_timeout`](Self::request_timeout) says
    /// otherwise.
    pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
    /// How long a request is tried again, unless [`give_up_after`](Self::give_up_after) says
    /// otherwise.
    pub const GIVE_UP_AFTER: Duration = Duration::from_secs(60);

    /// Sends to the collector at `endpoint` (`http://…` or `https://…`): to `/v1/traces` below it.
    /// `user:password@` in it is used, and shown nowhere.
    ///
    /// # Errors
    ///
    /// When this is not such an address, or the HTTP client cannot be set up. Whether the collector
    /// is there is not asked.
    pub fn new(endpoint: &str) -> Result<Self, OtlpError> {
        Self::with_client(Client::new(endpoint, false, Self::REQUEST_TIMEOUT)?)
    }

    /// As the environment says, by the names of OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT`,
    /// `…_HEADERS` and `…_TIMEOUT`, or those that begin with `OTEL_EXPORTER_OTLP_TRACES_`;
    /// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. A variable that is empty counts as not
    /// set.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and when a variable is wrong.
    pub fn from_env() -> Result<Self, OtlpError> {
        env::backend(None, env::variable)
    }

    /// As [`from_env`](Self::from_env), but at this endpoint.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn with_env(endpoint: &str) -> Result<Self, OtlpError> {
        env::backend(Some(endpoint), env::variable)
    }

    pub(super) fn with_client(client: Client) -> Result<Self, OtlpError> {
        // (Their own name is for those that use OpenTelemetry's SDK.)
        let resource = [
            (SERVICE_NAME, env!("CARGO_PKG_NAME")),
            ("telemetry.sdk.language", "rust"),
            ("telemetry.sdk.name", env!("CARGO_PKG_NAME")),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        ];
        Ok(Self {
            client,
            resource: resource.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            kind: SpanKind::default(),
            give_up_after: Self::GIVE_UP_AFTER,
            counters: Arc::default(),
            failing: AtomicBool::new(false),
        })
    }

    /// Sends a header with each request: who we are, for example. Its value is shown nowhere.
    ///
    /// # Errors
    ///
    /// When a header cannot have this name or this value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, OtlpError> {
        self.client.set_header(name, value)?;
        Ok(self)
    }

    /// Names the service (`tower-spearmint` until then).
    #[must_use]
    pub fn service_name(self, name: &str) -> Self {
        self.resource_attribute(SERVICE_NAME, name)
    }

    /// Says something of the service, as `deployment.environment.name`.
    #[must_use]
    pub fn resource_attribute(mut self, key: &str, value: &str) -> Self {
        self.resource.insert(key.to_owned(), value.to_owned());
        self
    }

    /// What a branch is to the service it runs: by default that runs in this process.
    #[must_use]
    pub const fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// How long one request may take, from connecting to the end of the answer.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.client.timeout = timeout;
        self
    }

    /// How long a request is tried again after the first time it failed for a reason that may
    /// pass. Then its spans are lost, and with them the rest of their batch.
    #[must_use]
    pub const fn give_up_after(mut self, time: Duration) -> Self {
        self.give_up_after = time;
        self
    }

    /// What becomes of the spans, to look at while a recorder has the backend.
    pub fn stats(&self) -> OtlpStats {
        OtlpStats(self.counters.clone())
    }

    /// Where spans are sent, without credentials.
    pub fn url(&self) -> &str {
        self.client.url()
    }
}

impl fmt::Debug for OtlpBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpBackend")
            .field("client", &self.client)
            .field("resource", &self.resource)
            .field("kind", &self.kind)
            .field("give_up_after", &self.give_up_after)
            .finish_non_exhaustive()
    }
}
