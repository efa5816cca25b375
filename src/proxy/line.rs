//! One connection to an upstream, and who drives it.

use super::{
    body::{ProxyBody, take},
    connector::Io,
};
use futures_util::task::AtomicWaker;
use http::{Method, Request, Response, header};
use http_body::Body;
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{Connection, SendRequest},
    },
};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};
use tokio::task::JoinHandle;

/// A connection that carries one exchange after the other.
pub(super) struct Line {
    /// `None` when the connection is over.
    sender: Option<SendRequest<ProxyBody>>,
    /// `None` when the connection has a task of its own, or is over.
    driver: Option<Driver>,
    /// That task, while it runs.
    task: Option<JoinHandle<()>>,
    /// Nothing more is sent on it: after a CONNECT it may be a tunnel, whatever the answer was.
    is_last: bool,
}

/// Why there is no response.
pub(super) enum NoAnswer {
    /// The connection is over. The request is where it was.
    Closed,
    /// Nothing of the request was sent, and it is back where it was.
    Unsent(hyper::Error),
    Lost(hyper::Error),
}

impl NoAnswer {
    /// Puts the request back if there is anything of it.
    pub(super) fn new(
        mut error: TrySendError<Request<ProxyBody>>,
        request: &mut Request<ProxyBody>,
    ) -> Self {
        match error.take_message() {
            Some(unsent) => {
                *request = unsent;
                Self::Unsent(error.into_error())
            }
            None => Self::Lost(error.into_error()),
        }
    }
}

impl Line {
    pub(super) fn new(
        sender: SendRequest<ProxyBody>,
        connection: Connection<Io, ProxyBody>,
    ) -> Self {
        let driver = Some(Driver::new(connection));
        Self { sender: Some(sender), driver, task: None, is_last: false }
    }

    /// Takes the request out, sends it and waits for the head of the response.
    pub(super) async fn send(
        &mut self,
        request: &mut Request<ProxyBody>,
    ) -> Result<Response<Incoming>, NoAnswer> {
        self.is_last = request.method() == Method::CONNECT;
        if self.is_last
            || !request.body().is_end_stream()
            || request.headers().contains_key(header::UPGRADE)
        {
            self.leave_to_itself();
        }
        let Some(sender) = &mut self.sender else { return Err(NoAnswer::Closed) };
        let mut response = pin!(sender.try_send_request(take(request)));
        let response = poll_fn(|cx| match &mut self.driver {
            Some(driver) => driver.drive(cx, |cx| response.as_mut().poll(cx)),
            None => {
                let polled = response.as_mut().poll(cx);
                if polled.is_pending()
                    && let Some(task) = &mut self.task
                    && Pin::new(task).poll(cx).is_ready()
                {
                    // What was put into the task's queue as the task ended, on another thread, is taken
                    // out by nobody. It comes back when the queue is dropped, with all who could send.
                    (self.task, self.sender) = (None, None);
                    return response.as_mut().poll(cx);
                }
                polled
            }
        });
        response.await.map_err(|error| NoAnswer::new(error, request))
    }

    /// Polls what waits for this connection, and the connection.
    pub(super) fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        match &mut self.driver {
            Some(driver) => driver.drive(cx, poll),
            None => poll(cx),
        }
    }

    fn leave_to_itself(&mut self) {
        if let Some(connection) = self.driver.take().and_then(|driver| driver.connection) {
            self.task = Some(tokio::spawn(async move {
                if let Err(error) = connection.with_upgrades().await {
                    tracing::debug!(%error, "a connection to an upstream ended");
                }
            }));
        }
    }

    /// After a response: whether it can take the next request at once.
    pub(super) fn rest(&mut self) -> bool {
        if let Some(driver) = &mut self.driver {
            driver.rest();
        }
        !self.is_last && self.is_ready()
    }

    /// Whether it has something to do yet before the next request, and does it by itself.
    pub(super) fn is_busy(&self) -> bool {
        !self.is_last
            && self.driver.is_none()
            && self.sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Whether it can take another request, once it has done what it is busy with.
    pub(super) async fn rested(&mut self) -> bool {
        match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        }
    }

    /// Whether an idle connection is still there, as far as is known.
    pub(super) fn is_open(&mut self) -> bool {
        if let Some(driver) = &mut self.driver
            && driver.gate.stirred.load(SeqCst)
        {
            driver.rest();
        }
        self.is_ready()
    }

    fn is_ready(&self) -> bool {
        self.sender.as_ref().is_some_and(SendRequest::is_ready)
    }
}

/// A connection that is polled together with what waits for it. Each wakes the other at almost
/// every step; the gate keeps that between the two.
struct Driver {
    /// `None` when it is over.
    connection: Option<Box<Connection<Io, ProxyBody>>>,
    gate: Arc<Gate>,
    waker: Waker,
}

/// How often the two are polled in turn before others get their turn.
const TURNS: usize = 8;

impl Driver {
    fn new(connection: Connection<Io, ProxyBody>) -> Self {
        let gate = Arc::new(Gate::default());
        let waker = Waker::from(gate.clone());
        Self { connection: Some(Box::new(connection)), gate, waker }
    }

    fn drive<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.gate.task.register(cx.waker());
        self.gate.inside.store(true, SeqCst);
        for _ in 0..TURNS {
            if let Poll::Ready(done) = poll(&mut Context::from_waker(&self.waker)) {
                self.gate.inside.store(false, SeqCst);
                return Poll::Ready(done);
            }
            self.gate.stirred.store(false, SeqCst);
            let is_over = self.poll_connection();
            if !is_over && !self.gate.stirred.load(SeqCst) {
                break;
            }
        }
        self.gate.inside.store(false, SeqCst);
        // Stirred by another thread in the meantime, or for the last turn's sake.
        if self.gate.stirred.load(SeqCst) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Lets an idle connection be, after a last look: nobody is woken for it.
    fn rest(&mut self) {
        self.gate.inside.store(true, SeqCst);
        self.gate.stirred.store(false, SeqCst);
        self.gate.task.take();
        self.poll_connection();
        self.gate.inside.store(false, SeqCst);
    }

    /// Whether it ended just now. How is told to whoever waits for the response.
    fn poll_connection(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        let is_over =
            Pin::new(&mut **connection).poll(&mut Context::from_waker(&self.waker)).is_ready();
        if is_over {
            self.connection = None;
        }
        is_over
    }
}

/// Wakes the task outside, unless it is the one that is being polled.
#[derive(Default)]
struct Gate {
    task: AtomicWaker,
    inside: AtomicBool,
    stirred: AtomicBool,
}

impl Wake for Gate {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    // Either this sees that nobody is inside, or whoever is sees, on leaving, that it was stirred.
    fn wake_by_ref(self: &Arc<Self>) {
        self.stirred.store(true, SeqCst);
        if !self.inside.load(SeqCst) {
            self.task.wake();
        }
    }
}
