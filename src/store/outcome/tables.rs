//! The tables of outcomes.

/// What version 6 adds for outcomes.
///
/// A value is a whole number of millionths, so that sums of any of them are exact, in any order. Sums that may
/// leave 64 bits stand as texts of digits.
///
/// `outcome_total` and `outcome_sum` can be computed from the others and `exposure`, and are written by the
/// transactions that write those. There are no foreign keys, as for branches.
pub(in crate::store) const VERSION_6: &str = "
        CREATE TABLE outcome_name (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE
        );
        -- units: the hashes of its unit under the salts that were known, 8 bytes each.
        CREATE TABLE outcome (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,      -- whoever reports it gives it
            name INTEGER NOT NULL,
            value INTEGER NOT NULL,       -- in millionths
            at_ms INTEGER NOT NULL,       -- since 1970
            units BLOB NOT NULL
        );
        CREATE TABLE outcome_unit (
            unit INTEGER NOT NULL,
            outcome INTEGER NOT NULL,
            PRIMARY KEY (unit, outcome)
        ) WITHOUT ROWID;
        -- What the outcomes of a unit come to that followed its first exposure in an epoch.
        CREATE TABLE outcome_total (
            unit INTEGER NOT NULL,
            experiment INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            name INTEGER NOT NULL,
            config INTEGER NOT NULL,      -- of the exposure
            hour INTEGER NOT NULL,        -- of the exposure, since 1970
            outcomes INTEGER NOT NULL,
            total INTEGER NOT NULL,       -- in millionths
            PRIMARY KEY (unit, experiment, epoch, name)
        ) WITHOUT ROWID;
        -- And what the units come to that were exposed in an hour.
        CREATE TABLE outcome_sum (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            name INTEGER NOT NULL,
            hour INTEGER NOT NULL,
            units INTEGER NOT NULL,       -- those with one
            negative INTEGER NOT NULL,    -- of these, those whose total is below 0
            total TEXT NOT NULL,          -- in millionths
            squares TEXT NOT NULL,        -- of the totals of units, in millionths of millionths
            PRIMARY KEY (experiment, config, epoch, name, hour)
        ) WITHOUT ROWID;
        CREATE TABLE outcome_window (
            experiment TEXT PRIMARY KEY,
            window_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
        -- What the unit keys of an experiment are hashed with: made from its salt, now and earlier.
        CREATE TABLE outcome_salt (
            experiment TEXT NOT NULL,
            key BLOB NOT NULL,
            PRIMARY KEY (experiment, key)
        ) WITHOUT ROWID;
        -- One row: outcomes before this time were removed.
        CREATE TABLE outcome_removed (
            before_ms INTEGER NOT NULL,
            outcomes INTEGER NOT NULL
        );";

/// What version 7 adds: outcomes from before the first exposure of a unit.
///
/// Of these, `outcome_total` says what they come to in every epoch of the experiment, and has a row where a unit has
/// outcomes of either kind.
pub(in crate::store) const VERSION_7: &str = "
        ALTER TABLE outcome_total ADD COLUMN outcomes_before INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE outcome_total ADD COLUMN total_before INTEGER NOT NULL DEFAULT 0;   -- in millionths
        ALTER TABLE outcome_sum ADD COLUMN units_before INTEGER NOT NULL DEFAULT 0;     -- those with one
        ALTER TABLE outcome_sum ADD COLUMN total_before TEXT NOT NULL DEFAULT '0';
        ALTER TABLE outcome_sum ADD COLUMN squares_before TEXT NOT NULL DEFAULT '0';
        ALTER TABLE outcome_sum ADD COLUMN products TEXT NOT NULL DEFAULT '0';          -- of both totals of units
        ALTER TABLE outcome_window ADD COLUMN before_ms INTEGER;    -- NULL: as long as the window
";
