//! The call.

use super::{
    super::{
        super::{
            body as call_body,
            error::{ApiError, ErrorCode},
            experiments, input,
            raw::{Raw, RawAnswer},
            reply::Reply,
        },
        spans::{Batch, MAX_SPANS},
    },
    body, json, request,
};
use crate::otlp::{
    number::{partial_success, response},
    protobuf::Message,
};
use http::{HeaderMap, HeaderValue, header};

/// The headers in which a client names the experiment, and perhaps a run.
const EXPERIMENT: &str = "x-mlflow-experiment-id";
const RUN: &str = "x-mlflow-run-id";
const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// Keeps the spans that are sent, all or none of them; those for which a trace has no room are
/// refused one by one, as the protocol has it (`partial_success`).
pub(in crate::server::traces) fn receive(raw: Raw) -> RawAnswer {
    Box::pin(async move {
        let (head, body) = raw.request.into_parts();
        let Asked { experiment, run, is_json } = match checked(&head.headers) {
            Ok(asked) => asked,
            Err(error) => {
                call_body::hear_out(&head.headers, body);
                return Err(error);
            }
        };
        let body = call_body::read(&head.headers, body).await?;
        // Reading them takes its time.
        let read = tokio::task::spawn_blocking(move || {
            let body = body::unpacked(&head.headers, body)?;
            let read = if is_json { json::read(&body) } else { request::read(&body) };
            Batch::new(read.map_err(|_| malformed())?)
        });
        let batch = read.await.map_err(|_| malformed())??;
        let written = raw.writer.run_patiently(move |context| {
            let rejected = batch.write(context, experiment, run.as_deref())?;
            Ok(answer(rejected, is_json))
        });
        Ok(written.await?.into_response())
    })
}

struct Asked {
    experiment: i64,
    run: Option<String>,
    is_json: bool,
}

fn checked(headers: &HeaderMap) -> Result<Asked, ApiError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = text(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let is_json = match content_type.split(';').next().unwrap_or_default().trim() {
        PROTOBUF => false,
        JSON => true,
        _ => {
            return Err(ApiError::new(
                ErrorCode::BadRequest,
                format!("Invalid Content-Type: {content_type}. Expected: {PROTOBUF} or {JSON}"),
            ));
        }
    };
    let experiment = input::required(text(EXPERIMENT).map(str::to_owned), EXPERIMENT)?;
    let experiment = experiments::parse_id(&experiment)?;
    Ok(Asked { experiment, run: text(RUN).map(str::to_owned), is_json })
}

fn malformed() -> ApiError {
    ApiError::new(ErrorCode::BadRequest, "Invalid OpenTelemetry format")
}

/// `ExportTraceServiceResponse`: empty, or how many spans were refused and why.
fn answer(rejected: u64, is_json: bool) -> Reply {
    let why = format!("a trace has at most {MAX_SPANS} spans");
    if is_json {
        return match rejected {
            0 => Reply::done(),
            rejected => Reply::json(&serde_json::json!({ "partialSuccess": {
                "rejectedSpans": rejected.to_string(), "errorMessage": why,
            } })),
        };
    }
    let mut message = Message::default();
    if rejected > 0 {
        let mut partial = Message::default();
        partial.varint(partial_success::REJECTED_SPANS, rejected);
        partial.bytes(partial_success::ERROR_MESSAGE, why.as_bytes());
        message.message(response::PARTIAL_SUCCESS, &partial);
    }
    Reply::bytes(HeaderValue::from_static(PROTOBUF), message.into_bytes())
}
