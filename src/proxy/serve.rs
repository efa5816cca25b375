//! The listener, and the end of it.

use super::{
    admin,
    body::ReplyBody,
    file::ExperimentFile,
    framer::Phase,
    goodbye::{self, Heard},
    guard::Guard,
    handle::{ProxyHandle, Shared},
    headers::{ClientAddr, Https},
    listener::Open,
    refuse::refused,
    server::Opening,
    socket::Socket,
    stack::{ProxyRequest, ProxyResponse},
    stats::ProxyStats,
    upgrade,
};
use crate::{
    BoxError,
    record::{Recorder, RecorderStats},
    strategy::StrategyRegistry,
};
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{
    rt::TokioIo,
    server::graceful::{GracefulShutdown, Watcher},
};
use std::{
    convert::Infallible, fmt, future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};

/// No system keeps more connections than this for a listener to accept.
const MAX_BACKLOG: usize = 4_096;

/// A running experiment; see [the module](super).
pub struct Proxy {
    handle: ProxyHandle,
}

/// What was left when a proxy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReport {
    /// Connections that were cut off at the deadline, tunnels included.
    pub connections_cut_off: usize,
    /// Shadows that were cut off at the deadline; they are recorded as `cancelled`.
    pub shadows_cut_off: usize,
    /// What became of the branches.
    pub recorder: RecorderStats,
}

impl Proxy {
    /// Builds the stack of layers that the file describes. The branches go to `recorder`.
    ///
    /// # Errors
    ///
    /// When something in the file is wrong that only shows now: weights that do not fit the
    /// configs, a strategy nobody knows, certificates that cannot be read.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn new(file: &ExperimentFile, recorder: Recorder) -> Result<Self, BoxError> {
        Self::with_registry(file, recorder, &StrategyRegistry::new())
    }

    /// As [`Proxy::new`], with strategies of one's own that the file may name.
    ///
    /// # Errors
    ///
    /// As [`Proxy::new`].
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn with_registry(
        file: &ExperimentFile,
        recorder: Recorder,
        registry: &StrategyRegistry<ProxyRequest, ProxyResponse>,
    ) -> Result<Self, BoxError> {
        Ok(Self { handle: ProxyHandle::new(file, recorder, registry)? })
    }

    /// What can be asked and changed while it runs.
    pub fn handle(&self) -> ProxyHandle {
        self.handle.clone()
    }

    /// The counters, now and later.
    pub fn stats(&self) -> impl Fn() -> ProxyStats + Send + Sync + 'static {
        let handle = self.handle.clone();
        move || handle.stats()
    }

    /// Serves the operator's listener (`/healthz`, `/readyz`, `/stats`, `/reload`, `/shadows`) in
    /// the background. Whoever reaches it may use it.
    pub fn serve_admin(&self, listener: TcpListener) -> tokio::task::JoinHandle<()> {
        tokio::spawn(admin::serve(listener, self.handle.clone()))
    }

    /// Serves requests until `stop` resolves; then accepts no more, and waits for those under way,
    /// for the shadows and for the records, in this order and together at most for the file's
    /// `drain_timeout`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops at once: connections are closed, shadows run on as long as the
    /// runtime does.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> ServeReport {
        let graceful = GracefulShutdown::new();
        let shared = &self.handle.0;
        let max_connections = shared.load.load().limits().max_connections;
        let slots = Arc::new(Semaphore::new(max_connections));

        shared.readiness.set(true);
        let serve = |stream, client, slot| {
            let hold = Arc::new(Hold {
                shared: shared.clone(),
                _slot: slot,
                _open: shared.counters.connection(),
                _watcher: graceful.watcher(),
            });
            shared.tasks.execute(serve_connection(hold, stream, ClientAddr(client)));
        };
        let accept = async {
            loop {
                // The semaphore is never closed.
                let Ok(slot) = slots.clone().acquire_owned().await else { return };
                match listener.accept().await {
                    Ok((stream, client)) => serve(stream, client, slot),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = accept => {}
            () = stop => {}
        }
        shared.readiness.set(false);
        for (stream, client) in let_in(listener).take(MAX_BACKLOG) {
            let Ok(slot) = slots.clone().try_acquire_owned() else { break };
            serve(stream, client, slot);
        }
        let is_open = || max_connections - slots.available_permits();
        self.drain(graceful, is_open).await
    }

    async fn drain(&self, graceful: GracefulShutdown, open: impl Fn() -> usize) -> ServeReport {
        let shared = &self.handle.0;
        let deadline = Instant::now() + shared.load.load().file.drain_timeout();
        let left = || deadline.saturating_duration_since(Instant::now());
        shared.stopping.send_replace(true);
        let connections_cut_off = match timeout_at(deadline, graceful.shutdown()).await {
            Ok(()) => 0,
            Err(_) => {
                let count = open();
                shared.tasks.cut_off().await;
                count
            }
        };
        let mut shadows_cut_off = 0;
        for shadow in self.handle.all_shadows() {
            shadows_cut_off += shadow.drain(left()).await.cut_off;
        }
        // The records of what was just cut off deserve a moment, too.
        let flush = left().max(Duration::from_secs(1));
        if let Err(error) = shared.recorder.drain(flush).await {
            tracing::error!(%error, "the recorder was not done by the deadline");
        }
        ServeReport { connections_cut_off, shadows_cut_off, recorder: shared.recorder.stats() }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("handle", &self.handle).finish()
    }
}

