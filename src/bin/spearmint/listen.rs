//! Where the commands listen, and until when.

use crate::output::note;
use std::{io, net::SocketAddr};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tower_spearmint::BoxError;

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, BoxError> {
    TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another address").into()
    })
}

/// Resolves at the first SIGTERM or SIGINT, and says what is waited for; the second ends the process
/// at once.
pub(crate) fn stop_signal(waiting_for: &'static str) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let code = tokio::select! {
            _ = terminate.recv() => 143,
            _ = interrupt.recv() => 130,
        };
        note(&format!("stopping: waiting for {waiting_for} (a second signal ends at once)"));
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(code);
        });
    })
}
