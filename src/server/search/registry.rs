//! What a filter of the model registry asks, and how its entries are ordered.

use super::{
    super::error::{ApiError, ErrorCode},
    clause::{self, Clause, Comparator, Name, Operand},
    condition::{NumberTest, TextTest},
    order, run_filter,
};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Registered {
    Models,
    Versions,
}

/// One comparison of a filter of the registry.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::server) enum RegistryCondition {
    Name(TextTest),
    RunId(TextTest),
    Source(TextTest),
    Version(NumberTest),
    Tag { key: String, test: TextTest },
}

/// What entries of the registry are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum RegistryKey {
    Name,
    Version,
    Created,
    Updated,
}

/// Keys, and whether they ascend. It ends with the name and, of versions, with the number.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) struct RegistryOrder(pub(in crate::server) Vec<(RegistryKey, bool)>);

const OF_TAG: &str = "=, !=, LIKE, ILIKE";
const OF_NAME: &str = "=, !=, LIKE, ILIKE, IN, NOT IN";

impl RegistryCondition {
    /// Reads a filter; an empty one asks nothing.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no filter of `of`.
    pub(in crate::server) fn read(of: Registered, filter: &str) -> Result<Vec<Self>, ApiError> {
        clause::read(filter)?.into_iter().map(|clause| Self::new(of, clause)).collect()
    }

    fn new(
        of: Registered,
        Clause { name, comparator, value }: Clause<'_>,
    ) -> Result<Self, ApiError> {
        let key = match attribute(name)? {
            Some(key) => key,
            None if value == Operand::None => {
                return Err(super::condition::invalid_comparator(comparator, OF_TAG));
            }
            None => {
                let test = run_filter::text(comparator, value, "tag", OF_TAG)?;
                return Ok(Self::Tag { key: name.key.to_owned(), test });
            }
        };
        match (of, key) {
            (_, "name") => Ok(Self::Name(listed(of, comparator, value, OF_NAME)?)),
            (Registered::Versions, "run_id") => {
                Ok(Self::RunId(listed(of, comparator, value, OF_NAME)?))
            }
            (Registered::Versions, "source_path") => {
                if matches!(value, Operand::List(_)) {
                    return Err(takes_no_list(of));
                }
                Ok(Self::Source(listed(of, comparator, value, OF_TAG)?))
            }
            (Registered::Versions, "version_number") => {
                let number = match value {
                    Operand::Number(text) | Operand::Text(text) => text,
                    Operand::List(_) => return Err(takes_no_list(of)),
                    value => run_filter::number(&value, || "version_number".to_owned())?,
                };
                let number = number.trim();
                if number.parse::<i64>().is_err() {
                    return Err(ApiError::invalid(format!(
                        "Invalid value for numeric attribute 'version_number': {number}"
                    )));
                }
                Ok(Self::Version(NumberTest::new(comparator, number)?))
            }
            (Registered::Models, _) => Err(invalid_key(key, "'name'")),
            (Registered::Versions, _) => {
                Err(invalid_key(key, "'name', 'run_id', 'source_path', 'version_number'"))
            }
        }
    }
}

impl RegistryOrder {
    /// Reads `order_by`; if it is empty, models come by name and versions by their last change.
    ///
    /// # Errors
    ///
    /// On what MLflow takes for no order of `of`.
    pub(in crate::server) fn read(of: Registered, clauses: &[String]) -> Result<Self, ApiError> {
        let mut keys: Vec<(RegistryKey, bool)> = Vec::with_capacity(clauses.len() + 2);
        for text in clauses {
            let (name, ascending) = order::read_clause(text)?;
            let key = match (of, attribute(name)?) {
                (_, Some("name")) => RegistryKey::Name,
                (Registered::Versions, Some("version_number")) => RegistryKey::Version,
                (Registered::Versions, Some("creation_timestamp")) => RegistryKey::Created,
                (Registered::Models, Some("timestamp")) => RegistryKey::Updated,
                (_, Some("last_updated_timestamp")) => RegistryKey::Updated,
                (Registered::Models, _) => {
                    return Err(ApiError::invalid(format!(
                        "Invalid order by key '{}' specified. Valid keys are '{{'timestamp', \
                         'name'}}'",
                        name.key
                    )));
                }
                (Registered::Versions, _) => {
                    return Err(invalid_key(
                        name.key,
                        "'creation_timestamp', 'last_updated_timestamp', 'name', 'version_number'",
                    ));
                }
            };
            if keys.iter().any(|(known, _)| *known == key) {
                return Err(ApiError::new(
                    ErrorCode::InternalError,
                    format!("`order_by` contains duplicate fields: ['{}']", clauses.join("', '")),
                ));
            }
            keys.push((key, ascending));
        }
        if keys.is_empty() && of == Registered::Versions {
            keys.push((RegistryKey::Updated, false));
        }
        let rest = [(RegistryKey::Name, true), (RegistryKey::Version, false)];
        for (key, ascending) in &rest[..if of == Registered::Models { 1 } else { 2 }] {
            if keys.iter().all(|(known, _)| known != key) {
                keys.push((*key, *ascending));
            }
        }
        Ok(Self(keys))
    }
}

