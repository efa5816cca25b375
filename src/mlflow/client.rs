//! One request to MLflow, one answer.

use super::{MlflowError, address::Auth};
use crate::outbound;
use reqwest::{Method, Url, header};
use serde_json::Value;
use std::time::Duration;

/// MLflow's answers to what is asked here are a few kilobytes.
const MAX_ANSWER: usize = 4 << 20;
const MAX_MESSAGE: usize = 1_000;

/// A request, ready to be sent more than once.
pub(super) struct Call {
    method: Method,
    path: String,
    query: Option<(&'static str, String)>,
    header: Option<(&'static str, String)>,
    body: Vec<u8>,
    content_type: &'static str,
}

impl Call {
    /// `GET` of the tracking API with one query parameter.
    pub(super) fn get(name: &str, key: &'static str, value: &str) -> Self {
        Self {
            method: Method::GET,
            path: format!("api/2.0/mlflow/{name}"),
            query: Some((key, value.to_owned())),
            header: None,
            body: Vec::new(),
            content_type: "application/json",
        }
    }

    /// `POST` of the tracking API.
    pub(super) fn post(name: &str, body: &Value) -> Self {
        Self {
            method: Method::POST,
            path: format!("api/2.0/mlflow/{name}"),
            query: None,
            header: None,
            body: body.to_string().into_bytes(),
            content_type: "application/json",
        }
    }

    /// Tells of a whole trace, whose spans were sent.
    #[cfg(feature = "store")]
    pub(super) fn start_trace(body: &Value) -> Self {
        Self { path: "api/3.0/mlflow/traces".to_owned(), ..Self::post("", body) }
    }

    /// Spans in OpenTelemetry's protocol, for an experiment.
    #[cfg(feature = "store")]
    pub(super) fn spans(experiment_id: &str, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            path: "v1/traces".to_owned(),
            query: None,
            header: Some(("x-mlflow-experiment-id", experiment_id.to_owned())),
            body,
            content_type: "application/json",
        }
    }

    /// Uploads an artifact through the server.
    pub(super) fn put_artifact(path: &str, body: Vec<u8>) -> Self {
        Self {
            method: Method::PUT,
            path: format!("api/2.0/mlflow-artifacts/artifacts/{path}"),
            query: None,
            header: None,
            body,
            content_type: "text/plain; charset=utf-8",
        }
    }

    pub(super) fn path(&self) -> String {
        format!("/{}", self.path)
    }
}

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) base: Url,
    pub(super) auth: Auth,
    /// For one request, from connecting to the end of the answer.
    pub(super) timeout: Duration,
}

impl Client {
    pub(super) fn new(base: Url, auth: Auth, timeout: Duration) -> Result<Self, MlflowError> {
        let mut http = outbound::client(&base).map_err(MlflowError::Client)?;
        if base.scheme() == "http" {
            // MLflow's own server answers a kept connection 40 ms later than a new one: it sends
            // head and body as two packets with Nagle's algorithm on, and the second waits for
            // the delayed acknowledgement of the first. A new connection is acknowledged at
            // once, and without TLS it costs one round trip. (The server is asked to close, so
            // that the ports of closed connections are not ours to run out of.)
            let close = header::HeaderValue::from_static("close");
            http = http.default_headers([(header::CONNECTION, close)].into_iter().collect());
        }
        let http = http.build().map_err(|error| MlflowError::Client(error.into()))?;
        Ok(Self { http, base, auth, timeout })
    }

    /// Sends once.
    pub(super) async fn send(&self, call: &Call) -> Result<Value, MlflowError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), call.path));
        if let Some((key, value)) = &call.query {
            url.query_pairs_mut().append_pair(key, value);
        }
        let mut request = self
            .http
            .request(call.method.clone(), url)
            .timeout(self.timeout)
            .header(header::CONTENT_TYPE, call.content_type)
            .body(call.body.clone());
        if let Some((name, value)) = &call.header {
            request = request.header(*name, value);
        }
        let answer =
            self.auth.add_to(request).send().await.map_err(|error| no_answer(call, error))?;
        let status = answer.status().as_u16();
        let text = |name| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
        // Given as a date, it is left to our own pauses.
        let retry_after = text(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        let location = text(header::LOCATION);
        let success = answer.status().is_success();
        let body = read(answer).await.map_err(|error| no_answer(call, error))?;
        let value = serde_json::from_slice::<Value>(&body);
        if success {
            return match value {
                Ok(value) => Ok(value),
                Err(_) if body.is_empty() => Ok(Value::Null),
                Err(_) => Err(MlflowError::Unexpected { path: call.path(), missing: "JSON" }),
            };
        }
        let value = value.unwrap_or_default();
        let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let message = match location {
            Some(to) if (300..400).contains(&status) => format!("it is at {to}"),
            // (MLflow's endpoint for OpenTelemetry is of another framework.)
            _ if value["message"].is_null() => field("detail"),
            _ => field("message"),
        };
        Err(MlflowError::Answered {
            path: call.path(),
            status,
            error_code: field("error_code"),
            message: message.chars().take(MAX_MESSAGE).collect(),
            retry_after,
        })
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            break;
        }
    }
    Ok(body)
}

fn no_answer(call: &Call, error: reqwest::Error) -> MlflowError {
    MlflowError::NoAnswer {
        path: call.path(),
        maybe_received: !(error.is_connect() || error.is_builder()),
        // The address is the operator's own, and may say more than a log should.
        source: error.without_url().into(),
    }
}