/// Those the system has let in already, and would reset with the listener. They are asked for
/// directly: the runtime learns of them only by and by.
fn let_in(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    let listener = listener.into_std().ok();
    std::iter::from_fn(move || {
        let (stream, client) = listener.as_ref()?.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, client))
    })
}

/// What a connection takes up, and the tunnel it may become.
struct Hold {
    shared: Arc<Shared>,
    _slot: OwnedSemaphorePermit,
    _open: Open,
    /// The end of the process waits for it.
    _watcher: Watcher,
}

async fn serve_connection(hold: Arc<Hold>, stream: TcpStream, client: ClientAddr) {
    let counters = &hold.shared.counters;
    let load = hold.shared.load.load_full();
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let mut is_https = false;
    let socket = match &load.tls {
        None => Socket::Plain(stream),
        Some(acceptor) => {
            is_https = true;
            let mut stopping = hold.shared.stopping.subscribe();
            let accept = timeout(load.limits().handshake_timeout, acceptor.accept(stream));
            let accepted = tokio::select! {
                accepted = Box::pin(accept) => accepted,
                _ = stopping.wait_for(|stopping| *stopping) => return,
            };
            match accepted {
                Ok(Ok(stream)) => Socket::Tls(Box::new(stream)),
                Ok(Err(error)) => {
                    counters.handshake_failed();
                    return tracing::debug!(%error, client = %client.0, "no TLS");
                }
                Err(_) => return counters.handshake_failed(),
            }
        }
    };
    let (phase, heard) = (Phase::default(), Heard::default());
    let limit = load.limits().head_timeout;
    let guard = Guard::new(socket, phase.clone(), heard.clone(), limit, counters.clone());
    // It may live longer than the file does.
    drop(load);
    let mut stopping = hold.shared.stopping.subscribe();
    let opened = {
        let opening = pin!(Opening::new(guard));
        goodbye::serve(opening, &heard, &mut stopping).await
    };
    let (guard, is_http2) = match opened {
        Ok(Some(opened)) => opened,
        Ok(None) => return,
        Err(error) => return tracing::debug!(%error, client = %client.0, "nothing was asked"),
    };
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(client);
        if is_https {
            request.extensions_mut().insert(Https);
        }
        let (hold, phase) = (hold.clone(), phase.clone());
        async move { Ok::<_, Infallible>(answer(request, hold, phase).await) }
    });
    let (io, load) = (TokioIo::new(guard), hold.shared.load.load_full());
    let served = if is_http2 {
        let mut connection = Box::pin(load.server.http2.serve_connection(io, service));
        drop(load);
        goodbye::serve(connection.as_mut(), &heard, &mut stopping).await
    } else {
        let connection = pin!(load.server.http1.serve_connection(io, service).with_upgrades());
        drop(load);
        goodbye::serve(connection, &heard, &mut stopping).await
    };
    if let Err(error) = served {
        if error.is_parse_too_large() {
            counters.too_large();
        } else if error.is_parse() {
            counters.malformed();
        }
        tracing::debug!(%error, client = %client.0, "a connection ended early");
    }
}

/// Answers one request, come what may.
async fn answer(
    mut request: Request<Incoming>,
    hold: Arc<Hold>,
    phase: Phase,
) -> Response<ReplyBody> {
    let shared = &hold.shared;
    let load = shared.load.load_full();
    if let Some(refusal) = refused(&request, load.limits().max_headers, load.may_connect) {
        match refusal.status() {
            StatusCode::BAD_REQUEST => shared.counters.malformed(),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => shared.counters.too_large(),
            _ => shared.counters.not_allowed(),
        }
        return refusal;
    }
    let requested = upgrade::requested(&mut request, load.may_upgrade);
    let mut response = load.stack.answer(request).await;
    if let Some(tunnel) = requested.accepted(&mut response, &phase) {
        let open = shared.counters.tunnel();
        let tasks = shared.tasks.clone();
        tasks.execute(async move {
            let _held = (open, hold);
            tunnel.await;
        });
    }
    response
}