/// The attribute that a name means; `None` is a tag.
fn attribute(Name { of, key }: Name<'_>) -> Result<Option<&str>, ApiError> {
    match of {
        None | Some("attribute") => Ok(Some(key)),
        Some("tag" | "tags") => Ok(None),
        Some(of) => Err(ApiError::invalid(format!(
            "Invalid entity type '{of}'. Valid entity types are ('attribute', 'tag', 'tags')"
        ))),
    }
}

/// A question about a text that may take a list, but is never missing.
fn listed(
    of: Registered,
    comparator: Comparator<'_>,
    value: Operand<'_>,
    allowed: &str,
) -> Result<TextTest, ApiError> {
    match (comparator, value) {
        (Comparator::IsNull | Comparator::IsNotNull, _) => {
            Err(super::condition::invalid_comparator(comparator, allowed))
        }
        (Comparator::In | Comparator::NotIn, value @ Operand::List(_)) => {
            TextTest::new(comparator, value, allowed)
        }
        (_, Operand::List(_)) => Err(takes_no_list(of)),
        (_, value) => run_filter::text(comparator, value, "attributes", allowed),
    }
}

fn takes_no_list(of: Registered) -> ApiError {
    let keys = if of == Registered::Models { "'name'" } else { "'name', 'run_id'" };
    ApiError::invalid(format!(
        "Only [{keys}] attributes support comparison with a list of quoted string values."
    ))
}

fn invalid_key(key: &str, valid: &str) -> ApiError {
    ApiError::invalid(format!(
        "Invalid attribute key '{key}' specified. Valid keys are '{{{valid}}}'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_asked_for_what_models_do_not_have() {
        use RegistryCondition as Is;
        let read = RegistryCondition::read;
        let number = |text| NumberTest::new(Comparator::GreaterOrEqual, text).unwrap();
        assert_eq!(
            read(
                Registered::Versions,
                "name = 'a' AND run_id IN ('1', '2') AND attribute.source_path LIKE 's3:%' AND \
                 version_number >= 2 and version_number >= '3' AND tags.`a b` != 'x'"
            )
            .unwrap(),
            [
                Is::Name(TextTest::Equals("a".to_owned())),
                Is::RunId(TextTest::In(vec!["1".to_owned(), "2".to_owned()])),
                Is::Source(TextTest::Like("s3:%".to_owned())),
                Is::Version(number("2")),
                Is::Version(number("3")),
                Is::Tag { key: "a b".to_owned(), test: TextTest::Differs("x".to_owned()) },
            ]
        );
        assert!(read(Registered::Models, "name ILIKE 'a%'").is_ok());
        for (filter, of) in [
            ("run_id = 'a'", Registered::Models),
            ("version_number = 1", Registered::Models),
            ("version_number = 1.5", Registered::Versions),
            ("version_number = 'x'", Registered::Versions),
            ("version_number IN ('1')", Registered::Versions),
            ("source_path IN ('a')", Registered::Versions),
            ("name > 'a'", Registered::Models),
            ("name = a", Registered::Models),
            ("name = ('a')", Registered::Models),
            ("name = 1", Registered::Models),
            ("name IS NULL", Registered::Models),
            ("tags.a IS NULL", Registered::Models),
            ("tags.a IN ('x')", Registered::Versions),
            ("params.a = 'x'", Registered::Versions),
            ("creation_timestamp > 1", Registered::Versions),
        ] {
            assert!(read(of, filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn an_order_ends_with_what_no_two_share() {
        use RegistryKey::{Created, Name, Updated, Version};
        let read = |of, clauses: &[&str]| {
            let clauses: Vec<_> = clauses.iter().map(|&text| text.to_owned()).collect();
            RegistryOrder::read(of, &clauses).map(|order| order.0)
        };
        let (models, versions) = (Registered::Models, Registered::Versions);
        assert_eq!(read(models, &[]).unwrap(), [(Name, true)]);
        assert_eq!(read(models, &["timestamp DESC"]).unwrap(), [(Updated, false), (Name, true)]);
        assert_eq!(read(models, &["name DESC"]).unwrap(), [(Name, false)]);
        let last = [(Name, true), (Version, false)];
        assert_eq!(read(versions, &[]).unwrap(), [&[(Updated, false)], &last[..]].concat());
        assert_eq!(
            read(versions, &["creation_timestamp", "version_number ASC"]).unwrap(),
            [(Created, true), (Version, true), (Name, true)]
        );
        for (of, clauses) in [
            (models, &["foo"][..]),
            (models, &["name foo"]),
            (models, &["name", "name DESC"]),
            (models, &["timestamp", "last_updated_timestamp"]),
            (models, &["version_number"]),
            (versions, &["timestamp"]),
            (versions, &["tags.a"]),
        ] {
            assert!(read(of, clauses).is_err(), "{clauses:?}");
        }
    }
}
