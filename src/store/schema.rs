//! What the file looks like.

mod views;

use super::{look, loss, metric, outbox, outcome, rollup, snapshot, tracking};

/// The `application_id` in the header of a store: "SPMT".
pub const APPLICATION_ID: i32 = 0x5350_4d54;

/// The version of the schema that this crate writes, in the file's `user_version`.
pub const SCHEMA_VERSION: i32 = 7;

/// The tables of version 1.
///
/// `branch` is its own index (`WITHOUT ROWID`): ids sort by time, so rows are appended, a
/// period is one stretch of the file, and writing a branch again finds it there. An integer key
/// made from the id's time was measured against it: 10 % smaller and up to a third faster,
/// but not unique across processes, so that it needs the rest of the id beside it and a rule
/// for clashes.
///
/// There are no foreign keys: `config` and `experiment` are filled by the same transaction that
/// refers to them, and checking them for each row costs.
const VERSION_1: &str = "
        CREATE TABLE experiment (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            strategy TEXT NOT NULL,
            UNIQUE (name, strategy)
        );
        -- content: JSON without its secrets; NULL for a config of which only the id is known.
        -- digest: BLAKE3 of content; two contents may have been given the same id over time.
        CREATE TABLE config (
            key INTEGER PRIMARY KEY,
            config_id TEXT NOT NULL,
            digest BLOB NOT NULL,
            content TEXT,
            UNIQUE (config_id, digest)
        );
        -- The names behind branch.role, .status, .failure and .skip.
        CREATE TABLE code (
            what TEXT NOT NULL,
            key INTEGER NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (what, key),
            UNIQUE (what, name)
        ) WITHOUT ROWID;
        CREATE TABLE branch (
            id BLOB PRIMARY KEY,          -- UUID version 7: sorts by time
            request BLOB,                 -- NULL where it is the id
            parent BLOB,
            parent_config INTEGER,
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            status INTEGER NOT NULL,
            start_ns INTEGER NOT NULL,    -- since 1970
            duration_ns INTEGER NOT NULL,
            probability REAL,
            unit INTEGER,                 -- the 64 bits of the hash, signed
            failure INTEGER,
            skip INTEGER,
            retry_count INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX branch_request ON branch (request) WHERE request IS NOT NULL;
        CREATE TABLE failure (
            id BLOB PRIMARY KEY,
            type TEXT NOT NULL,
            message TEXT NOT NULL,
            trace TEXT NOT NULL
        ) WITHOUT ROWID;
        -- size: bytes of the whole output; more than content has where it was cut.
        CREATE TABLE output (
            id BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            content TEXT NOT NULL
        ) WITHOUT ROWID;";

/// What version 2 adds: measures of a branch, and comparisons.
///
/// `comparison` has one small row for each pair. What differs is summed up as it is written:
/// `comparison_count` says how many pairs there were, `path_count` how many of them differed at
/// a path; a few examples for each path stand in `difference`.
const VERSION_2: &str = "
        ALTER TABLE branch ADD COLUMN first_byte_ns INTEGER;
        ALTER TABLE branch ADD COLUMN bytes_in INTEGER;
        ALTER TABLE branch ADD COLUMN bytes_out INTEGER;
        CREATE TABLE comparison (
            branch BLOB PRIMARY KEY,      -- the one that was compared
            primary_branch BLOB,          -- with this one; NULL where that is the request's id
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            differences INTEGER NOT NULL  -- in how many places; 0 is equal
        ) WITHOUT ROWID;
        -- uncounted: differences beyond those that a comparison keeps; no path counts them.
        CREATE TABLE comparison_count (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            compared INTEGER NOT NULL,
            different INTEGER NOT NULL,
            uncounted INTEGER NOT NULL,
            PRIMARY KEY (experiment, config, role)
        ) WITHOUT ROWID;
        CREATE TABLE path (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            path TEXT NOT NULL,
            UNIQUE (experiment, path)
        );
        -- pairs: those that differ at the path, each once, by the first kind found there.
        CREATE TABLE path_count (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            path INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            pairs INTEGER NOT NULL,
            PRIMARY KEY (experiment, config, role, path, kind)
        ) WITHOUT ROWID;
        CREATE TABLE difference (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            path INTEGER NOT NULL,
            branch BLOB NOT NULL,
            primary_branch BLOB NOT NULL,
            kind INTEGER NOT NULL,
            primary_sample TEXT,          -- NULL where there is nothing
            shadow_sample TEXT,
            PRIMARY KEY (experiment, config, role, path, branch)
        ) WITHOUT ROWID;";

/// What version 3 adds: why a branch runs with its config, and in which epoch.
///
/// A branch refers to its epoch by a small key: there are few, and a fingerprint has eight bytes.
const VERSION_3: &str = "
        ALTER TABLE branch ADD COLUMN reason INTEGER;   -- NULL where an older program wrote it
        ALTER TABLE branch ADD COLUMN epoch INTEGER;
        CREATE TABLE epoch (
            key INTEGER PRIMARY KEY,
            number INTEGER NOT NULL,
            fingerprint INTEGER NOT NULL,               -- its 64 bits, signed
            UNIQUE (fingerprint, number)
        );";

/// What version 5 adds: where the request of a branch stands in its caller's trace.
///
/// In the row itself, where NULL takes less than two bytes and a trace 29 (measured, with the page's
/// share): a table beside would repeat the id, and take another look-up for each branch. No index: the
/// ids of traces are drawn by chance, and would be written all over it.
const VERSION_5: &str = "
        ALTER TABLE branch ADD COLUMN trace BLOB;       -- 16 bytes of the trace, 8 of the span, flags";

/// What version 6 adds: by what a report on an experiment decides.
const VERSION_6: &str = "
        CREATE TABLE plan (
            experiment TEXT PRIMARY KEY,
            content TEXT NOT NULL         -- JSON
        ) WITHOUT ROWID;";

/// What version 7 adds: since when a plan is kept, so that of those of several stores the newest is known.
const VERSION_7: &str = "
        ALTER TABLE plan ADD COLUMN kept_ns INTEGER;    -- since 1970; NULL where an older program kept it";

/// What makes a file of version `from` one of this version; 0 is an empty one.
pub(super) fn since(from: i32) -> String {
    let mut sql = String::new();
    if from < 1 {
        sql += VERSION_1;
    }
    if from < 2 {
        sql += VERSION_2;
    }
    if from < 3 {
        sql += VERSION_3;
    }
    if from < 4 {
        sql += rollup::VERSION_4;
        sql += outbox::VERSION_4;
        sql += &tracking::tables();
    }
    if from < 5 {
        sql += VERSION_5;
    }
    if from < 6 {
        sql += VERSION_6;
        sql += look::VERSION_6;
        sql += outcome::VERSION_6;
        sql += rollup::VERSION_6;
        sql += snapshot::VERSION_6;
        sql += loss::VERSION_6;
        sql += metric::VERSION_6;
    }
    if from < 7 {
        sql += VERSION_7;
        sql += look::VERSION_7;
        sql += outcome::VERSION_7;
        sql += rollup::VERSION_7;
    }
    sql += &views::all();
    sql + &format!(
        "PRAGMA application_id = {APPLICATION_ID};
        PRAGMA user_version = {SCHEMA_VERSION};"
    )
}

/// A branch, unless it is there already.
pub(super) const INSERT_BRANCH: &str = "INSERT INTO branch
    (id, request, parent, parent_config, experiment, config, role, status, start_ns,
     duration_ns, probability, unit, failure, skip, retry_count, first_byte_ns, bytes_in, bytes_out,
     reason, epoch, trace)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
     ?19, ?20, ?21)
    ON CONFLICT DO NOTHING";

