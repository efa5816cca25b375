//! Runs, and what is logged to them.

/// Runs that clients made. Their ids sort by time, as those of branches do, so that rows are
/// appended; params, metrics and tags belong to either.
pub(super) const TABLES: &str = "
        CREATE TABLE mlflow_run (
            id BLOB PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            user_id TEXT NOT NULL,
            status TEXT NOT NULL,         -- RUNNING, SCHEDULED, FINISHED, FAILED, KILLED
            start_ms INTEGER NOT NULL,
            end_ms INTEGER,
            artifact_uri TEXT,            -- NULL: ID/artifacts below the experiment's location
            deleted_ms INTEGER            -- NULL: active
        ) WITHOUT ROWID;
        CREATE INDEX mlflow_run_start ON mlflow_run (experiment, start_ms);
        -- What a client changed in a branch; NULL where it left it as it was recorded.
        CREATE TABLE mlflow_branch_change (
            id BLOB PRIMARY KEY,
            name TEXT,
            status TEXT,
            end_ms INTEGER,
            deleted_ms INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE mlflow_param (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
        CREATE TABLE mlflow_tag (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
        -- NaN cannot be a REAL in SQLite: nan is 1 then, and value 0.
        CREATE TABLE mlflow_metric (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            nan INTEGER NOT NULL,
            model_id TEXT,                -- the logged model it was measured on
            dataset_name TEXT,            -- the dataset it was measured on
            dataset_digest TEXT,
            PRIMARY KEY (run, key, timestamp_ms, step, value, nan)
        ) WITHOUT ROWID;
        -- The value of the highest step, then the latest, then the greatest.
        CREATE TABLE mlflow_latest_metric (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            nan INTEGER NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
        CREATE TABLE mlflow_input (
            run BLOB NOT NULL,
            digest TEXT NOT NULL,
            name TEXT NOT NULL,
            content TEXT NOT NULL,        -- JSON: the dataset and its tags, as they were sent
            PRIMARY KEY (run, name, digest)
        ) WITHOUT ROWID;";
