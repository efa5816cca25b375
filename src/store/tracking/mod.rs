//! The tables behind MLflow's experiments and runs, in the same file as the branches.
//!
//! An experiment of the branches is one of MLflow's as well, under its name: a trigger gives it
//! a row here when it is first seen. A branch needs no row: it *is* a run, whose id is the
//! branch's. What a user adds to one (a tag, a param, a metric) stands in the tables of the
//! runs under that id, and what a user changes in one stands in `mlflow_branch_change`.

mod runs;

/// Everything that version 4 adds here.
pub(super) fn tables() -> String {
    [EXPERIMENTS, runs::TABLES].concat()
}

const EXPERIMENTS: &str = "
        CREATE TABLE mlflow_experiment (
            id INTEGER PRIMARY KEY,       -- as MLflow names it; 0 is the one called Default
            name TEXT NOT NULL UNIQUE,
            artifact_location TEXT,       -- NULL: mlflow-artifacts:/ID
            deleted INTEGER NOT NULL DEFAULT 0,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL
        );
        CREATE TABLE mlflow_experiment_tag (
            experiment INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment, key)
        ) WITHOUT ROWID;
        INSERT INTO mlflow_experiment (id, name, created_ms, updated_ms)
            VALUES (0, 'Default', unixepoch('subsec') * 1000, unixepoch('subsec') * 1000);
        INSERT OR IGNORE INTO mlflow_experiment (name, created_ms, updated_ms)
            SELECT name, unixepoch('subsec') * 1000, unixepoch('subsec') * 1000
            FROM experiment ORDER BY key;
        CREATE TRIGGER mlflow_experiment_of_branches AFTER INSERT ON experiment BEGIN
            INSERT OR IGNORE INTO mlflow_experiment (name, created_ms, updated_ms)
                VALUES (new.name, unixepoch('subsec') * 1000, unixepoch('subsec') * 1000);
        END;";
