-- The tables of version 1, as it made them.
CREATE TABLE experiment (
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
CREATE VIEW branches AS SELECT hex(b.id) AS id, b.duration_ns AS duration_ns FROM branch b;
INSERT INTO code (what, key, name) VALUES
    ('role', 0, 'primary'), ('role', 1, 'shadow'), ('role', 2, 'branch'), ('role', 3, 'fallback'),
    ('status', 0, 'success'), ('status', 1, 'failed'), ('status', 2, 'skipped'),
    ('status', 3, 'cancelled'), ('failure', 0, 'error'), ('failure', 1, 'timeout'),
    ('skip', 0, 'not_ready');
INSERT INTO experiment VALUES (1, 'ranker', 'shadow');
INSERT INTO config VALUES
    (1, 'stable', x'01', '{"config_id":"stable"}'), (2, 'candidate', x'02', '{"config_id":"candidate"}');
INSERT INTO branch VALUES
    (x'0199a0000000700080000000000000a1', NULL, NULL, NULL, 1, 1, 0, 0,
     1790000000000000000, 2000000, 1.0, NULL, NULL, NULL, 0),
    (x'0199a0000000700080000000000000a2', x'0199a0000000700080000000000000a1', NULL, NULL, 1, 2, 1, 1,
     1790000000000000000, 3000000, 0.5, 7, 1, NULL, 2);
INSERT INTO failure VALUES (x'0199a0000000700080000000000000a2', 'Elapsed', 'no response within 2s', '');
INSERT INTO output VALUES (x'0199a0000000700080000000000000a1', 4, '"ok"');
PRAGMA application_id = 0x53504d54;
PRAGMA user_version = 1;
