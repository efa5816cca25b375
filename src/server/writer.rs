//! The thread that writes: what is waiting goes into one transaction.

use super::{
    call::{Answer, Context, Handler},
    error::{ApiError, ErrorCode},
    input::Input,
    reply::Reply,
};
use crate::store::SqliteStore;
use rusqlite::Connection;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};
use tokio::sync::{mpsc, oneshot};

/// Calls that wait to be written; more are turned away.
const MAX_WAITING: usize = 1_024;
/// Calls in one transaction.
const MAX_TOGETHER: usize = 128;

/// Hands calls to the thread. The thread ends when the last clone is dropped.
#[derive(Clone)]
pub(super) struct WriterQueue(mpsc::Sender<Job>);

/// How many calls wait in a queue, which this does not keep open.
#[derive(Clone)]
pub(super) struct Waiting(mpsc::WeakSender<Job>);

impl Waiting {
    pub(super) fn count(&self) -> usize {
        self.0.upgrade().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }
}

type Work = Box<dyn FnOnce(&Context<'_>) -> Answer + Send>;

struct Job {
    work: Work,
    answer: oneshot::Sender<Answer>,
}

impl WriterQueue {
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn start(store: SqliteStore) -> io::Result<Self> {
        let (queue, mut jobs) = mpsc::channel(MAX_WAITING);
        thread::Builder::new().name("spearmint-writer".to_owned()).spawn(move || {
            let mut together = Vec::with_capacity(MAX_TOGETHER);
            while jobs.blocking_recv_many(&mut together, MAX_TOGETHER) > 0 {
                write(&store, together.drain(..));
            }
        })?;
        Ok(Self(queue))
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.0.downgrade())
    }

    /// # Cancel safety
    ///
    /// A call that was handed over is written, unheard.
    pub(super) async fn run(&self, handler: Handler, input: Input) -> Answer {
        let (answer, written) = oneshot::channel();
        let work = Box::new(move |context: &Context<'_>| handler(context, input));
        self.0.try_send(Job { work, answer }).map_err(|_| {
            ApiError::new(
                ErrorCode::RequestLimitExceeded,
                format!("{MAX_WAITING} calls are waiting to be written already; try again"),
            )
        })?;
        written.await.unwrap_or_else(|_| Err(not_written()))
    }

    /// As [`run`](Self::run), but waits for room: for what would be a pity to turn away, such as
    /// the end of a long upload. Whoever waits holds a connection, of which there are so many.
    pub(super) async fn run_patiently(
        &self,
        work: impl FnOnce(&Context<'_>) -> Answer + Send + 'static,
    ) -> Answer {
        let (answer, written) = oneshot::channel();
        let work = Box::new(work);
        self.0.send(Job { work, answer }).await.map_err(|_| not_written())?;
        written.await.unwrap_or_else(|_| Err(not_written()))
    }
}

fn not_written() -> ApiError {
    ApiError::new(ErrorCode::InternalError, "the call was not written")
}

/// Runs the calls in one transaction and answers when it is committed.
fn write(store: &SqliteStore, jobs: impl Iterator<Item = Job>) {
    let mut answers = Vec::with_capacity(MAX_TOGETHER);
    let mut jobs = jobs.peekable();
    let committed = store.transact(|connection, codes| {
        let context = Context { connection, codes };
        for job in jobs.by_ref() {
            let answer = in_savepoint(&context, job.work)?;
            answers.push((job.answer, answer));
        }
        Ok(())
    });
    match committed {
        Ok(()) => {
            for (asked, answer) in answers {
                // Whoever asked may have left.
                let _ = asked.send(answer);
            }
        }
        Err(error) => {
            let error = ApiError::from(error);
            let waiting = answers.into_iter().map(|(asked, _)| asked);
            for asked in waiting.chain(jobs.map(|job| job.answer)) {
                let _ = asked.send(Err(ApiError::new(error.code, &*error.message)));
            }
        }
    }
}

/// # Errors
///
/// When the transaction as a whole is broken; what a call has to say is the answer.
fn in_savepoint(context: &Context<'_>, work: Work) -> rusqlite::Result<Result<Reply, ApiError>> {
    let run = |sql| execute(context.connection, sql);
    run("SAVEPOINT call")?;
    let answer = catch_unwind(AssertUnwindSafe(|| work(context))).unwrap_or_else(|_| {
        Err(ApiError::new(ErrorCode::InternalError, "the call panicked; nothing was written"))
    });
    if answer.is_err() {
        run("ROLLBACK TO call")?;
    }
    run("RELEASE call")?;
    Ok(answer)
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
