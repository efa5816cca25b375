//! What a failure says about a branch.

use crate::mlflow::MlflowError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may well succeed later.
    Again,
    /// What it was to be written to is not there any more.
    Gone,
    /// This branch will never be taken.
    Refused,
    /// None will be, until somebody does something about it.
    Denied,
}

pub(super) fn verdict(error: &MlflowError) -> Verdict {
    match error {
        // A page that somebody else sent once in a while, or always.
        MlflowError::Unexpected { .. } => Verdict::Again,
        // (A server that keeps its traces in files takes no spans.)
        MlflowError::Answered { status: 501, .. } => Verdict::Denied,
        error if error.is_transient() => Verdict::Again,
        error if error.has_code("RESOURCE_DOES_NOT_EXIST") => Verdict::Gone,
        MlflowError::Answered { status: 400 | 409 | 413 | 422, .. } => Verdict::Refused,
        _ => Verdict::Denied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_with_a_branch_costs_the_branch() {
        let answered = |status, code: &str| MlflowError::Answered {
            path: String::new(),
            status,
            error_code: code.to_owned(),
            message: String::new(),
            retry_after: None,
        };
        for (status, code, expected) in [
            (400, "INVALID_PARAMETER_VALUE", Verdict::Refused),
            (413, "", Verdict::Refused),
            (404, "RESOURCE_DOES_NOT_EXIST", Verdict::Gone),
            (404, "", Verdict::Denied),
            (401, "", Verdict::Denied),
            (302, "", Verdict::Denied),
            (429, "", Verdict::Again),
            (500, "INTERNAL_ERROR", Verdict::Again),
            (501, "", Verdict::Denied),
            (503, "", Verdict::Again),
        ] {
            assert_eq!(verdict(&answered(status, code)), expected, "{status} {code}");
        }
    }
}
