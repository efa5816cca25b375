//! The tables of what is sent elsewhere.

/// What version 4 adds for it.
pub(in crate::store) const VERSION_4: &str = "
        CREATE TABLE sync_target (
            key INTEGER PRIMARY KEY,
            address TEXT NOT NULL,        -- of the server, without credentials
            experiment TEXT NOT NULL,     -- of the branches
            mode TEXT NOT NULL,           -- runs, traces, summary
            cursor BLOB NOT NULL,         -- all that were there up to this id were taken
            sent INTEGER NOT NULL DEFAULT 0,
            refused INTEGER NOT NULL DEFAULT 0,
            removed INTEGER NOT NULL DEFAULT 0,       -- before they were sent
            left_out INTEGER NOT NULL DEFAULT 0,      -- not of the sample
            UNIQUE (address, experiment, mode)
        );
        -- Taken and not dealt with. tried: 0 never, 1 it may be on its way, 2 changed since.
        CREATE TABLE sync_unsent (
            target INTEGER NOT NULL,
            branch BLOB NOT NULL,
            tried INTEGER NOT NULL,
            PRIMARY KEY (target, branch)
        ) WITHOUT ROWID;
        -- Sent; but an earlier try, of which nothing was heard, may have its effect yet.
        CREATE TABLE sync_doubt (
            target INTEGER NOT NULL,
            branch BLOB NOT NULL,
            run_id TEXT NOT NULL,         -- the one that counts; of traces, the trace
            since_ms INTEGER NOT NULL,
            PRIMARY KEY (target, branch)
        ) WITHOUT ROWID;
        -- The run that a config's roll-ups are sent to.
        CREATE TABLE sync_summary (
            target INTEGER NOT NULL,
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            run_id TEXT NOT NULL,
            until INTEGER NOT NULL,       -- the last minute that was sent
            PRIMARY KEY (target, experiment, config, role, epoch)
        ) WITHOUT ROWID;
        -- Minutes that were sent, of the last two days before that one.
        CREATE TABLE sync_point (
            target INTEGER NOT NULL,
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            minute INTEGER NOT NULL,
            branches INTEGER NOT NULL,    -- as many as there were then
            revision INTEGER NOT NULL,    -- how often it was sent again
            PRIMARY KEY (target, experiment, config, role, epoch, minute)
        ) WITHOUT ROWID;";
