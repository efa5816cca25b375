//! The model registry, and the models that runs log.

/// A registered model is known by its name, which can change; all else refers to its key.
///
/// The number of a version is never given again, so a version that was deleted stays as a row
/// without a stage.
pub(super) const TABLES: &str = "
        CREATE TABLE mlflow_registered_model (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL
        );
        CREATE TABLE mlflow_registered_model_tag (
            model INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        );
        CREATE TABLE mlflow_registered_model_alias (
            model INTEGER NOT NULL,
            alias TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (model, alias)
        ) WITHOUT ROWID;
        CREATE TABLE mlflow_model_version (
            model INTEGER NOT NULL,
            version INTEGER NOT NULL,
            stage TEXT,                   -- None, Staging, Production, Archived; NULL: deleted
            description TEXT,
            source TEXT NOT NULL,
            location TEXT NOT NULL,       -- where the source's artifacts are
            run_id TEXT NOT NULL,         -- empty where it is of no run
            run_link TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            PRIMARY KEY (model, version)
        );
        CREATE INDEX mlflow_model_version_stage ON mlflow_model_version (model, stage, version);
        CREATE INDEX mlflow_model_version_run ON mlflow_model_version (run_id);
        CREATE TABLE mlflow_model_version_tag (
            model INTEGER NOT NULL,
            version INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, version, key)
        );
        -- Which models have a version that is a prompt.
        CREATE INDEX mlflow_model_version_tag_key ON mlflow_model_version_tag (model, key);
        CREATE TABLE mlflow_logged_model (
            id TEXT PRIMARY KEY,          -- m- and 32 digits, which sort by time
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            source_run_id TEXT NOT NULL,
            status TEXT NOT NULL,         -- PENDING, READY, UPLOAD_FAILED, STATUS_UNSPECIFIED
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        CREATE INDEX mlflow_logged_model_created
            ON mlflow_logged_model (experiment, created_ms DESC);
        CREATE TABLE mlflow_logged_model_param (
            model_id TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) WITHOUT ROWID;
        CREATE TABLE mlflow_logged_model_tag (
            model_id TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) WITHOUT ROWID;";
