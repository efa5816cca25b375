//! The tables of metrics.

/// The first version with metrics.
pub(in crate::store) const SINCE_VERSION: i32 = 6;

/// What version 6 adds for metrics.
///
/// A table for the values, and no column of the branch: SQL can ask for one of them, and a branch
/// without any takes no more than before.
pub(in crate::store) const VERSION_6: &str = "
        CREATE TABLE metric_name (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            rolled_up INTEGER NOT NULL,   -- 1, or 0 where there were 64 names before it
            UNIQUE (experiment, name)
        );
        CREATE TABLE branch_metric (
            branch BLOB NOT NULL,
            metric INTEGER NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (branch, metric)
        ) WITHOUT ROWID;
        -- Values that are in no roll-up, and those that were not kept at all.
        CREATE TABLE metric_beyond (
            experiment INTEGER PRIMARY KEY,
            not_rolled_up INTEGER NOT NULL,
            not_kept INTEGER NOT NULL
        );
        -- By bucket of the unit's hash, as in unit_bucket.
        CREATE TABLE unit_metric (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            bucket INTEGER NOT NULL,
            metric INTEGER NOT NULL,
            count INTEGER NOT NULL,
            sum REAL NOT NULL,
            PRIMARY KEY (experiment, config, role, epoch, bucket, metric)
        ) WITHOUT ROWID;";
