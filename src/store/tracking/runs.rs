//! Runs, and what is logged to them.

/// Runs that clients made. Their ids sort by time, as those of branches do, so that rows are
/// appended; params, metrics and tags belong to either.
///
/// The index of runs is the order in which they are listed when no other is asked for: the
/// latest first, then by id (which every index ends with).
pub(super) const TABLES: &str = "
        CREATE TABLE mlflow_run (
            id BLOB PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            user_id TEXT NOT NULL,
            status TEXT NOT NULL,         -- RUNNING, SCHEDULED, FINISHED, FAILED, KILLED
            start_ms INTEGER NOT NULL,
            end_ms INTEGER,
            deleted_ms INTEGER            -- NULL: active
        ) WITHOUT ROWID;
        CREATE INDEX mlflow_run_start ON mlflow_run (experiment, start_ms DESC);
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
        -- A metric that a run measured on a logged model.
        CREATE TABLE mlflow_model_metric (
            model_id TEXT NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            run BLOB NOT NULL,
            value REAL NOT NULL,
            dataset_name TEXT,
            dataset_digest TEXT,
            PRIMARY KEY (model_id, key, timestamp_ms, step, run)
        ) WITHOUT ROWID;
        -- Datasets are known to an experiment by name and digest; the first to be sent stays.
        CREATE TABLE mlflow_dataset (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            source_type TEXT NOT NULL,
            source TEXT NOT NULL,
            schema TEXT,
            profile TEXT,
            UNIQUE (experiment, name, digest)
        );
        CREATE TABLE mlflow_input (
            run BLOB NOT NULL,
            dataset INTEGER NOT NULL,
            context TEXT,                 -- the tag mlflow.data.context
            tags TEXT NOT NULL,           -- JSON: a list of keys and values
            PRIMARY KEY (run, dataset)
        ) WITHOUT ROWID;
        -- The logged models that a run read (output 0) or made (output 1).
        CREATE TABLE mlflow_run_model (
            run BLOB NOT NULL,
            output INTEGER NOT NULL,
            model_id TEXT NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (run, output, model_id)
        ) WITHOUT ROWID;";
