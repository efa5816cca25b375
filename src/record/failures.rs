//! Which responses are failures.

use crate::branch::{Failure, FailureKind};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Deserializer, de};
use std::{
    fmt,
    ops::{Deref, RangeInclusive},
    sync::{Arc, LazyLock},
};

/// Which complete responses are failures (of kind `status`): by default those with a status of 500
/// or above, and over gRPC those that end with one of the codes for which the server is to
/// blame.
///
/// A response whose `content-type` begins with `application/grpc` is judged by its `grpc-status`,
/// in its trailers or, if it has no body, in its headers; and by its HTTP status like any other.
/// Without a `grpc-status` (gRPC-Web has it in the body) the HTTP status alone counts. The default
/// codes are those that OpenTelemetry's semantic conventions for gRPC call an error of the server:
/// UNKNOWN (2), DEADLINE_EXCEEDED (4), UNIMPLEMENTED (12), INTERNAL (13), UNAVAILABLE (14) and
/// DATA_LOSS (15).
///
/// ```
/// use tower_spearmint::record::{Failures, MemoryBackend};
/// use tower_spearmint::{LogLayer, Recorder};
///
/// let (recorder, _recording) = Recorder::pair(MemoryBackend::new());
/// let failures = Failures::default().status([500..=599, 429..=429]).grpc_status([13, 14]);
/// let layer = LogLayer::new(recorder).failures(failures);
/// # let _ = layer;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Failures {
    /// The statuses that are failures: 429, or a range, as in 500-599.
    #[serde(deserialize_with = "statuses")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::config::schema::written::Statuses>", extend("default" = ["500-599"])))]
    status: Vec<RangeInclusive<u16>>,
    /// The codes of gRPC that are failures: 14, or UNAVAILABLE.
    #[serde(deserialize_with = "codes")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<crate::config::schema::written::GrpcCode>")
    )]
    grpc_status: Vec<u16>,
}

impl Default for Failures {
    fn default() -> Self {
        Self { status: vec![500..=599], grpc_status: vec![2, 4, 12, 13, 14, 15] }
    }
}

/// The codes of gRPC, in order (`doc/statuscodes.md` of the specification).
const GRPC_NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// How much of a `grpc-message` is kept, in characters.
const MAX_MESSAGE: usize = 256;

impl Failures {
    /// The HTTP statuses that are failures, instead of 500 to 599.
    #[must_use]
    pub fn status(mut self, ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        self.status = ranges.into_iter().collect();
        self
    }

    /// The codes of gRPC that are failures, instead of the default ones.
    #[must_use]
    pub fn grpc_status(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.grpc_status = codes.into_iter().collect();
        self
    }

    /// The failure that the head of a response tells of.
    pub(crate) fn of_head(&self, status: StatusCode, headers: &HeaderMap) -> Option<Failure> {
        if self.status.iter().any(|range| range.contains(&status.as_u16())) {
            return Some(by_status(status));
        }
        if is_grpc(headers) { self.of_grpc(headers) } else { None }
    }

    /// Whether a complete answer is a failure.
    pub(crate) fn include(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        trailers: Option<&HeaderMap>,
    ) -> bool {
        self.of_head(status, headers).is_some()
            || (is_grpc(headers) && trailers.is_some_and(|fields| self.of_grpc(fields).is_some()))
    }

    /// The failure that the trailers of a gRPC response tell of, or its headers.
    pub(crate) fn of_grpc(&self, fields: &HeaderMap) -> Option<Failure> {
        let code: u16 = fields.get("grpc-status")?.to_str().ok()?.trim().parse().ok()?;
        if !self.grpc_status.contains(&code) {
            return None;
        }
        let message = fields.get("grpc-message").map(|message| percent_decoded(message.as_bytes()));
        let message = message.filter(|message| !message.is_empty()).unwrap_or_else(|| {
            GRPC_NAMES.get(usize::from(code)).copied().unwrap_or("no message").to_owned()
        });
        let message = format!("grpc-status {code}: {message}");
        Some(Failure::new(FailureKind::Status, message).with_type("grpc-status"))
    }
}

/// The rules of a layer; the default ones until it is given others.
#[derive(Debug, Clone)]
pub(crate) struct Classifier(Option<Arc<Failures>>);

impl Classifier {
    pub(super) const DEFAULT: Self = Self(None);

    pub(super) fn new(failures: Failures) -> Self {
        Self(Some(Arc::new(failures)))
    }
}

impl Deref for Classifier {
    type Target = Failures;

