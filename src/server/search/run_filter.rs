//! What a filter of runs asks.

use super::{
    super::error::ApiError,
    clause::{self, Clause, Comparator, Name, Operand},
    condition::{NumberTest, TextTest, invalid_comparator},
};

/// One comparison of a filter of runs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) enum RunCondition {
    /// Of the latest value of a metric.
    Metric {
        key: String,
        test: NumberTest,
    },
    Param {
        key: String,
        test: TextTest,
    },
    Tag {
        key: String,
        test: TextTest,
    },
    Text {
        attribute: TextAttribute,
        test: TextTest,
    },
    Time {
        attribute: TimeAttribute,
        test: NumberTest,
    },
    /// Of any dataset that the run read.
    Dataset {
        field: DatasetField,
        test: TextTest,
    },
}

/// What a run has in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) enum TextAttribute {
    RunId,
    /// In a filter it is the tag `mlflow.runName`.
    RunName,
    UserId,
    Status,
    ArtifactUri,
}

/// When a run was, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::server) enum TimeAttribute {
    Start,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum DatasetField {
    Name,
    Digest,
    /// The tag `mlflow.data.context` of the input.
    Context,
}

/// What a name of a run's filter or order means.
pub(super) enum Subject {
    Metric(String),
    Param(String),
    Tag(String),
    Text(TextAttribute),
    Time(TimeAttribute),
    Dataset(DatasetField),
}

const OF_TEXT: &str = "=, !=, LIKE, ILIKE, IS NULL, IS NOT NULL";
const OF_ATTRIBUTE: &str = "=, !=, LIKE, ILIKE, IN, NOT IN";

impl RunCondition {
    /// Reads a filter; an empty one asks nothing.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no filter of runs.
    pub(in crate::server) fn read(filter: &str) -> Result<Vec<Self>, ApiError> {
        clause::read(filter)?.into_iter().map(Self::new).collect()
    }

    fn new(Clause { name, comparator, value }: Clause<'_>) -> Result<Self, ApiError> {
        let subject = Subject::new(name, true)?;
        if value == Operand::None && !matches!(subject, Subject::Param(_) | Subject::Tag(_)) {
            let of = name.of.unwrap_or("attribute");
            return Err(ApiError::invalid(format!(
                "IS NULL / IS NOT NULL is only supported for tags and params, not for '{of}' '{}'",
                name.key
            )));
        }
        Ok(match subject {
            Subject::Metric(key) => {
                let number = number(&value, || "metric".to_owned())?;
                Self::Metric { key, test: NumberTest::new(comparator, number)? }
            }
            Subject::Param(key) => {
                Self::Param { key, test: text(comparator, value, "parameter", OF_TEXT)? }
            }
            Subject::Tag(key) => Self::Tag { key, test: text(comparator, value, "tag", OF_TEXT)? },
            Subject::Time(attribute) => {
                let number = number(&value, || format!("numeric attribute: {}", name.key))?;
                Self::Time { attribute, test: NumberTest::new(comparator, number)? }
            }
            Subject::Text(attribute) => {
                if matches!(value, Operand::List(_)) && attribute != TextAttribute::RunId {
                    return Err(ApiError::invalid(
                        "Only ['run_id'] attributes support comparison with a list of quoted \
                         string values.",
                    ));
                }
                Self::Text { attribute, test: listed(comparator, value, "attributes")? }
            }
            Subject::Dataset(field) => {
                Self::Dataset { field, test: listed(comparator, value, "dataset attributes")? }
            }
        })
    }
}

impl Subject {
    /// `in_filter`: an order knows fewer names of the run's name.
    pub(super) fn new(Name { of, key }: Name<'_>, in_filter: bool) -> Result<Self, ApiError> {
        let owned = || key.to_owned();
        Ok(match of.unwrap_or("attribute") {
            "metric" | "metrics" => Self::Metric(owned()),
            "parameter" | "parameters" | "param" | "params" => Self::Param(owned()),
            "tag" | "tags" => Self::Tag(owned()),
            "attribute" | "attributes" | "attr" | "run" => match key {
                "run_id" => Self::Text(TextAttribute::RunId),
                "run_name" => Self::Text(TextAttribute::RunName),
                "run name" | "Run name" | "Run Name" if in_filter => {
                    Self::Text(TextAttribute::RunName)
                }
                "user_id" => Self::Text(TextAttribute::UserId),
                "status" => Self::Text(TextAttribute::Status),
                "artifact_uri" => Self::Text(TextAttribute::ArtifactUri),
                "start_time" | "created" | "Created" => Self::Time(TimeAttribute::Start),
                "end_time" => Self::Time(TimeAttribute::End),
                _ => {
                    return Err(ApiError::invalid(format!(
                        "Invalid attribute key '{key}' specified. Valid keys are 'artifact_uri, \
                         end_time, run_id, run_name, start_time, status, user_id'"
                    )));
                }
            },
            "dataset" | "datasets" => Self::Dataset(match key {
                "name" => DatasetField::Name,
                "digest" => DatasetField::Digest,
                "context" => DatasetField::Context,
                _ => {
                    return Err(ApiError::invalid(format!(
                        "Invalid dataset key '{key}' specified. Valid keys are 'context, digest, \
                         name'"
                    )));
                }
            }),
            of => {
                return Err(ApiError::invalid(format!(
                    "Invalid entity type '{of}'. Valid values are ['metric', 'parameter', 'tag', \
                     'attribute', 'dataset']"
                )));
            }
        })
    }
}

/// # Errors
///
/// When `value` is no number.
pub(super) fn number<'a>(
    value: &Operand<'a>,
    what: impl FnOnce() -> String,
) -> Result<&'a str, ApiError> {
    let found = match value {
        Operand::Number(text) => return Ok(text),
        Operand::Text(text) => format!("'{text}'"),
        Operand::Word(text) => (*text).to_owned(),
        Operand::List(list) => format!("{list:?}"),
        Operand::None => "nothing".to_owned(),
    };
    Err(ApiError::invalid(format!("Expected numeric value type for {}. Found {found}", what())))
}

/// A question about a text that takes no list.
pub(super) fn text(
    comparator: Comparator<'_>,
    value: Operand<'_>,
    what: &str,
    allowed: &str,
) -> Result<TextTest, ApiError> {
    if let Operand::List(list) = value {
        return Err(expected_text(what, &format!("{list:?}")));
    }
    TextTest::new(comparator, quoted(value, what)?, allowed)
}

/// A question about a text that may take a list.
fn listed(
    comparator: Comparator<'_>,
    value: Operand<'_>,
    what: &str,
) -> Result<TextTest, ApiError> {
    let value = quoted(value, what)?;
    match (comparator, &value) {
        (Comparator::IsNull | Comparator::IsNotNull, _) => {
            Err(invalid_comparator(comparator, OF_ATTRIBUTE))
        }
        _ => TextTest::new(comparator, value, OF_ATTRIBUTE),
    }
}

pub(super) fn quoted<'a>(value: Operand<'a>, what: &str) -> Result<Operand<'a>, ApiError> {
    match value {
        Operand::Number(text) => Err(expected_text(what, text)),
        Operand::Word(word) => Err(ApiError::invalid(format!(
            "Parameter value is either not quoted or unidentified quote types used for string \
             value {word}. Use either single or double quotes."
        ))),
        value => Ok(value),
    }
}

pub(super) fn expected_text(what: &str, found: &str) -> ApiError {
    ApiError::invalid(format!(
        "Expected a quoted string value for {what} (e.g. 'my-value'). Got value {found}"
    ))
}
