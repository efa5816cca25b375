//! What pages show of reports: read once for all who look.
//!
//! A report is read again only when somebody has written to the file since, and one that takes long to read no sooner
//! than it can be read without doing nothing else. Watchers are told by one task, which is
//! there as long as there are some; it opens a connection for each read and leaves no transaction open between them.

use super::{experiment, index};
use crate::{
    report::{Plan, Report},
    server::{error::ApiError, readers::Readers},
    store::{Session, SqliteStore, StoreError},
};
use serde_json::json;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Pages that are told of changes at once.
const MAX_WATCHERS: usize = 64;
/// How often it is looked whether something changed; more rarely where looking takes long.
const PAUSE: Duration = Duration::from_secs(1);
/// So many times as long as a look took is not looked again.
const REST: u32 = 4;
/// A report that took so long to read is shown for a while, whatever is written meanwhile.
const LONG: Duration = Duration::from_millis(250);
/// Reports that are kept.
const MAX_KEPT: usize = 64;

/// An experiment; all, if it is none.
pub(super) type Topic = Option<String>;
/// What a watcher of a topic is told; nothing yet.
pub(super) type Told = Option<Arc<str>>;

pub(super) struct Live {
    store: SqliteStore,
    kept: Mutex<Kept>,
    watched: Mutex<Watched>,
    slots: Arc<Semaphore>,
    closed: watch::Sender<bool>,
}

#[derive(Default)]
struct Kept {
    session: Option<Session>,
    reports: HashMap<Topic, Read>,
}

/// Reports, and as of which state of the file.
struct Read {
    version: i64,
    at: Instant,
    took: Duration,
    reports: Arc<[Report]>,
}

impl Read {
    fn holds(&self, version: i64) -> bool {
        self.version == version || self.took >= LONG && self.at.elapsed() < self.took * REST
    }
}

#[derive(Default)]
struct Watched {
    topics: HashMap<Topic, watch::Sender<Told>>,
    /// Whether the task is there.
    running: bool,
}

/// Somebody who is told.
pub(super) struct Watcher {
    pub(super) told: watch::Receiver<Told>,
    pub(super) closed: watch::Receiver<bool>,
    _slot: OwnedSemaphorePermit,
}

impl Live {
    pub(super) fn new(store: SqliteStore) -> Self {
        Self {
            store,
            kept: Mutex::default(),
            watched: Mutex::default(),
            slots: Arc::new(Semaphore::new(MAX_WATCHERS)),
            closed: watch::Sender::new(false),
        }
    }

    /// The reports of an experiment, or of all. Blocks: one is read at a time.
    ///
    /// # Errors
    ///
    /// When there is no such experiment, or the store cannot be read.
    pub(super) fn reports(&self, experiment: Option<&str>) -> Result<Arc<[Report]>, ApiError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let version = kept.version(&self.store)?;
        let topic = experiment.map(str::to_owned);
        if let Some(read) = kept.reports.get(&topic).filter(|read| read.holds(version)) {
            return Ok(read.reports.clone());
        }
        if kept.reports.len() >= MAX_KEPT {
            kept.reports.clear();
        }
        let began = Instant::now();
        let mut plan = Plan::new();
        plan.experiment.clone_from(&topic);
        let reports: Arc<[Report]> = match Report::read(&self.store, &plan) {
            Ok(reports) => reports.into(),
            Err(error @ StoreError::NoExperiment { .. }) => {
                return Err(ApiError::none(error.to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let (at, took) = (Instant::now(), began.elapsed());
        kept.reports.insert(topic, Read { version, at, took, reports: reports.clone() });
        Ok(reports)
    }

    /// One more who is told of a topic; `None` if there are as many as may be.
    pub(super) fn watch(self: &Arc<Self>, topic: Topic, readers: &Readers) -> Option<Watcher> {
        let slot = self.slots.clone().try_acquire_owned().ok()?;
        let mut watched = self.watched();
        let told = watched.topics.entry(topic).or_default().subscribe();
        if !watched.running {
            watched.running = true;
            tokio::spawn(self.clone().tell(readers.clone()));
        }
        Some(Watcher { told, closed: self.closed.subscribe(), _slot: slot })
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    async fn tell(self: Arc<Self>, readers: Readers) {
        let mut closed = self.closed.subscribe();
        loop {
            let began = Instant::now();
            let Some(topics) = self.topics() else { return };
            for topic in topics {
                let live = self.clone();
                let of = topic.clone();
                let read = readers.run(move |_| Ok(text(&of, &live.reports(of.as_deref())?))).await;
                match read {
                    Ok(text) => self.say(&topic, &text),
                    // It is tried again.
                    Err(error) => tracing::debug!(%error, "what a page shows could not be read"),
                }
            }
            let pause = PAUSE.max(began.elapsed() * REST);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = closed.wait_for(|closed| *closed) => {
                    self.watched().running = false;
                    return;
                }
            }
        }
    }

    /// Those that somebody watches; `None` if the task is to end, as nobody does.
    fn topics(&self) -> Option<Vec<Topic>> {
        let mut watched = self.watched();
        watched.topics.retain(|_, told| told.receiver_count() > 0);
        watched.running = !watched.topics.is_empty();
        watched.running.then(|| watched.topics.keys().cloned().collect())
    }

    fn say(&self, topic: &Topic, text: &str) {
        if let Some(told) = self.watched().topics.get(topic) {
            told.send_if_modified(|told| {
                let is_new = told.as_deref() != Some(text);
                if is_new {
                    *told = Some(text.into());
                }
                is_new
            });
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A number that is another one when another connection has written
    /// (<https://sqlite.org/pragma.html#pragma_data_version>).
    fn version(&mut self, store: &SqliteStore) -> Result<i64, ApiError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => {
                self.reports.clear();
                store.reading_session()?
            }
        };
        let version =
            session.connection().query_row("PRAGMA data_version", [], |row| row.get(0))?;
        self.session = Some(session);
        Ok(version)
    }
}

/// The parts of a page by their ids, as they are now.
fn text(topic: &Topic, reports: &[Report]) -> String {
    let parts: serde_json::Map<_, _> = if topic.is_none() {
        [("experiments".to_owned(), index::list(reports).into_string().into())]
            .into_iter()
            .collect()
    } else {
        let sections =
            reports.iter().enumerate().flat_map(|(at, one)| experiment::sections(at, one));
        sections.map(|(id, _, part)| (id, part.into_string().into())).collect()
    };
    let verdicts: Vec<_> = reports
        .iter()
        .flat_map(|report| report.candidates.iter().map(move |candidate| (report, candidate)))
        .map(|(report, candidate)| {
            json!({
                "experiment": report.experiment, "config_id": candidate.config_id,
                "verdict": candidate.verdict, "requests": candidate.figures.requests,
            })
        })
        .collect();
    json!({ "verdicts": verdicts, "parts": parts }).to_string()
}
