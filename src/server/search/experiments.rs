//! What a filter of experiments asks, and how they are ordered.

use super::{
    super::error::ApiError,
    clause::{self, Clause, Comparator, Name, Operand},
    condition::{NumberTest, TextTest, invalid_comparator},
    order, run_filter,
};

/// One comparison of a filter of experiments.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) enum ExperimentCondition {
    Name(TextTest),
    /// Ids, and whether the experiment's is to be among them.
    Id(Vec<i64>, bool),
    Time {
        created: bool,
        test: NumberTest,
    },
    Tag {
        key: String,
        test: TextTest,
    },
}

/// What experiments are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum ExperimentKey {
    Name,
    Id,
    Created,
    Updated,
}

/// Keys, and whether they ascend; the id is the last.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) struct ExperimentOrder(pub(in crate::server) Vec<(ExperimentKey, bool)>);

const OF_NAME: &str = "=, !=, LIKE, ILIKE";
const OF_TAG: &str = "=, !=, LIKE, ILIKE, IS NULL, IS NOT NULL";

/// What a name means.
enum Subject<'a> {
    Key(ExperimentKey),
    Tag(&'a str),
}

impl<'a> Subject<'a> {
    fn new(Name { of, key }: Name<'a>) -> Result<Self, ApiError> {
        match of {
            None | Some("attribute") => Ok(Self::Key(match key {
                "name" => ExperimentKey::Name,
                "experiment_id" => ExperimentKey::Id,
                "creation_time" => ExperimentKey::Created,
                "last_update_time" => ExperimentKey::Updated,
                _ => {
                    return Err(ApiError::invalid(format!(
                        "Invalid attribute key '{key}' specified. Valid keys are 'creation_time, \
                         experiment_id, last_update_time, name'"
                    )));
                }
            })),
            Some("tag" | "tags") => Ok(Self::Tag(key)),
            Some(of) => Err(ApiError::invalid(format!(
                "Invalid entity type '{of}'. Valid entity types are ('attribute', 'tag', 'tags')"
            ))),
        }
    }
}

impl ExperimentCondition {
    /// Reads a filter; an empty one asks nothing.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no filter of experiments.
    pub(in crate::server) fn read(filter: &str) -> Result<Vec<Self>, ApiError> {
        clause::read(filter)?.into_iter().map(Self::new).collect()
    }

    fn new(Clause { name, comparator, value }: Clause<'_>) -> Result<Self, ApiError> {
        let key = match Subject::new(name)? {
            Subject::Tag(key) => {
                let test = run_filter::text(comparator, value, "tag", OF_TAG)?;
                return Ok(Self::Tag { key: key.to_owned(), test });
            }
            Subject::Key(key) => key,
        };
        if value == Operand::None {
            return Err(ApiError::invalid(format!(
                "IS NULL / IS NOT NULL is only supported for tags, not for attribute '{}'",
                name.key
            )));
        }
        if matches!(value, Operand::List(_)) && key != ExperimentKey::Id {
            return Err(ApiError::invalid(
                "Only ['experiment_id'] attributes support comparison with a list of quoted \
                 string values.",
            ));
        }
        Ok(match key {
            ExperimentKey::Name => {
                Self::Name(run_filter::text(comparator, value, "attributes", OF_NAME)?)
            }
            ExperimentKey::Id => ids(comparator, value)?,
            ExperimentKey::Created | ExperimentKey::Updated => {
                let what = || format!("numeric attribute: {}", name.key);
                let number = run_filter::number(&value, what)?;
                if number.contains(['.', 'e', 'E']) {
                    return Err(ApiError::invalid(format!(
                        "Invalid value for numeric attribute '{}': '{number}'",
                        name.key
                    )));
                }
                let test = NumberTest::new(comparator, number)?;
                Self::Time { created: key == ExperimentKey::Created, test }
            }
        })
    }
}

fn ids(comparator: Comparator<'_>, value: Operand<'_>) -> Result<ExperimentCondition, ApiError> {
    let id = |text: &str| super::super::experiments::parse_id(text);
    let (ids, among) = match (comparator, value) {
        (Comparator::Equal, Operand::Text(text)) => (vec![id(text)?], true),
        (Comparator::NotEqual, Operand::Text(text)) => (vec![id(text)?], false),
        (Comparator::In | Comparator::NotIn, Operand::List(list)) => {
            let ids = list.iter().map(|text| id(text)).collect::<Result<_, _>>()?;
            (ids, comparator == Comparator::In)
        }
        (_, Operand::Number(found) | Operand::Word(found)) => {
            return Err(run_filter::expected_text("attributes", found));
        }
        (other, _) => return Err(invalid_comparator(other, "=, !=, IN, NOT IN")),
    };
    Ok(ExperimentCondition::Id(ids, among))
}

impl ExperimentOrder {
    /// Reads `order_by`; if it is empty, the latest come first.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no order of experiments.
    pub(in crate::server) fn read(clauses: &[String]) -> Result<Self, ApiError> {
        let mut keys = Vec::with_capacity(clauses.len() + 1);
        for text in clauses {
            let (name, ascending) = order::read_clause(text)?;
            match Subject::new(name)? {
                // What stands twice orders nothing more the second time.
                Subject::Key(key) if keys.iter().any(|(known, _)| *known == key) => {}
                Subject::Key(key) => keys.push((key, ascending)),
                Subject::Tag(_) => return Err(ApiError::invalid("Invalid order_by entity: tag")),
            }
        }
        if keys.is_empty() {
            keys = vec![(ExperimentKey::Created, false), (ExperimentKey::Id, true)];
        } else if keys.iter().all(|(key, _)| *key != ExperimentKey::Id) {
            keys.push((ExperimentKey::Id, false));
        }
        Ok(Self(keys))
    }
}
