//! What a filter of traces asks.

use super::{
    super::error::ApiError,
    clause::{self, Clause, Comparator, Name, Operand},
    condition::{NumberTest, TextTest, invalid_comparator},
    run_filter::{expected_text, number, quoted},
};

/// One comparison of a filter of traces.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) enum TraceCondition {
    Text {
        attribute: TraceText,
        test: TextTest,
    },
    Number {
        attribute: TraceNumber,
        test: NumberTest,
    },
    Tag {
        key: String,
        test: TextTest,
    },
    Metadata {
        key: String,
        test: TextTest,
    },
    /// It was made during that run, or is linked to it.
    Run(String),
    /// It is linked to that version of a prompt, `NAME/VERSION`.
    Prompt(String),
    Span(SpanCondition),
    /// Of a valid one.
    Assessment {
        kind: &'static str,
        name: String,
        test: AssessmentTest,
    },
    Issue(String),
}

/// What is asked of a span. All that a filter asks is asked of the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct SpanCondition {
    pub(in crate::server) field: SpanField,
    pub(in crate::server) test: TextTest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum SpanField {
    Name,
    Type,
    Status,
    /// All of it, as text.
    Content,
    Attribute(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) enum AssessmentTest {
    Text(TextTest),
    Number(NumberTest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum TraceText {
    Id,
    ClientRequestId,
    Status,
}

/// In milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum TraceNumber {
    Start,
    Duration,
    End,
}

/// What a name means.
pub(super) enum Subject {
    Text(TraceText),
    Number(TraceNumber),
    Experiment,
    Tag(String),
    Metadata(String),
    Prompt,
    Span(SpanField),
    Assessment(&'static str, String),
    Issue,
}

const NAME: &str = "mlflow.traceName";
const SOURCE_RUN: &str = "mlflow.sourceRun";
const OF_TEXT: &str = "!=, =, IN, NOT IN, LIKE, ILIKE";
const OF_LABELS: &str = "!=, =, LIKE, ILIKE, IS NULL, IS NOT NULL";
const OF_NAME: &str = "!=, =, IN, NOT IN, LIKE, ILIKE, IS NULL, IS NOT NULL";
const OF_ASSESSMENTS: &str = "!=, =, >, >=, <, <=, LIKE, ILIKE, IS NULL, IS NOT NULL";

impl Subject {
    pub(super) fn new(Name { of, key }: Name<'_>) -> Result<Self, ApiError> {
        let owned = || key.to_owned();
        Ok(match of.unwrap_or("attribute") {
            "tag" | "tags" => Self::Tag(owned()),
            "request_metadata" | "metadata" => Self::Metadata(owned()),
            "attribute" | "attributes" | "trace" => match key {
                "request_id" => Self::Text(TraceText::Id),
                "client_request_id" => Self::Text(TraceText::ClientRequestId),
                "status" => Self::Text(TraceText::Status),
                "timestamp" | "timestamp_ms" => Self::Number(TraceNumber::Start),
                "execution_time" | "execution_time_ms" => Self::Number(TraceNumber::Duration),
                "end_time" | "end_time_ms" => Self::Number(TraceNumber::End),
                "name" => Self::Tag(NAME.to_owned()),
                "run_id" => Self::Metadata(SOURCE_RUN.to_owned()),
                "prompt" => Self::Prompt,
                "text" => Self::Span(SpanField::Content),
                "experiment_id" => Self::Experiment,
                _ => {
                    return Err(ApiError::invalid(format!(
                        "Invalid attribute key '{key}' specified. Valid keys are \
                         'client_request_id, end_time, end_time_ms, execution_time, \
                         execution_time_ms, name, prompt, request_id, run_id, status, text, \
                         timestamp, timestamp_ms'"
                    )));
                }
            },
            "span" => Self::Span(match key {
                "name" => SpanField::Name,
                "type" => SpanField::Type,
                "status" => SpanField::Status,
                "content" => SpanField::Content,
                _ => match key.strip_prefix("attributes.") {
                    Some(name) if !name.is_empty() => {
                        SpanField::Attribute(name.trim_matches('`').to_owned())
                    }
                    _ => {
                        return Err(ApiError::invalid(format!(
                            "Invalid span attribute '{key}'. Supported attributes: content, name, \
                             status, type, attributes.<attribute_name>."
                        )));
                    }
                },
            }),
            "feedback" => Self::Assessment("feedback", owned()),
            "expectation" => Self::Assessment("expectation", owned()),
            "issue" if key == "id" => Self::Issue,
            "issue" => {
                return Err(ApiError::invalid(format!(
                    "Invalid issue attribute '{key}'. Supported attributes: id"
                )));
            }
            of => {
                return Err(ApiError::invalid(format!(
                    "Invalid entity type '{of}'. Valid values are ['attribute', 'expectation', \
                     'feedback', 'issue', 'metadata', 'request_metadata', 'span', 'tag', 'trace']"
                )));
            }
        })
    }
}

impl TraceCondition {
    /// Reads a filter; an empty one asks nothing.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no filter of traces, and on regular expressions.
    pub(in crate::server) fn read(filter: &str) -> Result<Vec<Self>, ApiError> {
        clause::read(filter)?.into_iter().map(Self::new).collect()
    }

    fn new(Clause { name, comparator, value }: Clause<'_>) -> Result<Self, ApiError> {
        Ok(match Subject::new(name)? {
            Subject::Text(attribute) => {
                Self::Text { attribute, test: text(comparator, value, "attributes", OF_TEXT)? }
            }
            Subject::Number(attribute) => {
                let number = number(&value, || format!("numeric attribute: {}", name.key))?;
                Self::Number { attribute, test: NumberTest::new(comparator, number)? }
            }
            Subject::Experiment => {
                return Err(ApiError::invalid(
                    "Invalid attribute key 'experiment_id' specified: name the experiments that \
                     are searched instead",
                ));
            }
            Subject::Tag(key) => {
                // (The name is one of the attributes as well, which may be one of several.)
                let allowed = if key == NAME { OF_NAME } else { OF_LABELS };
                Self::Tag { key, test: text(comparator, value, "tag", allowed)? }
            }
            Subject::Metadata(key) => {
                match text(comparator, value, "request_metadata", OF_LABELS)? {
                    TextTest::Equals(run) if key == SOURCE_RUN => Self::Run(run),
                    test => Self::Metadata { key, test },
                }
            }
            Subject::Prompt => Self::Prompt(exactly(comparator, value, "prompt")?),
            Subject::Issue => Self::Issue(exactly(comparator, value, "issue")?),
            Subject::Span(field) => {
                let allowed = if field == SpanField::Content { "LIKE, ILIKE" } else { OF_TEXT };
                Self::Span(SpanCondition { field, test: text(comparator, value, "span", allowed)? })
            }
            Subject::Assessment(kind, name) => {
                let test = match (comparator, &value) {
                    (
                        Comparator::Less
                        | Comparator::LessOrEqual
                        | Comparator::Greater
                        | Comparator::GreaterOrEqual,
                        _,
                    ) => {
                        let number = number(&value, || kind.to_owned())?;
                        AssessmentTest::Number(NumberTest::new(comparator, number)?)
                    }
                    _ => AssessmentTest::Text(text(comparator, value, kind, OF_ASSESSMENTS)?),
                };
                Self::Assessment { kind, name, test }
            }
        })
    }
}

/// A question about a text by one of the `allowed` comparators.
fn text(
    comparator: Comparator<'_>,
    value: Operand<'_>,
    what: &str,
    allowed: &str,
) -> Result<TextTest, ApiError> {
    let test = TextTest::new(comparator, quoted(value, what)?, allowed)?;
    let name = match &test {
        TextTest::Equals(_) => "=",
        TextTest::Differs(_) => "!=",
        TextTest::Like(_) => "LIKE",
        TextTest::ILike(_) => "ILIKE",
        TextTest::In(_) => "IN",
        TextTest::NotIn(_) => "NOT IN",
        TextTest::IsNull => "IS NULL",
        TextTest::IsNotNull => "IS NOT NULL",
    };
    match allowed.split(", ").any(|known| known == name) {
        true => Ok(test),
        false => Err(invalid_comparator(comparator, allowed)),
    }
}

fn exactly(comparator: Comparator<'_>, value: Operand<'_>, what: &str) -> Result<String, ApiError> {
    match text(comparator, value, what, "=")? {
        TextTest::Equals(value) => Ok(value),
        _ => Err(expected_text(what, "a list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_asks_of_traces_spans_and_assessments() {
        use TraceCondition as Is;
        let equals = |text: &str| TextTest::Equals(text.to_owned());
        let read = TraceCondition::read(
            "status = 'OK' AND trace.timestamp_ms > 5 AND name LIKE 'a%' AND run_id = 'r' AND \
             tags.`a b` IS NOT NULL AND metadata.k != 'v' AND span.attributes.model = 'm' AND \
             feedback.score >= 0.5 AND expectation.e = 'x' AND prompt = 'p/1' AND \
             trace.text LIKE '%hi%'",
        )
        .unwrap();
        assert_eq!(
            read,
            [
                Is::Text { attribute: TraceText::Status, test: equals("OK") },
                Is::Number {
                    attribute: TraceNumber::Start,
                    test: NumberTest::new(Comparator::Greater, "5").unwrap()
                },
                Is::Tag { key: NAME.to_owned(), test: TextTest::Like("a%".to_owned()) },
                Is::Run("r".to_owned()),
                Is::Tag { key: "a b".to_owned(), test: TextTest::IsNotNull },
                Is::Metadata { key: "k".to_owned(), test: TextTest::Differs("v".to_owned()) },
                Is::Span(SpanCondition {
                    field: SpanField::Attribute("model".to_owned()),
                    test: equals("m")
                }),
                Is::Assessment {
                    kind: "feedback",
                    name: "score".to_owned(),
                    test: AssessmentTest::Number(
                        NumberTest::new(Comparator::GreaterOrEqual, "0.5").unwrap()
                    )
                },
                Is::Assessment {
                    kind: "expectation",
                    name: "e".to_owned(),
                    test: AssessmentTest::Text(equals("x"))
                },
                Is::Prompt("p/1".to_owned()),
                Is::Span(SpanCondition {
                    field: SpanField::Content,
                    test: TextTest::Like("%hi%".to_owned())
                }),
            ]
        );
    }

    #[test]
    fn what_is_no_filter_of_traces_is_refused() {
        for filter in [
            "foo = 'x'",
            "metrics.a = 1",
            "status > 'OK'",
            "status IS NULL",
            "timestamp_ms = 'x'",
            "tags.a IN ('x')",
            "tags.a RLIKE 'x'",
            "span.foo = 'x'",
            "span.content = 'x'",
            "span.attributes. = 'x'",
            "feedback.a = 1",
            "feedback.a > 'x'",
            "prompt LIKE 'x'",
            "issue.name = 'x'",
            "experiment_id = '1'",
        ] {
            assert!(TraceCondition::read(filter).is_err(), "{filter}");
        }
    }
}