/// How a branch ended, once it is known.
pub(super) const UPDATE_BRANCH: &str = "UPDATE branch SET
    status = ?2, start_ns = ?3, duration_ns = ?4, failure = coalesce(?5, failure), skip = ?6,
    retry_count = ?7, first_byte_ns = ?8, bytes_in = ?9, bytes_out = ?10 WHERE id = ?1";

pub(super) const UPSERT_FAILURE: &str =
    "INSERT OR REPLACE INTO failure (id, type, message, trace) VALUES (?1, ?2, ?3, ?4)";

pub(super) const UPSERT_OUTPUT: &str =
    "INSERT OR REPLACE INTO output (id, size, content) VALUES (?1, ?2, ?3)";

pub(super) const INSERT_COMPARISON: &str = "INSERT INTO comparison
    (branch, primary_branch, experiment, config, role, differences, epoch)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";

pub(super) const ADD_COMPARISON_COUNT: &str = "INSERT INTO comparison_count
    (experiment, config, role, compared, different, uncounted) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT DO UPDATE SET compared = compared + excluded.compared,
    different = different + excluded.different, uncounted = uncounted + excluded.uncounted";

pub(super) const ADD_PATH_COUNT: &str = "INSERT INTO path_count
    (experiment, config, role, path, kind, pairs) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT DO UPDATE SET pairs = pairs + excluded.pairs";

pub(super) const INSERT_DIFFERENCE: &str = "INSERT INTO difference
    (experiment, config, role, path, branch, primary_branch, kind, primary_sample, shadow_sample)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";

/// The oldest example of a path.
pub(super) const DELETE_DIFFERENCE: &str = "DELETE FROM difference
    WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND path = ?4 AND branch =
    (SELECT min(branch) FROM difference
     WHERE experiment = ?1 AND config = ?2 AND role = ?3 AND path = ?4)";

/// Branches with all that belongs to them; a `WHERE` follows. Version 1 has no measures, version 2
/// no reasons, version 4 no traces, and version 5 no metrics.
pub(super) fn select_branch(version: i32) -> String {
    let measures =
        if version < 2 { "NULL, NULL, NULL" } else { "b.first_byte_ns, b.bytes_in, b.bytes_out" };
    let trace = if version < 5 { "NULL" } else { "b.trace" };
    let has_metrics = if version < metric::SINCE_VERSION {
        "0"
    } else {
        "EXISTS (SELECT 1 FROM branch_metric WHERE branch = b.id)"
    };
    let assigned = if version < 3 { "NULL, NULL" } else { "b.reason, b.epoch" };
    format!(
        "SELECT
        b.id, b.request, b.parent, b.parent_config, b.experiment, b.config, b.role, b.status,
        b.start_ns, b.duration_ns, b.probability, b.unit, b.failure, b.skip, b.retry_count,
        f.type, f.message, f.trace, o.size, o.content, {measures},
        {assigned}, {trace}, {has_metrics}
        FROM branch b LEFT JOIN failure f ON f.id = b.id LEFT JOIN output o ON o.id = b.id"
    )
}
