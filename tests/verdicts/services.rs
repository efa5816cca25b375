//! Services that differ in one thing each.

use crate::support::{Upstream, respond, upstream};
use std::{net::SocketAddr, time::Duration};

/// How a service behaves.
#[derive(Clone, Copy)]
struct Behaviour {
    name: &'static str,
    takes: Duration,
    /// Of 1,000 requests so many fail.
    failing: u64,
}

/// What an answer takes: so long that what a busy machine adds to it is little.
pub const TAKES: Duration = Duration::from_millis(200);

const STABLE: Behaviour = Behaviour { name: "stable", takes: TAKES, failing: 0 };
/// One more in 100.
const FAILING: Behaviour = Behaviour { name: "failing", failing: 10, ..STABLE };
/// By a fifth.
const SLOWER: Behaviour = Behaviour { name: "slower", takes: Duration::from_millis(240), ..STABLE };
const EQUAL: Behaviour = Behaviour { name: "equal", ..STABLE };

/// Four that run: `stable`, `failing`, `slower` and `equal`.
pub struct Services([Upstream; 4]);

impl Services {
    pub async fn start() -> Self {
        Self([start(STABLE).await, start(FAILING).await, start(SLOWER).await, start(EQUAL).await])
    }

    pub fn addresses(&self) -> [SocketAddr; 4] {
        self.0.each_ref().map(|service| service.address)
    }
}

/// Which requests fail depends on their path and on the service alone.
async fn start(Behaviour { name, takes, failing }: Behaviour) -> Upstream {
    upstream(move |request| {
        let luck = scatter(name.bytes().chain(request.uri().path().bytes()));
        async move {
            tokio::time::sleep(takes).await;
            if luck % 1_000 < failing { respond(500, "no") } else { respond(200, "yes") }
        }
    })
    .await
}

/// FNV-1a, and SplitMix64's last steps: enough to scatter numbers.
fn scatter(bytes: impl Iterator<Item = u8>) -> u64 {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_u64)
    });
    let mixed = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// The experiment between them. (The median is that of the services on a busy machine, too; what few answers take
/// longest is not.)
pub fn experiment(strategy: &str) -> String {
    format!(
        "
experiment: ranker
ui: {{ listen: '127.0.0.1:0' }}
{strategy}
metrics:
  error_rate: {{ role: guardrail, margin: 0.2% }}
  latency_p50: {{ role: guardrail, margin: 10% }}
configs:
  - {{ config_id: stable, upstream: UPSTREAM_A }}
  - {{ config_id: failing, upstream: UPSTREAM_B }}
  - {{ config_id: slower, upstream: UPSTREAM_C }}
  - {{ config_id: equal, upstream: UPSTREAM_D }}
"
    )
}
