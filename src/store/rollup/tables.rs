//! The tables of roll-ups.

/// What version 4 adds for roll-ups.
///
/// All of it can be computed from `branch` and `comparison`, and is written by the transactions
/// that write those; it stays when old branches are removed. A minute is that of a branch's id,
/// which never changes. An epoch is the first key of its fingerprint, whatever its number, and 0
/// where an older program wrote the branch.
///
/// `rollup` has a rowid, because rows of some hundred bytes fill the pages of such a table
/// better, and the newest minutes stand together.
pub(in crate::store) const VERSION_4: &str = "
        ALTER TABLE comparison ADD COLUMN epoch INTEGER;
        CREATE TABLE rollup (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            minute INTEGER NOT NULL,      -- since 1970
            span INTEGER NOT NULL,        -- how many minutes: 1, or 60 once they are old
            success INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            skipped INTEGER NOT NULL,
            cancelled INTEGER NOT NULL,
            state BLOB NOT NULL,          -- reasons, histograms, sums, pairs
            UNIQUE (experiment, config, role, epoch, minute, span)
        );
        CREATE INDEX rollup_minute ON rollup (minute, span);
        -- By bucket of the unit's hash: units are independent of one another, requests are not.
        CREATE TABLE unit_bucket (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            bucket INTEGER NOT NULL,
            success INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            timed_out INTEGER NOT NULL,   -- of the failed
            duration_us INTEGER NOT NULL,
            duration_us_squares NUMERIC NOT NULL,
            PRIMARY KEY (experiment, config, role, epoch, bucket)
        ) WITHOUT ROWID;
        -- The first branch that answered a unit in an epoch.
        CREATE TABLE exposure (
            unit INTEGER NOT NULL,
            experiment INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            config INTEGER NOT NULL,
            branch BLOB NOT NULL,
            PRIMARY KEY (unit, experiment, epoch)
        ) WITHOUT ROWID;
        -- What there is of each hour, and how many branches of it were removed.
        CREATE TABLE held (
            experiment INTEGER NOT NULL,
            hour INTEGER NOT NULL,        -- since 1970
            branches INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            removed INTEGER NOT NULL,
            PRIMARY KEY (experiment, hour)
        ) WITHOUT ROWID;";
