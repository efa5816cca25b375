//! One request to the collector, one answer.

use super::{
    OtlpError,
    number::{partial_success, response},
    protobuf::{Field, Malformed, Reader, text},
};
use crate::outbound::{self, Address, Secret};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use reqwest::{
    Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use std::{fmt, time::Duration};

const PATH: &str = "/v1/traces";
const PROTOBUF: &str = "application/x-protobuf";
/// An answer says at most how many spans were refused, and why.
const MAX_ANSWER: usize = 64 * 1024;
const MAX_MESSAGE: usize = 300;
/// The field of `google.rpc.Status` that says what is wrong.
const STATUS_MESSAGE: u64 = 2;

pub(super) struct Client {
    http: reqwest::Client,
    url: Url,
    /// Secrets, as far as is known.
    pub(super) headers: HeaderMap,
    /// For one request, from connecting to the end of the answer.
    pub(super) timeout: Duration,
}

impl Client {
    /// Of the collector at `endpoint`; `is_whole` if that is where spans are sent, and not what stands
    /// before `/v1/traces`.
    pub(super) fn new(
        endpoint: &str,
        is_whole: bool,
        timeout: Duration,
    ) -> Result<Self, OtlpError> {
        let Address { mut url, credentials } = Address::parse(endpoint)
            .map_err(|wrong| OtlpError::Address { uri: wrong.shown, reason: wrong.reason })?;
        let base = url.path().trim_end_matches('/').to_owned();
        if !is_whole && !base.ends_with(PATH) {
            url.set_path(&(base + PATH));
        }
        let http = outbound::client(&url).map_err(OtlpError::Client)?;
        let http = http.build().map_err(|error| OtlpError::Client(error.into()))?;
        let mut client = Self { http, url, headers: HeaderMap::new(), timeout };
        if let Some((user, Secret(password))) = credentials {
            let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            client.set_header(AUTHORIZATION.as_str(), &basic)?;
        }
        Ok(client)
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) -> Result<(), OtlpError> {
        let wrong = |reason| OtlpError::Header { name: name.to_owned(), reason };
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong("this is no name of a header"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| wrong("its value holds what a header may not"))?;
        value.set_sensitive(true);
        self.headers.insert(key, value);
        Ok(())
    }

    /// Where spans are sent, without credentials.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Sends once.
    pub(super) async fn send(&self, body: &Bytes) -> Result<(), OtlpError> {
        let request = self
            .http
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, PROTOBUF)
            .timeout(self.timeout)
            .body(body.clone());
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status();
        let header = |name| Some(answer.headers().get(name)?.to_str().ok()?.to_owned());
        // Given as a date, it is left to our own pauses.
        let retry_after = header(RETRY_AFTER).and_then(|text| text.trim().parse().ok());
        let is_protobuf = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(PROTOBUF));
        let body = read(answer).await.map_err(no_answer)?;
        if status.is_success() {
            return match if is_protobuf { refused(&body) } else { Ok(None) } {
                Ok(Some((rejected, message))) => Err(OtlpError::PartlyTaken { rejected, message }),
                // What is no answer of the protocol says nothing of any span.
                Ok(None) | Err(Malformed) => Ok(()),
            };
        }
        let message = if is_protobuf { error_message(&body) } else { text(&body) };
        Err(OtlpError::Answered { status: status.as_u16(), message: short(&message), retry_after })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Client")
            .field("url", &self.url())
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            break;
        }
    }
    Ok(body)
}

fn no_answer(error: reqwest::Error) -> OtlpError {
    // The address is the operator's own, and may say more than a log should.
    OtlpError::NoAnswer(error.without_url().into())
}

/// How many spans an `ExportTraceServiceResponse` says were refused, and why.
fn refused(body: &[u8]) -> Result<Option<(u64, String)>, Malformed> {
    let (mut rejected, mut why) = (0, String::new());
    let mut reader = Reader::new(body);
    while let Some(field) = reader.next()? {
        let (response::PARTIAL_SUCCESS, Field::Bytes(partial)) = field else { continue };
        let mut reader = Reader::new(partial);
        while let Some(field) = reader.next()? {
            match field {
                (partial_success::REJECTED_SPANS, Field::Varint(spans)) => rejected = spans,
                (partial_success::ERROR_MESSAGE, Field::Bytes(message)) => why = text(message),
                _ => {}
            }
        }
    }
    Ok((rejected > 0).then(|| (rejected, short(&why))))
}

/// What a `google.rpc.Status` says.
fn error_message(body: &[u8]) -> String {
    let mut reader = Reader::new(body);
    while let Ok(Some(field)) = reader.next() {
        if let (STATUS_MESSAGE, Field::Bytes(message)) = field {
            return text(message);
        }
    }
    String::new()
}

fn short(message: &str) -> String {
    message.trim().chars().take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(endpoint: &str, is_whole: bool) -> String {
        Client::new(endpoint, is_whole, Duration::ZERO).unwrap().url().to_owned()
    }

    #[test]
    fn spans_are_sent_below_the_endpoint() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://otel.example/base/", "https://otel.example/base/v1/traces"),
            ("http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318/v1/traces"),
        ] {
            assert_eq!(url(endpoint, false), expected);
        }
        assert_eq!(url("http://127.0.0.1:4318/traces", true), "http://127.0.0.1:4318/traces");
    }

    #[test]
    fn credentials_become_a_header_that_is_not_shown() {
        let mut client =
            Client::new("http://ann:p%40ss@127.0.0.1:4318", false, Duration::ZERO).unwrap();
        assert_eq!(client.headers[AUTHORIZATION], "Basic YW5uOnBAc3M=");
        client.set_header("x-key", "hidden").unwrap();
        let shown = format!("{client:?}");
        assert!(shown.contains("x-key") && !shown.contains("hidden"), "{shown}");
        assert!(!shown.contains("YW5u"), "{shown}");
    }

    #[test]
    fn an_address_of_something_else_is_refused_without_its_password() {
        for uri in ["grpc://u:hidden@host:4317", "127.0.0.1:4318", "u:hidden@host:4318"] {
            let error = Client::new(uri, false, Duration::ZERO).unwrap_err().to_string();
            assert!(error.ends_with("as in http://127.0.0.1:4318"), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
