//! Traces: their infos, their spans, and what is said of them.

/// A trace is known by its id; what belongs to it stands under that id, so that a request of the
/// branches, which is a trace as well and has no row here, can be given tags and assessments in
/// the same way.
///
/// Spans are text, so that a search looks into them.
pub(super) const TABLES: &str = "
        CREATE TABLE mlflow_trace (
            id TEXT PRIMARY KEY,          -- tr- and 32 digits, or what a client says
            request BLOB,                 -- those digits: the request that is the same trace, if it is here
            experiment INTEGER NOT NULL,
            start_ms INTEGER NOT NULL,
            duration_ms INTEGER,          -- NULL: not known yet
            state TEXT NOT NULL,          -- OK, ERROR, IN_PROGRESS, STATE_UNSPECIFIED
            client_request_id TEXT,
            request_preview TEXT,
            response_preview TEXT,
            finalized INTEGER NOT NULL    -- the client has told of all of it: spans change it no more
        );
        CREATE INDEX mlflow_trace_start ON mlflow_trace (experiment, start_ms DESC, id);
        CREATE TABLE mlflow_trace_tag (
            trace TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (trace, key)
        ) WITHOUT ROWID;
        CREATE TABLE mlflow_trace_metadata (
            trace TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (trace, key)
        ) WITHOUT ROWID;
        -- content: the span as OpenTelemetry's protocol has it, as JSON.
        CREATE TABLE mlflow_span (
            trace TEXT NOT NULL,
            span BLOB NOT NULL,
            is_root INTEGER NOT NULL,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            status TEXT NOT NULL,         -- OK, ERROR, UNSET
            start_ns INTEGER NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY (trace, span)
        );
        CREATE TABLE mlflow_assessment (
            id TEXT PRIMARY KEY,
            trace TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,           -- feedback, expectation, issue
            content TEXT NOT NULL,        -- JSON: what stands under that name
            value TEXT NOT NULL,          -- JSON: its value
            source_type TEXT NOT NULL,
            source_id TEXT,
            span_id TEXT,
            rationale TEXT,
            metadata TEXT NOT NULL,       -- JSON
            overrides TEXT,               -- the assessment that is not valid because of this one
            valid INTEGER NOT NULL,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL
        );
        CREATE INDEX mlflow_assessment_trace ON mlflow_assessment (trace, created_ms);
        -- target: a run, or a prompt's version as NAME/VERSION.
        CREATE TABLE mlflow_trace_link (
            trace TEXT NOT NULL,
            kind TEXT NOT NULL,           -- run, prompt
            target TEXT NOT NULL,
            PRIMARY KEY (trace, kind, target)
        ) WITHOUT ROWID;
        -- Requests that are no traces any more; their branches stay.
        CREATE TABLE mlflow_request_deleted (id BLOB PRIMARY KEY) WITHOUT ROWID;";
