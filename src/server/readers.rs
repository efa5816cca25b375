//! The connections that read.

use super::{
    call::{Answer, Context, Handler},
    error::{ApiError, ErrorCode},
    input::Input,
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
    pub(super) async fn run(&self, handler: Handler, input: Input) -> Answer {
        // The semaphore is never closed.
        let Ok(turn) = self.turns.clone().acquire_owned().await else { return Err(stopped()) };
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let session = match readers.take() {
                Some(session) => session,
                None => readers.store.reading_session()?,
            };
            let answer = handler(
                &Context { connection: session.connection(), codes: session.codes() },
                input,
            );
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
