//! Two small services that really differ.

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;

/// How a service behaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    name: &'static str,
    /// The least it takes, and how much more it may take.
    least: Duration,
    more: Duration,
    /// Of 1,000 requests so many fail, and so many get a wrong answer.
    failing: u64,
    wrong: u64,
}

pub(super) const STABLE: Behaviour = Behaviour {
    name: "stable",
    least: Duration::from_millis(1),
    more: Duration::from_millis(2),
    failing: 0,
    wrong: 0,
};

pub(super) const CANDIDATE: Behaviour = Behaviour {
    name: "candidate",
    least: Duration::from_millis(3),
    more: Duration::from_millis(9),
    failing: 30,
    wrong: 20,
};

/// Starts the service on a free port; it ends with the runtime.
pub(super) async fn start(behaviour: Behaviour) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let service = service_fn(move |request| answer(request, behaviour));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    Ok(address)
}

/// Scores a query. What happens to a query depends only on the query and the service, so that a
/// demo shows the same every time.
async fn answer(
    request: Request<Incoming>,
    behaviour: Behaviour,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let Ok(body) = request.into_body().collect().await else {
        return Ok(status(StatusCode::BAD_REQUEST));
    };
    let query = body.to_bytes();
    let luck = scatter(&query, behaviour.name);
    let share = (luck >> 16) % 1_000;
    tokio::time::sleep(behaviour.least + behaviour.more.mul_f64(share as f64 / 1_000.0)).await;
    let turn = luck % 1_000;
    if turn < behaviour.failing {
        return Ok(status(StatusCode::INTERNAL_SERVER_ERROR));
    }
    let is_wrong = turn < behaviour.failing + behaviour.wrong;
    let score = if is_wrong { 0 } else { scatter(&query, "score") % 100 };
    // Never the same: noise, which a control shows to be none of the candidate's doing.
    let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let body = format!("{{\"score\":{score},\"at\":\"{at}\"}}");
    let mut response = Response::new(Full::from(body));
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// FNV-1a: enough to scatter queries.
fn scatter(query: &[u8], salt: &str) -> u64 {
    let mixed =
        salt.bytes().chain(query.iter().copied()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_u64)
        });
    mixed ^ (mixed >> 29)
}
