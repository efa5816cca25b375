//! Outcomes of units: what a file says of them, and where they are reported.

use super::{ExperimentFile, ProxyHandle, body::ReplyBody, respond::text};
use crate::{
    config::{ConfigError, units},
    metrics::Exposition,
    store::{OutcomeBatch, OutcomeRules, OutcomesRecorded, SqliteStore, StoreError},
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use tokio::{sync::Semaphore, time::timeout};

/// The most bytes of a batch.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// How long it may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// Batches that are read and written at once; others wait.
const AT_ONCE: usize = 8;

/// What counts as an outcome of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct OutcomeSettings {
    /// So long after a unit's first exposure an outcome counts [default: 7d].
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    window: Option<Duration>,
    /// One of so long before a unit was exposed for the first time says what it did anyhow, by which reports become
    /// certain earlier; 0s: never [default: as long as the window].
    #[serde(deserialize_with = "units::duration")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Duration"))]
    before: Option<Duration>,
}

impl ExperimentFile {
    /// What counts as an outcome of the experiment; `None` if it tells no units apart.
    pub fn outcome_rules(&self) -> Option<OutcomeRules> {
        let mut rules = OutcomeRules::new(self.experiment()).salt(self.unit_salt()?);
        if let Some(window) = self.settings.outcomes.window {
            rules = rules.window(window);
        }
        rules.before = self.settings.outcomes.before;
        Some(rules)
    }

    /// The salt that the branches' units are hashed with.
    fn unit_salt(&self) -> Option<&str> {
        let settings = &self.settings;
        let unit = match self.strategy() {
            "round_robin" => settings.round_robin.unit(),
            "shadow" => settings.shadow.unit(),
            _ => None,
        }?;
        Some(unit.salt.as_deref().unwrap_or_else(|| self.experiment()))
    }

    pub(super) fn check_outcomes(&self, wrong: &mut Vec<ConfigError>) {
        let OutcomeSettings { window, before } = self.settings.outcomes;
        if window.is_some_and(|window| window.is_zero()) {
            let message = "0; no outcome would count";
            wrong.push(self.error("outcomes.window", message));
        }
        if self.settings.retention.outcomes.is_some_and(|age| age.is_zero()) {
            let message =
                "0; outcomes would be removed as they come; say how long they are kept, as in 90d";
            wrong.push(self.error("retention.outcomes", message));
        }
        if window.or(before).is_none() {
            return;
        }
        if self.unit_salt().is_none() {
            let message = "they are those of units; say what a unit is, as in \
                           `round_robin: { sticky: { key: { header: x-user-id } } }`";
            wrong.push(self.error("outcomes", message));
        }
    }
}

/// Where outcomes go, and what became of them.
pub(super) struct Desk {
    store: SqliteStore,
    /// Those of the start: what counts does not change while the process runs.
    rules: Option<OutcomeRules>,
    slots: Semaphore,
    new: AtomicU64,
    known: AtomicU64,
    unattributed: AtomicU64,
    refused: AtomicU64,
}

impl ProxyHandle {
    /// Takes outcomes at `/outcomes` of the operator's listener, for the store that the branches go to, and
    /// says there how the units of the file in use, and of those that come, are hashed. Once; a second store is not
    /// looked at. Blocks.
    ///
    /// # Errors
    ///
    /// When the store cannot be written, or what counts as an outcome cannot be changed any more (see
    /// [`SqliteStore::set_outcome_rules`]).
    pub fn keep_outcomes(&self, store: SqliteStore) -> Result<(), StoreError> {
        let rules = self.file().outcome_rules();
        if let Some(rules) = &rules {
            store.set_outcome_rules(rules)?;
        }
        let zero = || AtomicU64::new(0);
        let (new, known, unattributed, refused) = (zero(), zero(), zero(), zero());
        let slots = Semaphore::new(AT_ONCE);
        let desk = Desk { store, rules, slots, new, known, unattributed, refused };
        // (The first stays.)
        let _ = self.0.outcomes.set(desk);
        Ok(())
    }
}

