//! The way of a request to its call.

use super::{
    MlflowServer, body,
    call::Call,
    doors::{self, Access},
    error::ApiError,
    input::Input,
    metrics::Kind,
    pages,
    raw::Raw,
    reply::{Body, Reply},
    routes::Found,
};
use http::{Method, Request, Response, request::Parts};
use hyper::body::Incoming;
use std::time::Instant;

/// What `/version` answers: the client asks for a minimum before it uses some calls.
const MLFLOW_VERSION: &str = "3.17.2";
/// The JSON of a call that takes no longer to write than a task may run without a pause.
const SMALL_BODY: usize = 8 * 1024;

/// Where a request leads.
enum Way {
    Call(Found),
    Page(pages::Found),
    /// No further: its name, and the answer.
    Here(&'static str, Response<Body>),
}

impl MlflowServer {
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let origin = self.doors.allowed_origin(&head.headers);
        let method = named(&head.method);
        let (name, kind, answer) = match self.way(&head) {
            Ok(Way::Call(found)) => {
                let (_, path, call) = found.route;
                (path, Some(call.kind()), self.run(found, head, body).await)
            }
            Ok(Way::Page(found)) => {
                (found.name(), Some(Kind::Read), Ok(self.page(found, head, body).await))
            }
            Ok(Way::Here(name, response)) => {
                body::hear_out(&head.headers, body);
                (name, None, Ok(response))
            }
            Err((name, error)) => {
                body::hear_out(&head.headers, body);
                (name, None, Err(error))
            }
        };
        let mut response = answer.unwrap_or_else(|error| error.into_reply().into_response());
        self.doors.mark(origin, &mut response);
        let status = response.status();
        self.inner.counters.answered(
            method,
            name,
            status,
            kind.map(|kind| (kind, began.elapsed())),
        );
        response
    }

    /// Through the doors and to a call; or not, and what that is counted as.
    fn way(&self, head: &Parts) -> Result<Way, (&'static str, ApiError)> {
        if let Some(response) = self.doors.preflight(head) {
            return Ok(Way::Here("preflight", response));
        }
        let path = head.uri.path();
        if let Some(found) = self.inner.pages.find(path) {
            return Ok(Way::Page(found));
        }
        let access = match (path, self.doors.pass(head)) {
            // Whether it is there, and what it is, anyone may ask.
            ("/health", _) => return Ok(Way::Here("/health", Reply::text("OK").into_response())),
            ("/version", _) => {
                return Ok(Way::Here("/version", Reply::text(MLFLOW_VERSION).into_response()));
            }
            (_, Ok(access)) => access,
            (_, Err(error)) => return Err(("refused", error)),
        };
        let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
        if path == "/metrics" && method == Method::GET {
            return Ok(Way::Here("/metrics", self.metrics().page().into_response()));
        }
        let found = self.inner.routes.find(method, path).map_err(|error| ("unknown", error))?;
        let (_, _, call) = found.route;
        if access == Access::ReadOnly && call.writes(method) {
            return Err(("refused", doors::only_reads()));
        }
        Ok(Way::Call(found))
    }

    async fn run(
        &self,
        found: Found,
        head: Parts,
        body: Incoming,
    ) -> Result<Response<Body>, ApiError> {
        let (method, _, call) = found.route;
        let parts = |mut input: Input| {
            for (name, part) in found.parts {
                input.set(&name, part)?;
            }
            Ok::<_, ApiError>(input)
        };
        let query = || Input::of_query(head.uri.query().unwrap_or_default());
        let (readers, writer) = (&self.inner.readers, &self.inner.writer);
        let reply = match call {
            Call::Raw(handler) => {
                let input = parts(query())?;
                let (readers, writer) = (readers.clone(), writer.clone());
                let artifacts = self.artifacts.clone();
                let request = Request::from_parts(head, body);
                return handler(Raw { readers, writer, artifacts, request, input }).await;
            }
            Call::Read(handler) if method == Method::GET => {
                let input = parts(query())?;
                body::hear_out(&head.headers, body);
                readers.run(move |context| handler(context, input)).await?
            }
            Call::Read(handler) => {
                let input = parts(Input::of_body(body::read(&head.headers, body).await?))?;
                readers.run(move |context| handler(context, input)).await?
            }
            Call::Write(handler) => {
                let input = parts(Input::of_body(body::read(&head.headers, body).await?))?;
                writer.run(Box::new(move |context| handler(context, input))).await?
            }
            Call::Checked(check) => {
                let body = body::read(&head.headers, body).await?;
                let is_small = body.len() <= SMALL_BODY;
                let work = check(parts(Input::of_body(body))?)?;
                if is_small { writer.run_small(work).await? } else { writer.run(work).await? }
            }
        };
        Ok(reply.into_response())
    }
}

/// A method as it is counted: there are so many.
fn named(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| method == *known).unwrap_or("other")
}
