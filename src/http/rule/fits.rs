//! Whether a request fits.

use super::{Node, Rule};
use crate::{
    assign::Eligible,
    config::Exact,
    http::{JsonBody, cookies::cookie, matches::is_path},
};
use http::{HeaderValue, Request, header};
use serde_json::Value;

impl Rule {
    fn fits<B>(&self, request: &Request<B>, unit: Option<&[u8]>) -> bool {
        let headers = request.headers();
        match &self.0 {
            Node::All(rules) => rules.iter().all(|rule| rule.fits(request, unit)),
            Node::Any(rules) => rules.iter().any(|rule| rule.fits(request, unit)),
            Node::Not(rule) => !rule.fits(request, unit),
            Node::Header(name, wanted) => wanted.fits(headers, name),
            Node::Cookie(name, wanted) => {
                let found = cookie(headers, name);
                match wanted {
                    Ok(value) => found == Some(value.as_bytes()),
                    Err(there) => found.is_some() == *there,
                }
            }
            Node::Path(path) => is_path(path, request.uri().path()),
            Node::Method(method) => request.method() == method,
            Node::Json(pointer, value) => {
                let body = request.extensions().get::<JsonBody>();
                body.and_then(|body| body.pointer(pointer)).is_some_and(|found| same(found, value))
            }
            Node::GrpcMethod(method) => {
                let media = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
                let path = request.uri().path();
                media.is_some_and(|media| media.starts_with(b"application/grpc"))
                    && path.strip_prefix('/').is_some_and(|path| is_path(method, path))
            }
            Node::Percentage(percentage) => unit.is_some_and(|unit| percentage.has(unit)),
        }
    }
}

impl<B> Eligible<Request<B>> for Rule {
    fn is_eligible(&self, request: &Request<B>, unit: Option<&[u8]>) -> bool {
        self.fits(request, unit)
    }
}

/// 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Exact::of(a) == Exact::of(b),
        (a, b) => a == b,
    }
}