impl Desk {
    /// Says to the store how the units of another file are hashed. One that cannot be written now does not hold up
    /// the file, by which a bad candidate may be taken out.
    ///
    /// # Errors
    ///
    /// When there is no room for another salt.
    pub(super) fn reload(&self, file: &ExperimentFile) -> Result<(), StoreError> {
        let Some(mut rules) = file.outcome_rules() else { return Ok(()) };
        if let Some(OutcomeRules { window, before, .. }) = self.rules {
            (rules.window, rules.before) = (window, before);
        }
        match self.store.set_outcome_rules(&rules) {
            Err(error @ StoreError::OutcomeRules { .. }) => Err(error),
            Err(error) => {
                tracing::warn!(
                    %error,
                    "the store could not note how the units of the file are hashed; the next reload or start does, \
                     and outcomes reported until then count once they are reported again"
                );
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn count(&self, recorded: &OutcomesRecorded) {
        self.new.fetch_add(recorded.new, Relaxed);
        self.known.fetch_add(recorded.known, Relaxed);
        self.unattributed.fetch_add(recorded.unattributed, Relaxed);
    }

    pub(super) fn collect(&self, page: &mut Exposition) {
        let mut outcomes = page
            .counter("spearmint_outcomes_total", "Outcomes that were reported here, by result.");
        outcomes.value(&[("result", "new")], self.new.load(Relaxed));
        outcomes.value(&[("result", "known")], self.known.load(Relaxed));
        page.counter(
            "spearmint_outcomes_unattributed_total",
            "Of the new, those that no exposure was known for when they were reported.",
        )
        .value(&[], self.unattributed.load(Relaxed));
        page.counter(
            "spearmint_outcomes_refused_total",
            "Batches of outcomes that were refused, of which none was kept.",
        )
        .value(&[], self.refused.load(Relaxed));
    }
}

/// Why a batch was not kept.
#[derive(Serialize)]
struct Refusal {
    error: String,
    /// Which one is wrong: its line, or its place in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// Keeps the outcomes that are sent, all of them or none.
pub(super) async fn receive(
    request: Request<Incoming>,
    handle: &ProxyHandle,
) -> Response<ReplyBody> {
    let Some(desk) = handle.0.outcomes.get() else {
        return text(StatusCode::NOT_FOUND, "there is no store for outcomes here\n");
    };
    match recorded(request, handle, desk).await {
        Ok(recorded) => {
            desk.count(&recorded);
            json(StatusCode::OK, &recorded)
        }
        Err((status, refusal)) => {
            desk.refused.fetch_add(1, Relaxed);
            json(status, &refusal)
        }
    }
}

async fn recorded(
    request: Request<Incoming>,
    handle: &ProxyHandle,
    desk: &Desk,
) -> Result<OutcomesRecorded, (StatusCode, Refusal)> {
    let refused = |status, error: String, line: Option<u64>| Err((status, Refusal { error, line }));
    // The semaphore is never closed.
    let _slot = desk.slots.acquire().await;
    let body = match timeout(BODY_TIMEOUT, Limited::new(request, MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("a batch has at most {MAX_BODY} bytes; send less at once");
            return refused(StatusCode::PAYLOAD_TOO_LARGE, message, None);
        }
        Ok(Err(error)) => {
            return refused(StatusCode::BAD_REQUEST, format!("the body broke off: {error}"), None);
        }
        Err(_) => {
            let message = format!("the body took longer than {} s to come", BODY_TIMEOUT.as_secs());
            return refused(StatusCode::REQUEST_TIMEOUT, message, None);
        }
    };
    let handle = handle.clone();
    let work = move || {
        let batch = OutcomeBatch::from_json(&body).map_err(StoreError::Outcome)?;
        match handle.0.outcomes.get() {
            Some(desk) => batch.record_in(&desk.store),
            None => Ok(OutcomesRecorded::default()),
        }
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(recorded)) => Ok(recorded),
        Ok(Err(StoreError::Outcome(error))) => {
            let status = if error.is_conflict {
                StatusCode::CONFLICT
            } else if error.are_too_many {
                StatusCode::PAYLOAD_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            };
            let line = (error.at > 0).then_some(error.at);
            refused(status, format!("{}; none was kept", error.reason), line)
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "outcomes were not kept");
            refused(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), None)
        }
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string(), None),
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<ReplyBody> {
    let mut response = text(status, serde_json::to_string(value).unwrap_or_default() + "\n");
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
