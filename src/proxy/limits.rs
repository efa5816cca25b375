//! What a caller may take up.

use super::server::Server;
use crate::config::units;
use hyper_util::rt::TokioTimer;
use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// The bounds of the listener, with their defaults.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Connections open at once, tunnels included; the next one waits to be accepted.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Count"))]
    pub(super) max_connections: usize,
    /// The largest head of a request, 8KiB to 16MiB; beyond it: 431.
    #[serde(deserialize_with = "head_size")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Size"))]
    pub(super) max_head_size: usize,
    /// The most headers of a request; beyond it: 431.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Count"))]
    pub(super) max_headers: usize,
    /// For the head of a request, from its first byte to its end.
    #[serde(deserialize_with = "bound")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Bound"))]
    pub(super) head_timeout: Duration,
    /// From an answer to the end of the next head on the connection (HTTP/1.1).
    #[serde(deserialize_with = "bound")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Bound"))]
    pub(super) idle_timeout: Duration,
    /// Of TLS.
    #[serde(deserialize_with = "bound")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Bound"))]
    pub(super) handshake_timeout: Duration,
    /// Requests at once on a connection (HTTP/2).
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Count"))]
    pub(super) max_streams: u32,
    /// How often a silent peer is pinged (HTTP/2).
    #[serde(deserialize_with = "bound")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Bound"))]
    pub(super) ping_interval: Duration,
    /// A peer that does not answer a ping in this time is let go (HTTP/2).
    #[serde(deserialize_with = "bound")]
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::written::Bound"))]
    pub(super) ping_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 16_384,
            max_head_size: 64 << 10,
            max_headers: 100,
            head_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            handshake_timeout: Duration::from_secs(10),
            max_streams: 200,
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

/// The parser wants a buffer of that much.
const LEAST_HEAD: usize = 8 << 10;
/// More is no bound.
const LARGEST_HEAD: usize = 16 << 20;

impl Limits {
    pub(super) fn apply(&self, server: &mut Server) {
        server
            .http1
            .timer(TokioTimer::new())
            // Runs from the end of an answer; see `Guard` for the head alone.
            .header_read_timeout(self.idle_timeout)
            .max_buf_size(self.max_head_size);
        // At its own default the parser needs no memory for it.
        if self.max_headers != 100 {
            server.http1.max_headers(self.max_headers);
        }
        // Streams that are reset before they are answered, and those reset for a mistake, have
        // bounds of their own in the protocol's implementation (20 and 1024).
        server
            .http2
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(self.max_head_size).unwrap_or(u32::MAX))
            .max_concurrent_streams(self.max_streams)
            .keep_alive_interval(self.ping_interval)
            .keep_alive_timeout(self.ping_timeout);
    }
}

/// A time that is none would refuse everyone.
fn bound<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    units::duration(deserializer)?
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| de::Error::custom("0; write a duration, as in 30s"))
}

fn head_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let size = units::size(deserializer)?.unwrap_or_default();
    if (LEAST_HEAD..=LARGEST_HEAD).contains(&size) {
        return Ok(size);
    }
    Err(de::Error::custom(format!("{size} bytes; write a size from 8KiB to 16MiB")))
}
