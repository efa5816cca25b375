//! The tables behind MLflow's experiments and runs, in the same file as the branches.
//!
//! An experiment of the branches is one of MLflow's as well, at first under its name: a trigger
//! gives it a row here when it is first seen, or takes the one of that name. A branch needs no row: it *is* a run, whose id is the
//! branch's. What a user adds to one (a tag, a param, a metric) stands in the tables of the
//! runs under that id, and what a user changes in one stands in `mlflow_branch_change`.

mod artifacts;
mod registry;
mod runs;
mod traces;

/// Everything that version 4 adds here.
pub(super) fn tables() -> String {
    [EXPERIMENTS, runs::TABLES, artifacts::TABLES, registry::TABLES, traces::TABLES].concat()
}

const EXPERIMENTS: &str = "
        CREATE TABLE mlflow_experiment (
            id INTEGER PRIMARY KEY,       -- as MLflow names it; 0 is the one called Default
            name TEXT NOT NULL UNIQUE,
            artifact_location TEXT,       -- NULL: mlflow-artifacts:/ID
            deleted INTEGER NOT NULL DEFAULT 0,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            branches TEXT UNIQUE          -- the experiment of branches that it is, if any
        );
        CREATE TABLE mlflow_experiment_tag (
            experiment INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment, key)
        ) WITHOUT ROWID;
        INSERT INTO mlflow_experiment (id, name, created_ms, updated_ms)
            VALUES (0, 'Default', unixepoch('subsec') * 1000, unixepoch('subsec') * 1000);
        INSERT INTO mlflow_experiment (name, branches, created_ms, updated_ms)
            SELECT name, name, unixepoch('subsec') * 1000, unixepoch('subsec') * 1000
            FROM experiment WHERE true GROUP BY name ORDER BY min(key)
            ON CONFLICT (name) DO UPDATE SET branches = excluded.branches;
        CREATE TRIGGER mlflow_experiment_of_branches AFTER INSERT ON experiment
        WHEN NOT EXISTS (SELECT 1 FROM mlflow_experiment WHERE branches = new.name) BEGIN
            INSERT INTO mlflow_experiment (name, branches, created_ms, updated_ms)
                VALUES (new.name, new.name, unixepoch('subsec') * 1000,
                    unixepoch('subsec') * 1000)
                ON CONFLICT (name) DO UPDATE SET branches = excluded.branches;
        END;";
