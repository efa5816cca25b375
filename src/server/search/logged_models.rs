//! What a filter of logged models asks, and what they are ordered by.

use super::{
    super::error::ApiError,
    clause::{self, Clause, Comparator, Name, Operand},
    condition::{NumberTest, TextTest},
};

/// One comparison of a filter of logged models.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) enum LoggedModelCondition {
    Text {
        field: LoggedModelField,
        test: TextTest,
    },
    Number {
        field: LoggedModelField,
        test: NumberTest,
    },
    /// Of any value that was measured.
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
}

/// What a logged model has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum LoggedModelField {
    Id,
    Experiment,
    Name,
    Type,
    SourceRun,
    /// `PENDING`, `READY`, `UPLOAD_FAILED`.
    Status,
    Created,
    Updated,
}

/// What logged models are ordered by.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum LoggedModelKey {
    Field(LoggedModelField),
    /// The latest value; models without one come last.
    Metric(String),
}

const OF_TEXT: &str = "=, !=, LIKE, ILIKE, IN, NOT IN";

impl LoggedModelField {
    fn new(key: &str) -> Option<Self> {
        Some(match key {
            "model_id" => Self::Id,
            "experiment_id" => Self::Experiment,
            "name" => Self::Name,
            "model_type" => Self::Type,
            "source_run_id" => Self::SourceRun,
            "status" => Self::Status,
            "creation_time" | "creation_timestamp" | "creation_timestamp_ms" => Self::Created,
            "last_updated_timestamp" | "last_updated_timestamp_ms" => Self::Updated,
            _ => return None,
        })
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Created | Self::Updated)
    }
}

impl LoggedModelCondition {
    /// Reads a filter; an empty one asks nothing.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no filter of logged models.
    pub(in crate::server) fn read(filter: &str) -> Result<Vec<Self>, ApiError> {
        clause::read(filter)?.into_iter().map(Self::new).collect()
    }

    fn new(Clause { name, comparator, value }: Clause<'_>) -> Result<Self, ApiError> {
        let Name { of, key } = name;
        let owned = || key.to_owned();
        Ok(match of {
            Some("metrics") => {
                Self::Metric { key: owned(), test: number(key, comparator, &value)? }
            }
            Some("params") => Self::Param { key: owned(), test: text(comparator, value)? },
            Some("tags") => Self::Tag { key: owned(), test: text(comparator, value)? },
            None | Some("attributes") => {
                let field = LoggedModelField::new(key).ok_or_else(|| {
                    ApiError::invalid(format!(
                        "Invalid attribute key '{key}' specified. Valid keys are \
                         'creation_timestamp, experiment_id, last_updated_timestamp, model_id, \
                         model_type, name, source_run_id, status'"
                    ))
                })?;
                if field.is_number() {
                    Self::Number { field, test: number(key, comparator, &value)? }
                } else {
                    Self::Text { field, test: text(comparator, value)? }
                }
            }
            Some(of) => {
                return Err(ApiError::invalid(format!(
                    "Invalid entity type: '{of}'. Expected one of ['attributes', 'metrics', \
                     'params', 'tags']."
                )));
            }
        })
    }
}

fn number(
    key: &str,
    comparator: Comparator<'_>,
    value: &Operand<'_>,
) -> Result<NumberTest, ApiError> {
    let number = super::run_filter::number(value, || format!("'{key}'"))?;
    NumberTest::new(comparator, number)
}

/// Here a text needs no quotes: `params.lr = 0.01`.
fn text(comparator: Comparator<'_>, value: Operand<'_>) -> Result<TextTest, ApiError> {
    let value = match value {
        Operand::Number(text) | Operand::Word(text) => Operand::Text(text),
        Operand::None => return Err(super::condition::invalid_comparator(comparator, OF_TEXT)),
        value => value,
    };
    TextTest::new(comparator, value, OF_TEXT)
}

impl LoggedModelKey {
    /// # Errors
    ///
    /// On what logged models are not ordered by.
    pub(in crate::server) fn read(name: &str) -> Result<Self, ApiError> {
        match name.split_once('.') {
            None => LoggedModelField::new(name)
                .map(Self::Field)
                .ok_or_else(|| ApiError::invalid(format!("Invalid order by field name: {name}"))),
            Some(("metrics", key)) => Ok(Self::Metric(key.to_owned())),
            Some(_) => Err(ApiError::invalid(format!(
                "Invalid order by field name: {name}. Only metrics are supported."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_needs_no_quotes_and_a_number_may_have_none() {
        use LoggedModelCondition as Is;
        let read = LoggedModelCondition::read;
        let equals = |text: &str| TextTest::Equals(text.to_owned());
        assert_eq!(
            read(
                "name = 'a' AND params.lr = 0.01 AND tags.`a b` = x AND metrics.acc > 0.5 AND \
                 attributes.creation_time < 5 AND status IN ('READY')"
            )
            .unwrap(),
            [
                Is::Text { field: LoggedModelField::Name, test: equals("a") },
                Is::Param { key: "lr".to_owned(), test: equals("0.01") },
                Is::Tag { key: "a b".to_owned(), test: equals("x") },
                Is::Metric {
                    key: "acc".to_owned(),
                    test: NumberTest::new(Comparator::Greater, "0.5").unwrap()
                },
                Is::Number {
                    field: LoggedModelField::Created,
                    test: NumberTest::new(Comparator::Less, "5").unwrap()
                },
                Is::Text {
                    field: LoggedModelField::Status,
                    test: TextTest::In(vec!["READY".to_owned()])
                },
            ]
        );
        for filter in [
            "foo = 1",
            "foo.a = 1",
            "metric.a = 1",
            "name > 1",
            "name",
            "metrics.a = x",
            "metrics.a = '1'",
            "metrics.a LIKE '1'",
            "tags.a IS NULL",
        ] {
            assert!(read(filter).is_err(), "{filter}");
        }
    }
}
