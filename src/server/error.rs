//! Errors as MLflow writes them: a code and a message.

use super::reply::Reply;
use crate::store::StoreError;
use http::StatusCode;
use serde_json::json;
use std::fmt;

/// Why a call was refused, as the client is told.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

/// MLflow's error codes (`databricks.proto`), as far as they are used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorCode {
    BadRequest,
    EndpointNotFound,
    /// The path and the headers have more bytes than they may have.
    HeadTooLarge,
    InternalError,
    InvalidParameterValue,
    InvalidState,
    NotImplemented,
    PermissionDenied,
    RequestLimitExceeded,
    ResourceAlreadyExists,
    ResourceDoesNotExist,
    /// The disk is full.
    StorageFull,
    TemporarilyUnavailable,
    /// The body has more bytes than it may have.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    Unauthenticated,
}

impl ErrorCode {
    const fn name_and_status(self) -> (&'static str, StatusCode) {
        match self {
            Self::BadRequest => ("BAD_REQUEST", StatusCode::BAD_REQUEST),
            Self::EndpointNotFound => ("ENDPOINT_NOT_FOUND", StatusCode::NOT_FOUND),
            Self::HeadTooLarge => {
                ("RESOURCE_LIMIT_EXCEEDED", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            }
            Self::InternalError => ("INTERNAL_ERROR", StatusCode::INTERNAL_SERVER_ERROR),
            Self::InvalidParameterValue => ("INVALID_PARAMETER_VALUE", StatusCode::BAD_REQUEST),
            Self::InvalidState => ("INVALID_STATE", StatusCode::INTERNAL_SERVER_ERROR),
            Self::NotImplemented => ("NOT_IMPLEMENTED", StatusCode::NOT_IMPLEMENTED),
            Self::PermissionDenied => ("PERMISSION_DENIED", StatusCode::FORBIDDEN),
            Self::RequestLimitExceeded => ("REQUEST_LIMIT_EXCEEDED", StatusCode::TOO_MANY_REQUESTS),
            Self::ResourceAlreadyExists => ("RESOURCE_ALREADY_EXISTS", StatusCode::BAD_REQUEST),
            Self::ResourceDoesNotExist => ("RESOURCE_DOES_NOT_EXIST", StatusCode::NOT_FOUND),
            // (MLflow's client tries again on 500, 503 and 429; that helps neither of these.)
            Self::StorageFull => ("RESOURCE_EXHAUSTED", StatusCode::INSUFFICIENT_STORAGE),
            Self::TooLarge => ("RESOURCE_LIMIT_EXCEEDED", StatusCode::PAYLOAD_TOO_LARGE),
            Self::TooSlow => ("BAD_REQUEST", StatusCode::REQUEST_TIMEOUT),
            Self::TemporarilyUnavailable => {
                ("TEMPORARILY_UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Unauthenticated => ("UNAUTHENTICATED", StatusCode::UNAUTHORIZED),
        }
    }
}

impl ApiError {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameterValue, message)
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::invalid(format!(
            "Missing value for required parameter '{name}'. See the API docs for more information \
             about request parameters."
        ))
    }

    pub(super) fn none(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ResourceDoesNotExist, message)
    }

    pub(super) fn exists(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ResourceAlreadyExists, message)
    }

    /// Whether it says that there is no such thing.
    pub(super) fn is_none(&self) -> bool {
        self.code == ErrorCode::ResourceDoesNotExist
    }

    pub(super) fn status(&self) -> StatusCode {
        self.code.name_and_status().1
    }

    pub(super) fn into_reply(self) -> Reply {
        let (error_code, status) = self.code.name_and_status();
        Reply::json(&json!({ "error_code": error_code, "message": self.message }))
            .with_status(status)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name_and_status().0, self.message)
    }
}

/// The file, not the caller, is at fault. What it is goes to the log of the server.
impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::warn!(%error, "the store could not answer");
        Self::new(ErrorCode::InternalError, format!("the store could not answer: {error}"))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ReadOnly { .. } => {
                Self::new(ErrorCode::PermissionDenied, "the store was opened for reading only")
            }
            error => {
                tracing::warn!(%error, "the store could not answer");
                Self::new(ErrorCode::TemporarilyUnavailable, error.to_string())
            }
        }
    }
}
