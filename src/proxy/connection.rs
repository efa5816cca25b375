//! One connection, from its first byte to its last.

use super::{
    body::ReplyBody,
    framer::Phase,
    goodbye::{self, Heard},
    guard::Guard,
    handle::Shared,
    headers::{ClientAddr, Https},
    listener::Open,
    refuse::refused,
    server::Opening,
    socket::Socket,
    upgrade,
};
use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::Watcher};
use std::{convert::Infallible, pin::pin, sync::Arc};
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit, time::timeout};

/// What a connection takes up, and the tunnel it may become.
pub(super) struct Hold {
    shared: Arc<Shared>,
    _slot: OwnedSemaphorePermit,
    _open: Open,
    /// The end of the process waits for it.
    _watcher: Watcher,
}

impl Hold {
    pub(super) fn new(shared: &Arc<Shared>, slot: OwnedSemaphorePermit, watcher: Watcher) -> Self {
        let open = shared.counters.connection();
        Self { shared: shared.clone(), _slot: slot, _open: open, _watcher: watcher }
    }
}

pub(super) async fn serve(hold: Arc<Hold>, stream: TcpStream, client: ClientAddr) {
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
        async move {
            let counters = &hold.shared.counters;
            counters.request();
            let response = answer(request, &hold, phase).await;
            counters.response(response.status());
            Ok::<_, Infallible>(response)
        }
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
    hold: &Arc<Hold>,
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
        let (tasks, hold) = (shared.tasks.clone(), hold.clone());
        tasks.execute(async move {
            let _held = (open, hold);
            tunnel.await;
        });
    }
    response
}
