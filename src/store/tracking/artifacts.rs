//! Artifacts: which content stands under which path.

/// The contents stand outside, each once, in files that are named by their hash.
///
/// A content that no path names any more is noted by a trigger, whoever deletes the path, and
/// its file is removed after that is committed. (An `OR IGNORE` in a trigger would give way to the
/// conflict clause of the statement that fires it.)
pub(super) const TABLES: &str = "
        -- path: what follows mlflow-artifacts:/, with neither slash at its ends. Directories are
        -- not kept: one is there as long as a path leads through it.
        CREATE TABLE mlflow_artifact (
            path TEXT PRIMARY KEY,
            hash BLOB NOT NULL,           -- BLAKE3 of the content
            size INTEGER NOT NULL,        -- bytes
            written_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX mlflow_artifact_hash ON mlflow_artifact (hash);
        -- One row: what the directory of the contents has in its file `store`, so that no other
        -- store removes them as unused.
        CREATE TABLE mlflow_artifact_owner (id BLOB NOT NULL);
        INSERT INTO mlflow_artifact_owner VALUES (randomblob(16));
        CREATE TABLE mlflow_artifact_freed (hash BLOB PRIMARY KEY) WITHOUT ROWID;
        CREATE TRIGGER mlflow_artifact_deleted AFTER DELETE ON mlflow_artifact
            WHEN NOT EXISTS (SELECT 1 FROM mlflow_artifact WHERE hash = old.hash) BEGIN
            INSERT INTO mlflow_artifact_freed SELECT old.hash
                WHERE NOT EXISTS (SELECT 1 FROM mlflow_artifact_freed WHERE hash = old.hash);
        END;
        CREATE TRIGGER mlflow_artifact_replaced AFTER UPDATE OF hash ON mlflow_artifact
            WHEN NOT EXISTS (SELECT 1 FROM mlflow_artifact WHERE hash = old.hash) BEGIN
            INSERT INTO mlflow_artifact_freed SELECT old.hash
                WHERE NOT EXISTS (SELECT 1 FROM mlflow_artifact_freed WHERE hash = old.hash);
        END;";
