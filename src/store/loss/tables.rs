//! The table of what was not recorded.

/// What version 6 adds for losses: by name, as there may be no branch of an arm that gave it a key; and by
/// the hour in which it was told, so that a report can begin later.
pub(in crate::store) const VERSION_6: &str = "
        CREATE TABLE loss (
            experiment TEXT NOT NULL,
            strategy TEXT NOT NULL,
            config_id TEXT NOT NULL,
            role TEXT NOT NULL,
            reason TEXT NOT NULL,
            hour INTEGER NOT NULL,        -- since 1970
            branches INTEGER NOT NULL,
            PRIMARY KEY (experiment, strategy, config_id, role, reason, hour)
        ) WITHOUT ROWID;";

/// The first version with it.
pub(super) const SINCE_VERSION: i32 = 6;
