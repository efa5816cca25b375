//! What is asked of branches as they were recorded, as SQL over their rows `r` alone.
//!
//! What has few values in all (configs, statuses, roles, …) is asked once of each value, and then only
//! which of them a branch has.

use super::{
    super::{
        call::Context,
        error::ApiError,
        search::{
            NumberComparator, NumberTest, RunCondition, Sql, TextAttribute, TextTest, TimeAttribute,
        },
    },
    branch_columns, client_runs,
};
use std::{fmt::Write, ops::RangeInclusive};

/// Conditions, and what they leave of the few values that roll-ups are kept by.
pub(super) struct Question {
    /// All that it asks, each with an `AND` in front.
    pub(super) sql: Sql,
    /// Keys of configs; `None` where all may be.
    pub(super) configs: Option<Vec<i64>>,
    pub(super) roles: Option<Vec<i64>>,
    pub(super) statuses: Option<Vec<i64>>,
    /// How long they took, in ns, or somewhat wider; `None` if however long.
    pub(super) durations: Option<RangeInclusive<u64>>,
    /// Whether some branch can be as asked.
    pub(super) is_possible: bool,
}

impl Question {
    pub(super) fn new(
        context: &Context<'_>,
        conditions: &[RunCondition],
    ) -> Result<Self, ApiError> {
        let mut question = Self {
            sql: Sql::default(),
            configs: None,
            roles: None,
            statuses: None,
            durations: None,
            is_possible: true,
        };
        for condition in conditions {
            question.add(context, condition)?;
        }
        Ok(question)
    }

    /// Whether roll-ups can say where there is something to be found.
    pub(super) const fn is_narrow(&self) -> bool {
        self.configs.is_some() || self.roles.is_some() || self.statuses.is_some()
    }

    fn add(&mut self, context: &Context<'_>, condition: &RunCondition) -> Result<(), ApiError> {
        match condition {
            RunCondition::Metric { key, test } => match branch_columns::known_metric(context, key)?
            {
                Some(recorded) => {
                    self.sql.push(" AND ").number(&recorded, *test);
                    if key == "duration_ms" {
                        self.lasted(*test);
                    }
                }
                None => self.is_possible = false,
            },
            RunCondition::Tag { key, test } => self.add_tag(context, key, test)?,
            RunCondition::Param { key, test } => {
                let keys = branch_columns::configs_with(context, key, test)?;
                self.one_of("config", keys);
            }
            RunCondition::Text { attribute: TextAttribute::Status, test } => {
                let as_run = |status: &str| match status {
                    "success" => "FINISHED",
                    "failed" => "FAILED",
                    _ => "KILLED",
                };
                let keys = codes(context, "status", |name| test.holds(Some(as_run(name))))?;
                self.one_of("status", keys);
            }
            RunCondition::Text { attribute: TextAttribute::UserId, test } => {
                self.is_possible &= test.holds(Some(""));
            }
            RunCondition::Text { attribute: TextAttribute::RunId, .. } => {
                self.sql.push(" AND (");
                client_runs::write(&mut self.sql, condition);
                self.sql.push(")");
            }
            RunCondition::Text { attribute, test } => {
                self.sql.push(" AND ").text(&branch_columns::text(*attribute, false), test);
            }
            RunCondition::Time { attribute: TimeAttribute::Start, test } => {
                self.sql.push(" AND ").number("r.start_ns / 1000000", *test);
            }
            RunCondition::Time { attribute: TimeAttribute::End, test } => {
                self.sql.push(" AND ").number(branch_columns::end_ms(false), *test);
            }
            // Nothing recorded is a dataset.
            RunCondition::Dataset { .. } => self.is_possible = false,
        }
        Ok(())
    }

    fn add_tag(
        &mut self,
        context: &Context<'_>,
        key: &str,
        test: &TextTest,
    ) -> Result<(), ApiError> {
        let coded = match key {
            "spearmint.role" => Some(("role", "role")),
            "spearmint.status" => Some(("status", "status")),
            "spearmint.reason" => Some(("reason", "reason")),
            "spearmint.skip" => Some(("skip", "skip")),
            "spearmint.failure_kind" => Some(("failure", "failure")),
            _ => None,
        };
        match (coded, branch_columns::tag(key, false)) {
            (Some((_, column)), _) if *test == TextTest::IsNull => {
                self.sql.push(&format!(" AND r.{column} IS NULL"));
            }
            (Some((what, column)), _) => {
                let keys = codes(context, what, |name| test.holds(Some(name)))?;
                self.one_of(column, keys);
            }
            (None, _) if key == "spearmint.config_id" => {
                let keys = keys(context, "SELECT key, config_id FROM config", [], |id| {
                    test.holds(Some(id))
                })?;
                self.one_of("config", keys);
            }
            (None, Some(recorded)) => {
                self.sql.push(" AND ").text(&recorded, test);
            }
            (None, None) => self.is_possible &= *test == TextTest::IsNull,
        }
        Ok(())
    }

    fn lasted(&mut self, test: NumberTest) {
        use NumberComparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        let ns = test.value * 1e6;
        // However the division in SQL is rounded.
        let slack = 1.0 + ns.abs() * 1e-9;
        let (low, high) = ((ns - slack) as u64, (ns + slack) as u64);
        let range = match test.comparator {
            Equal => low..=high,
            Greater | GreaterOrEqual => low..=u64::MAX,
            Less | LessOrEqual => 0..=high,
            NotEqual => return,
        };
        self.durations = Some(match &self.durations {
            Some(known) => *known.start().max(range.start())..=*known.end().min(range.end()),
            None => range,
        });
    }

    fn one_of(&mut self, column: &str, keys: Vec<i64>) {
        self.is_possible &= !keys.is_empty();
        self.sql.push(&among(column, &keys));
        let known = match column {
            "config" => &mut self.configs,
            "role" => &mut self.roles,
            "status" => &mut self.statuses,
            _ => return,
        };
        match known {
            Some(known) => known.retain(|key| keys.contains(key)),
            None => *known = Some(keys),
        }
    }
}

/// ` AND r.column IN (…)`.
pub(super) fn among(column: &str, keys: &[i64]) -> String {
    let mut sql = format!(" AND r.{column} IN (");
    for (index, key) in keys.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = write!(sql, "{}{key}", if index == 0 { "" } else { "," });
    }
    sql + ")"
}

/// The numbers that stand for those names of `what` for which it holds.
pub(super) fn codes(
    context: &Context<'_>,
    what: &str,
    holds: impl Fn(&str) -> bool,
) -> Result<Vec<i64>, ApiError> {
    keys(context, "SELECT key, name FROM code WHERE what = ?1", [what], holds)
}

/// Those keys whose name is as asked.
fn keys(
    context: &Context<'_>,
    sql: &str,
    values: impl rusqlite::Params,
    holds: impl Fn(&str) -> bool,
) -> Result<Vec<i64>, ApiError> {
    let mut statement = context.connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if holds(&row.get::<_, String>(1)?) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}
