//! What the file looks like.

/// The `application_id` in the header of a store: "SPMT".
pub const APPLICATION_ID: i32 = 0x5350_4d54;

/// The version of the schema that this crate writes, in the file's `user_version`.
pub const SCHEMA_VERSION: i32 = 1;

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
pub(super) fn version_1() -> String {
    let (id, request_id, parent) =
        (uuid("b.id"), uuid("coalesce(b.request, b.id)"), uuid("b.parent"));
    format!(
        "CREATE TABLE experiment (
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
        ) WITHOUT ROWID;
        CREATE VIEW branches AS SELECT
            {id} AS id,
            {request_id} AS request_id,
            CASE WHEN b.parent IS NOT NULL THEN {parent} END AS parent,
            (SELECT config_id FROM config WHERE key = b.parent_config) AS parent_config_id,
            e.name AS experiment,
            e.strategy AS strategy,
            (SELECT name FROM code WHERE what = 'role' AND key = b.role) AS role,
            c.config_id AS config_id,
            c.content AS config,
            b.probability AS probability,
            CASE WHEN b.unit IS NOT NULL THEN printf('%016x', b.unit) END AS unit_hex,
            strftime('%Y-%m-%dT%H:%M:%fZ', b.start_ns / 1e9, 'unixepoch') AS started,
            b.start_ns AS start_ns,
            b.start_ns + b.duration_ns AS end_ns,
            b.duration_ns AS duration_ns,
            (SELECT name FROM code WHERE what = 'status' AND key = b.status) AS status,
            o.content AS output,
            (SELECT name FROM code WHERE what = 'failure' AND key = b.failure) AS failure_kind,
            f.type AS failure_type,
            f.message AS failure_message,
            f.trace AS failure_trace,
            (SELECT name FROM code WHERE what = 'skip' AND key = b.skip) AS skip,
            b.retry_count AS retry_count
        FROM branch b
        LEFT JOIN experiment e ON e.key = b.experiment
        LEFT JOIN config c ON c.key = b.config
        LEFT JOIN failure f ON f.id = b.id
        LEFT JOIN output o ON o.id = b.id;
        PRAGMA application_id = {APPLICATION_ID};
        PRAGMA user_version = {SCHEMA_VERSION};"
    )
}

/// The expression that writes 16 bytes as a UUID.
fn uuid(bytes: &str) -> String {
    format!(
        "lower(substr(hex({bytes}), 1, 8) || '-' || substr(hex({bytes}), 9, 4) || '-' || \
         substr(hex({bytes}), 13, 4) || '-' || substr(hex({bytes}), 17, 4) || '-' || \
         substr(hex({bytes}), 21))"
    )
}

/// A branch, unless it is there already.
pub(super) const INSERT_BRANCH: &str = "INSERT INTO branch
    (id, request, parent, parent_config, experiment, config, role, status, start_ns,
     duration_ns, probability, unit, failure, skip, retry_count)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
    ON CONFLICT DO NOTHING";

/// How a branch ended, once it is known.
pub(super) const UPDATE_BRANCH: &str = "UPDATE branch SET
    status = ?2, start_ns = ?3, duration_ns = ?4, failure = coalesce(?5, failure), skip = ?6,
    retry_count = ?7 WHERE id = ?1";

pub(super) const UPSERT_FAILURE: &str =
    "INSERT OR REPLACE INTO failure (id, type, message, trace) VALUES (?1, ?2, ?3, ?4)";

pub(super) const UPSERT_OUTPUT: &str =
    "INSERT OR REPLACE INTO output (id, size, content) VALUES (?1, ?2, ?3)";

/// Branches with all that belongs to them; a `WHERE` follows.
pub(super) const SELECT_BRANCH: &str = "SELECT
    b.id, b.request, b.parent, b.parent_config, b.experiment, b.config, b.role, b.status,
    b.start_ns, b.duration_ns, b.probability, b.unit, b.failure, b.skip, b.retry_count,
    f.type, f.message, f.trace, o.size, o.content
    FROM branch b LEFT JOIN failure f ON f.id = b.id LEFT JOIN output o ON o.id = b.id";
