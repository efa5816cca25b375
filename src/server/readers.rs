//! The connections that read.

use super::{
    call::Context,
    error::{ApiError, ErrorCode},
    functions,
};
use crate::store::{Session, SqliteStore};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Calls that read at once; more wait for their turn.
const MAX_READING: usize = 16;

/// Connections that are open and idle are used again.
#[derive(Clone)]
pub(super) struct Readers {
    store: SqliteStore,
    idle: Arc<Mutex<Vec<Session>>>,
    turns: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(store: SqliteStore) -> Self {
        let turns = Arc::new(Semaphore::new(MAX_READING));
        Self { store, idle: Arc::default(), turns }
    }

    /// # Cancel safety
    ///
    /// A call that was begun runs to its end, unheard.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Context<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        // The semaphore is never closed.
        let Ok(turn) = self.turns.clone().acquire_owned().await else { return Err(stopped()) };
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let session = match readers.take() {
                Some(session) => session,
                None => {
                    let session = readers.store.reading_session()?;
                    functions::add(session.connection())?;
                    session
                }
            };
            let answer =
                work(&Context { connection: session.connection(), codes: session.codes() });
            readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
            answer
        });
        reading.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a call that reads ended");
            Err(stopped())
        })
    }

    fn take(&self) -> Option<Session> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

fn stopped() -> ApiError {
    ApiError::new(ErrorCode::InternalError, "the server stopped in the middle of this call")
}
