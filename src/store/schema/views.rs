//! The views of a file: its tables under the names of the records.

/// The views. They hold nothing, so those of this version replace those that were there.
pub(super) fn all() -> String {
    let (id, request_id, parent) =
        (uuid("b.id"), uuid("coalesce(b.request, b.id)"), uuid("b.parent"));
    // (A branch that was not kept leaves its comparison without the id of the primary.)
    let (compared, compared_with) =
        (uuid("c.branch"), uuid("coalesce(c.primary_branch, b.request)"));
    format!(
        "
        DROP VIEW IF EXISTS branches;
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
            (SELECT name FROM code WHERE what = 'reason' AND key = b.reason) AS reason,
            (SELECT number FROM epoch WHERE key = b.epoch) AS epoch,
            (SELECT printf('%016x', fingerprint) FROM epoch WHERE key = b.epoch)
                AS epoch_fingerprint,
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
            b.retry_count AS retry_count,
            b.first_byte_ns AS first_byte_ns,
            b.bytes_in AS bytes_in,
            b.bytes_out AS bytes_out,
            (SELECT nullif(json_group_object(n.name, v.value), '{{}}') FROM branch_metric v
                JOIN metric_name n ON n.key = v.metric WHERE v.branch = b.id) AS metrics,
            lower(hex(coalesce(substr(b.trace, 1, 16), b.request, b.id))) AS trace_id,
            CASE WHEN b.trace IS NOT NULL THEN lower(hex(substr(b.trace, 17, 8))) END
                AS parent_span_id
        FROM branch b
        LEFT JOIN experiment e ON e.key = b.experiment
        LEFT JOIN config c ON c.key = b.config
        LEFT JOIN failure f ON f.id = b.id
        LEFT JOIN output o ON o.id = b.id;
        DROP VIEW IF EXISTS comparisons;
        CREATE VIEW comparisons AS SELECT
            {compared} AS branch_id,
            CASE WHEN coalesce(c.primary_branch, b.request) IS NOT NULL THEN {compared_with} END
                AS primary_id,
            e.name AS experiment,
            e.strategy AS strategy,
            (SELECT config_id FROM config WHERE key = c.config) AS config_id,
            (SELECT name FROM code WHERE what = 'role' AND key = c.role) AS role,
            c.differences AS differences
        FROM comparison c
        LEFT JOIN branch b ON b.id = c.branch
        LEFT JOIN experiment e ON e.key = c.experiment;
        DROP VIEW IF EXISTS differences;
        CREATE VIEW differences AS SELECT
            e.name AS experiment,
            e.strategy AS strategy,
            (SELECT config_id FROM config WHERE key = n.config) AS config_id,
            (SELECT name FROM code WHERE what = 'role' AND key = n.role) AS role,
            (SELECT path FROM path WHERE key = n.path) AS path,
            (SELECT name FROM code WHERE what = 'difference' AND key = n.kind) AS kind,
            n.pairs AS pairs,
            t.compared AS compared
        FROM path_count n
        LEFT JOIN experiment e ON e.key = n.experiment
        LEFT JOIN comparison_count t
            ON t.experiment = n.experiment AND t.config = n.config AND t.role = n.role;"
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
