//! The tables of looks.

/// What version 6 adds for looks.
///
/// What all looks of a series come to is kept apart from the looks themselves, of which only some stay.
/// An end of an interval that is not known is NULL.
pub(in crate::store) const VERSION_6: &str = "
        -- Looks at one question: by the same metrics, margins, baseline and candidates.
        CREATE TABLE look_series (
            key INTEGER PRIMARY KEY,
            experiment TEXT NOT NULL,
            asked INTEGER NOT NULL,       -- the question's fingerprint: its 64 bits, signed
            since_ns INTEGER NOT NULL,    -- where that begins which was looked at
            first_ns INTEGER NOT NULL,    -- the first look
            last_ns INTEGER NOT NULL,
            looks INTEGER NOT NULL,       -- all of them
            UNIQUE (experiment, asked)
        );
        CREATE TABLE look_candidate (
            key INTEGER PRIMARY KEY,
            series INTEGER NOT NULL,
            config_id TEXT NOT NULL,
            verdict TEXT NOT NULL,        -- that of the last look
            verdict_ns INTEGER NOT NULL,  -- since when it is that
            verdict_look INTEGER NOT NULL,
            UNIQUE (series, config_id)
        );
        -- When each verdict was reached for the first time.
        CREATE TABLE look_reached (
            candidate INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            at_ns INTEGER NOT NULL,
            look INTEGER NOT NULL,
            PRIMARY KEY (candidate, verdict)
        ) WITHOUT ROWID;
        -- What the intervals of all looks have in common.
        CREATE TABLE look_common (
            candidate INTEGER NOT NULL,
            metric TEXT NOT NULL,
            epoch INTEGER,                -- the fingerprint of the only one that counts
            low REAL,
            high REAL,
            contradicted_ns INTEGER,      -- since when they have nothing in common
            PRIMARY KEY (candidate, metric)
        ) WITHOUT ROWID;
        -- Some of the looks: the first, the last, and others evenly between.
        CREATE TABLE look (
            candidate INTEGER NOT NULL,
            number INTEGER NOT NULL,      -- from 1
            at_ns INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            PRIMARY KEY (candidate, number)
        ) WITHOUT ROWID;
        CREATE TABLE look_metric (
            candidate INTEGER NOT NULL,
            number INTEGER NOT NULL,
            metric TEXT NOT NULL,
            difference REAL,
            low REAL,
            high REAL,
            PRIMARY KEY (candidate, number, metric)
        ) WITHOUT ROWID;";

/// What version 7 adds: how much of which stores the looks at several of them were at.
pub(in crate::store) const VERSION_7: &str = "
        CREATE TABLE look_replica (
            series INTEGER NOT NULL,
            replica BLOB NOT NULL,        -- its 16 bytes
            sequence INTEGER NOT NULL,    -- how far it had come at the last look
            PRIMARY KEY (series, replica)
        ) WITHOUT ROWID;";
