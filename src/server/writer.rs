//! Writing: one call after the other, or, where several are waiting, as many as there are in one
//! transaction.
//!
//! There is a thread for it. But to wake it, and to be woken by it, takes longer than a small call
//! does; so one that nobody stands in the way of is written where it is.

use super::{
    call::{Answer, Context, Work},
    error::{ApiError, ErrorCode},
};
use crate::store::{Kept, SqliteStore};
use rusqlite::Connection;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};
use tokio::sync::{mpsc, oneshot};

/// Calls that wait to be written; more are turned away.
const MAX_WAITING: usize = 1_024;
/// Calls in one transaction.
const MAX_TOGETHER: usize = 128;
/// Of so many calls that are written at once, one goes to the thread, which sees to what else is to be
/// done now and then.
const AT_ONCE: usize = 256;

/// Hands calls to the thread. The thread ends when the last clone is dropped.
#[derive(Clone)]
pub(super) struct WriterQueue {
    queue: mpsc::Sender<Job>,
    store: SqliteStore,
    turns: Arc<Turns>,
}

/// How many calls wait in a queue, which this does not keep open.
#[derive(Clone)]
pub(super) struct Waiting(mpsc::WeakSender<Job>);

impl Waiting {
    pub(super) fn count(&self) -> usize {
        self.0.upgrade().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }
}

#[derive(Default)]
struct Turns {
    /// Calls that the thread has not answered yet.
    waiting: AtomicUsize,
    /// Calls that were to be written at once.
    at_once: AtomicUsize,
}

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
        let turns = Arc::new(Turns::default());
        let writer = Self { queue, store: store.clone(), turns: turns.clone() };
        thread::Builder::new().name("spearmint-writer".to_owned()).spawn(move || {
            let mut together = Vec::with_capacity(MAX_TOGETHER);
            loop {
                let taken = jobs.blocking_recv_many(&mut together, MAX_TOGETHER);
                if taken == 0 {
                    break;
                }
                write(&store, together.drain(..));
                turns.waiting.fetch_sub(taken, Relaxed);
            }
        })?;
        Ok(writer)
    }

    /// As [`run`](Self::run), for a call that is small: it is written at once, within this future's
    /// poll, if nobody else writes or waits to.
    pub(super) async fn run_small(&self, work: Work) -> Answer {
        let turns = &self.turns;
        let is_free = turns.waiting.load(Relaxed) == 0;
        if !is_free || turns.at_once.fetch_add(1, Relaxed) % AT_ONCE == AT_ONCE - 1 {
            return self.run(work).await;
        }
        let mut work = Some(work);
        let done = self.store.transact_at_once(|connection, codes| {
            let answer = match work.take() {
                Some(work) => caught(&Context { connection, codes }, work),
                None => Err(not_written()),
            };
            Ok(if answer.is_ok() { Kept::Yes(answer) } else { Kept::No(answer) })
        });
        match (done, work) {
            (Some(done), _) => done?,
            (None, Some(work)) => self.run(work).await,
            (None, None) => Err(not_written()),
        }
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting(self.queue.downgrade())
    }

    /// # Cancel safety
    ///
    /// A call that was handed over is written, unheard.
    pub(super) async fn run(&self, work: Work) -> Answer {
        let (answer, written) = oneshot::channel();
        let room = self.queue.try_reserve().map_err(|_| {
            ApiError::new(
                ErrorCode::RequestLimitExceeded,
                format!("{MAX_WAITING} calls are waiting to be written already; try again"),
            )
        })?;
        self.turns.waiting.fetch_add(1, Relaxed);
        room.send(Job { work, answer });
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
        let room = self.queue.reserve().await.map_err(|_| not_written())?;
        self.turns.waiting.fetch_add(1, Relaxed);
        room.send(Job { work, answer });
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
            let answer = if answers.is_empty() {
                alone(&context, job.work)?
            } else {
                in_savepoint(&context, job.work)?
            };
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

/// The first call of a transaction: until it has ended there is nothing else in it. (A savepoint
/// keeps a copy of each page that is changed.)
///
/// # Errors
///
/// When the transaction as a whole is broken; what a call has to say is the answer.
fn alone(context: &Context<'_>, work: Work) -> rusqlite::Result<Answer> {
    let answer = caught(context, work);
    if answer.is_err() {
        execute(context.connection, "ROLLBACK")?;
        execute(context.connection, "BEGIN IMMEDIATE")?;
    }
    Ok(answer)
}

/// # Errors
///
/// As [`alone`].
fn in_savepoint(context: &Context<'_>, work: Work) -> rusqlite::Result<Answer> {
    let run = |sql| execute(context.connection, sql);
    run("SAVEPOINT call")?;
    let answer = caught(context, work);
    if answer.is_err() {
        run("ROLLBACK TO call")?;
    }
    run("RELEASE call")?;
    Ok(answer)
}

fn caught(context: &Context<'_>, work: Work) -> Answer {
    catch_unwind(AssertUnwindSafe(|| work(context))).unwrap_or_else(|_| {
        Err(ApiError::new(ErrorCode::InternalError, "the call panicked; nothing was written"))
    })
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