    fn deref(&self) -> &Failures {
        static DEFAULT: LazyLock<Failures> = LazyLock::new(Failures::default);
        self.0.as_deref().unwrap_or_else(|| &DEFAULT)
    }
}

/// A failure that its status tells of.
pub(crate) fn by_status(status: StatusCode) -> Failure {
    Failure::new(FailureKind::Status, status.to_string()).with_type("http::StatusCode")
}

/// Whether the trailers say how it ended.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// A `grpc-message` as text (gRPC over HTTP/2, "Status-Message"), cut to what is kept.
fn percent_decoded(message: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(message.len());
    let mut rest = message;
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(h, l)| h << 4 | l),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    let text = String::from_utf8_lossy(&bytes);
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `429`, or `500-599`.
fn statuses<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<RangeInclusive<u16>>, D::Error> {
    let range = |text: &str| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (100 <= from && from <= to && to <= 999).then_some(from..=to)
    };
    listed(deserializer, |found| range(found).ok_or("a status (429) or a range of them (500-599)"))
}

/// `14`, or `UNAVAILABLE`.
fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    listed(deserializer, |found| {
        let named = GRPC_NAMES.iter().position(|name| *name == found);
        let code = named.and_then(|at| u16::try_from(at).ok()).or_else(|| found.parse().ok());
        code.filter(|code| *code <= 16).ok_or("a code of gRPC (14) or its name (UNAVAILABLE)")
    })
}

fn listed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Vec<T>, D::Error> {
    let found = Vec::<Written>::deserialize(deserializer)?;
    let read = |one: Written| {
        let text = one.to_string();
        read(&text).map_err(|right| de::Error::custom(format!("`{text}` is not {right}")))
    };
    found.into_iter().map(read).collect()
}

/// What stands in a file: a number or a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i64),
    Text(String),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use serde_json::json;

    fn grpc(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_grpc_response_fails_where_the_server_is_to_blame() {
        let failures = Failures::default();
        let failed: Vec<u16> = (0..20)
            .filter(|code| {
                let mut fields = HeaderMap::new();
                fields.insert("grpc-status", HeaderValue::from(*code));
                failures.of_grpc(&fields).is_some()
            })
            .collect();
        assert_eq!(failed, [2, 4, 12, 13, 14, 15]);
        assert_eq!(failures.of_grpc(&HeaderMap::new()), None);
        let says = |fields: &[(&'static str, &'static str)]| {
            failures.of_grpc(&grpc(fields)).unwrap().to_string()
        };
        assert_eq!(says(&[("grpc-status", "14")]), "status: grpc-status 14: UNAVAILABLE");
        assert_eq!(
            says(&[("grpc-status", "13"), ("grpc-message", "no %E2%82%AC left: 5%, %zz")]),
            "status: grpc-status 13: no € left: 5%, %zz"
        );
    }

    #[test]
    fn the_head_tells_by_the_status_and_of_grpc_without_a_body() {
        let failures = Failures::default().status([429..=429, 500..=503]);
        let failed = |status| {
            failures.of_head(StatusCode::from_u16(status).unwrap(), &HeaderMap::new()).is_some()
        };
        let statuses = [200, 428, 429, 430, 499, 500, 503, 504].map(failed);
        assert_eq!(statuses, [false, false, true, false, false, true, true, false]);
        let only = grpc(&[("content-type", "application/grpc+proto"), ("grpc-status", "4")]);
        assert!(failures.of_head(StatusCode::OK, &only).is_some());
        // What says so by the way is not gRPC.
        let other = grpc(&[("content-type", "text/plain"), ("grpc-status", "4")]);
        assert!(failures.of_head(StatusCode::OK, &other).is_none());
    }

    #[test]
    fn what_a_file_says_is_read_or_refused() {
        let read = |value| serde_json::from_value::<Failures>(value).map_err(|e| e.to_string());
        assert_eq!(read(json!({})).unwrap(), Failures::default());
        assert_eq!(
            read(json!({ "status": ["500-599", 429], "grpc_status": [13, "UNAVAILABLE"] })),
            Ok(Failures::default().status([500..=599, 429..=429]).grpc_status([13, 14]))
        );
        for (wrong, says) in [
            (json!({ "status": [7] }), "`7` is not a status (429)"),
            (json!({ "status": ["599-500"] }), "`599-500` is not a status"),
            (json!({ "grpc_status": ["BAD"] }), "`BAD` is not a code of gRPC"),
            (json!({ "grpc_status": [17] }), "`17` is not a code"),
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
