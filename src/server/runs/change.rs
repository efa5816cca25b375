//! How a run ends, is named, and goes.

use super::{
    super::{
        call::{Answer, Context, Work, now_ms},
        error::ApiError,
        input::{self, Input, required},
        reply::Reply,
    },
    branch,
    log::Named,
    read,
    subject::{find, find_to_change},
    tags,
    wire::OneInfo,
};
use rusqlite::params;
use serde::{Deserialize, Deserializer};

/// The statuses of a run, by the numbers that they have in protocol buffers, from 1.
const STATUSES: [&str; 5] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

#[derive(Deserialize)]
struct Update {
    run_id: Option<String>,
    run_uuid: Option<String>,
    status: Option<Status>,
    #[serde(default, deserialize_with = "input::int")]
    end_time: Option<i64>,
    run_name: Option<String>,
}

pub(super) fn update(mut input: Input) -> Result<Work, ApiError> {
    let asked: Update = input.read()?;
    Ok(Box::new(move |context| write(context, asked)))
}

fn write(context: &Context<'_>, asked: Update) -> Answer {
    let Update { run_id, run_uuid, status, end_time, run_name } = asked;
    let run = find_to_change(context, Named { run_id, run_uuid }.id())?;
    let status = status.map(|Status(name)| name);
    if run.is_branch {
        branch::update(context, run.id, status, end_time, None)?;
    } else {
        context
            .connection
            .prepare_cached(
                "UPDATE mlflow_run SET status = coalesce(?2, status), end_ms = coalesce(?3, end_ms)
                 WHERE id = ?1",
            )?
            .execute(params![run.id, status, end_time])?;
    }
    tags::rename(context, run, run_name.as_deref().unwrap_or_default())?;
    Ok(Reply::json(&OneInfo { run_info: read::info(context, run)? }))
}

/// A status, sent by its name or its number.
struct Status(&'static str);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(usize),
            Name(String),
        }
        let known = match Written::deserialize(from)? {
            Written::Number(number) => {
                number.checked_sub(1).and_then(|index| STATUSES.get(index)).copied()
            }
            Written::Name(name) => STATUSES.into_iter().find(|known| *known == name),
        };
        known.map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!("a status is one of {}", STATUSES.join(", ")))
        })
    }
}

pub(super) fn delete(context: &Context<'_>, input: Input) -> Answer {
    set_deleted(context, input, Some(now_ms()))
}

pub(super) fn restore(context: &Context<'_>, input: Input) -> Answer {
    set_deleted(context, input, None)
}

fn set_deleted(context: &Context<'_>, mut input: Input, deleted_ms: Option<i64>) -> Answer {
    #[derive(Deserialize)]
    struct ById {
        run_id: Option<String>,
    }
    let asked: ById = input.read()?;
    let run = find(context, Some(required(asked.run_id, "run_id")?))?;
    if run.is_branch {
        branch::set_deleted(context, run.id, deleted_ms)?;
        return Ok(Reply::done());
    }
    context
        .connection
        .prepare_cached("UPDATE mlflow_run SET deleted_ms = ?2 WHERE id = ?1")?
        .execute(params![run.id, deleted_ms])?;
    Ok(Reply::done())
}

/// Deletes or restores all runs of an experiment.
pub(in crate::server) fn set_all_deleted(
    context: &Context<'_>,
    experiment: i64,
    deleted_ms: Option<i64>,
) -> Result<(), ApiError> {
    context
        .connection
        .prepare_cached("UPDATE mlflow_run SET deleted_ms = ?2 WHERE experiment = ?1")?
        .execute(params![experiment, deleted_ms])?;
    Ok(())
}
