-- A store of version 6: a shadow beside each of twelve primaries, four of which their callers left.
BEGIN TRANSACTION;
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
        , first_byte_ns INTEGER, bytes_in INTEGER, bytes_out INTEGER, reason INTEGER, epoch INTEGER, trace BLOB) WITHOUT ROWID;
INSERT INTO "branch" VALUES(X'01A22758C3AB70008000000000000000',NULL,NULL,NULL,1,1,0,0,1795956458411339959,9338978,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C40F70008000000000000001',X'01A22758C3AB70008000000000000000',NULL,NULL,1,2,1,0,1795956458511339959,10497581,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C40F70008000000000000002',NULL,NULL,NULL,1,1,0,3,1795956458511339959,5000000,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C47370008000000000000003',X'01A22758C40F70008000000000000002',NULL,NULL,1,2,1,0,1795956458611339959,9478848,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C47370008000000000000004',NULL,NULL,NULL,1,1,0,0,1795956458611339959,12508117,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C4D770008000000000000005',X'01A22758C47370008000000000000004',NULL,NULL,1,2,1,0,1795956458711339959,10289724,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C4D770008000000000000006',NULL,NULL,NULL,1,1,0,0,1795956458711339959,10714723,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C53B70008000000000000007',X'01A22758C4D770008000000000000006',NULL,NULL,1,2,1,0,1795956458811339959,7640165,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C53B70008000000000000008',NULL,NULL,NULL,1,1,0,3,1795956458811339959,5000000,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C59F70008000000000000009',X'01A22758C53B70008000000000000008',NULL,NULL,1,2,1,3,1795956458911339959,5000000,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C59F7000800000000000000A',NULL,NULL,NULL,1,1,0,0,1795956458911339959,12826814,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C6037000800000000000000B',X'01A22758C59F7000800000000000000A',NULL,NULL,1,2,1,0,1795956459011339959,8695535,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C6037000800000000000000C',NULL,NULL,NULL,1,1,0,0,1795956459011339959,7454462,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C6677000800000000000000D',X'01A22758C6037000800000000000000C',NULL,NULL,1,2,1,0,1795956459111339959,8055918,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C6677000800000000000000E',NULL,NULL,NULL,1,1,0,3,1795956459111339959,5000000,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C6CB7000800000000000000F',X'01A22758C6677000800000000000000E',NULL,NULL,1,2,1,0,1795956459211339959,8917315,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C6CB70008000000000000010',NULL,NULL,NULL,1,1,0,0,1795956459211339959,12072099,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C72F70008000000000000011',X'01A22758C6CB70008000000000000010',NULL,NULL,1,2,1,0,1795956459311339959,9169487,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C72F70008000000000000012',NULL,NULL,NULL,1,1,0,0,1795956459311339959,10441130,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C79370008000000000000013',X'01A22758C72F70008000000000000012',NULL,NULL,1,2,1,0,1795956459411339959,9014190,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C79370008000000000000014',NULL,NULL,NULL,1,1,0,3,1795956459411339959,5000000,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C7F770008000000000000015',X'01A22758C79370008000000000000014',NULL,NULL,1,2,1,0,1795956459511339959,9409406,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C7F770008000000000000016',NULL,NULL,NULL,1,1,0,0,1795956459511339959,11780147,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
INSERT INTO "branch" VALUES(X'01A22758C85B70008000000000000017',X'01A22758C7F770008000000000000016',NULL,NULL,1,2,1,0,1795956459611339959,12724514,0.5,NULL,NULL,NULL,0,NULL,NULL,NULL,2,1,NULL);
CREATE TABLE branch_metric (
            branch BLOB NOT NULL,
            metric INTEGER NOT NULL,
            value REAL NOT NULL,
            PRIMARY KEY (branch, metric)
        ) WITHOUT ROWID;
CREATE TABLE code (
            what TEXT NOT NULL,
            key INTEGER NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (what, key),
            UNIQUE (what, name)
        ) WITHOUT ROWID;
INSERT INTO "code" VALUES('difference',0,'changed');
INSERT INTO "code" VALUES('difference',1,'type');
INSERT INTO "code" VALUES('difference',2,'missing');
INSERT INTO "code" VALUES('difference',3,'added');
INSERT INTO "code" VALUES('failure',0,'error');
INSERT INTO "code" VALUES('failure',1,'panic');
INSERT INTO "code" VALUES('failure',2,'timeout');
INSERT INTO "code" VALUES('failure',3,'lagging');
INSERT INTO "code" VALUES('failure',4,'connect');
INSERT INTO "code" VALUES('failure',5,'reset');
INSERT INTO "code" VALUES('failure',6,'protocol');
INSERT INTO "code" VALUES('failure',7,'status');
INSERT INTO "code" VALUES('failure',8,'truncated');
INSERT INTO "code" VALUES('failure',9,'oversized');
INSERT INTO "code" VALUES('failure',10,'overloaded');
INSERT INTO "code" VALUES('failure',11,'incomplete');
INSERT INTO "code" VALUES('reason',0,'weight');
INSERT INTO "code" VALUES('reason',1,'sticky');
INSERT INTO "code" VALUES('reason',2,'cycle');
INSERT INTO "code" VALUES('reason',3,'override');
INSERT INTO "code" VALUES('reason',4,'ineligible');
INSERT INTO "code" VALUES('reason',5,'not_in_namespace');
INSERT INTO "code" VALUES('reason',6,'holdout');
INSERT INTO "code" VALUES('reason',7,'ramp');
INSERT INTO "code" VALUES('reason',8,'no_unit');
INSERT INTO "code" VALUES('reason',9,'primary');
INSERT INTO "code" VALUES('reason',10,'sample');
INSERT INTO "code" VALUES('reason',11,'all');
INSERT INTO "code" VALUES('reason',12,'fallback');
INSERT INTO "code" VALUES('role',0,'primary');
INSERT INTO "code" VALUES('role',1,'shadow');
INSERT INTO "code" VALUES('role',2,'control');
INSERT INTO "code" VALUES('role',3,'branch');
INSERT INTO "code" VALUES('role',4,'fallback');
INSERT INTO "code" VALUES('skip',0,'not_ready');
INSERT INTO "code" VALUES('skip',1,'max_in_flight');
INSERT INTO "code" VALUES('skip',2,'breaker_open');
INSERT INTO "code" VALUES('skip',3,'upgrade');
INSERT INTO "code" VALUES('skip',4,'no_runtime');
INSERT INTO "code" VALUES('skip',5,'rewrite_limit');
INSERT INTO "code" VALUES('skip',6,'strategy');
INSERT INTO "code" VALUES('status',0,'success');
INSERT INTO "code" VALUES('status',1,'failed');
INSERT INTO "code" VALUES('status',2,'skipped');
INSERT INTO "code" VALUES('status',3,'cancelled');
CREATE TABLE comparison (
            branch BLOB PRIMARY KEY,      -- the one that was compared
            primary_branch BLOB,          -- with this one; NULL where that is the request's id
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            differences INTEGER NOT NULL  -- in how many places; 0 is equal
        , epoch INTEGER) WITHOUT ROWID;
CREATE TABLE comparison_count (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            compared INTEGER NOT NULL,
            different INTEGER NOT NULL,
            uncounted INTEGER NOT NULL,
            PRIMARY KEY (experiment, config, role)
        ) WITHOUT ROWID;
CREATE TABLE config (
            key INTEGER PRIMARY KEY,
            config_id TEXT NOT NULL,
            digest BLOB NOT NULL,
            content TEXT,
            UNIQUE (config_id, digest)
        );
INSERT INTO "config" VALUES(1,'stable',X'FB756BF57CFD00A090A9C3DB9516F6B727775DC83859F5B0DECB34A2F978402F','{"config_id":"stable"}');
INSERT INTO "config" VALUES(2,'candidate',X'641FF19D2F104789E3863E5BE8F07036C55F3A6488DD6EEAA8B6D119419904FF','{"config_id":"candidate"}');
CREATE TABLE difference (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            path INTEGER NOT NULL,
            branch BLOB NOT NULL,
            primary_branch BLOB NOT NULL,
            kind INTEGER NOT NULL,
            primary_sample TEXT,          -- NULL where there is nothing
            shadow_sample TEXT,
            PRIMARY KEY (experiment, config, role, path, branch)
        ) WITHOUT ROWID;
CREATE TABLE epoch (
            key INTEGER PRIMARY KEY,
            number INTEGER NOT NULL,
            fingerprint INTEGER NOT NULL,               -- its 64 bits, signed
            UNIQUE (fingerprint, number)
        );
INSERT INTO "epoch" VALUES(1,1,7);
CREATE TABLE experiment (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            strategy TEXT NOT NULL,
            UNIQUE (name, strategy)
        );
INSERT INTO "experiment" VALUES(1,'ranker','shadow');
CREATE TABLE exposure (
            unit INTEGER NOT NULL,
            experiment INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            config INTEGER NOT NULL,
            branch BLOB NOT NULL,
            PRIMARY KEY (unit, experiment, epoch)
        ) WITHOUT ROWID;
CREATE TABLE failure (
            id BLOB PRIMARY KEY,
            type TEXT NOT NULL,
            message TEXT NOT NULL,
            trace TEXT NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE held (
            experiment INTEGER NOT NULL,
            hour INTEGER NOT NULL,        -- since 1970
            branches INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            removed INTEGER NOT NULL,
            PRIMARY KEY (experiment, hour)
        ) WITHOUT ROWID;
INSERT INTO "held" VALUES(1,498876,24,2304,0);
CREATE TABLE look (
            candidate INTEGER NOT NULL,
            number INTEGER NOT NULL,      -- from 1
            at_ns INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            PRIMARY KEY (candidate, number)
        ) WITHOUT ROWID;
CREATE TABLE look_candidate (
            key INTEGER PRIMARY KEY,
            series INTEGER NOT NULL,
            config_id TEXT NOT NULL,
            verdict TEXT NOT NULL,        -- that of the last look
            verdict_ns INTEGER NOT NULL,  -- since when it is that
            verdict_look INTEGER NOT NULL,
            UNIQUE (series, config_id)
        );
CREATE TABLE look_common (
            candidate INTEGER NOT NULL,
            metric TEXT NOT NULL,
            epoch INTEGER,                -- the fingerprint of the only one that counts
            low REAL,
            high REAL,
            contradicted_ns INTEGER,      -- since when they have nothing in common
            PRIMARY KEY (candidate, metric)
        ) WITHOUT ROWID;
CREATE TABLE look_metric (
            candidate INTEGER NOT NULL,
            number INTEGER NOT NULL,
            metric TEXT NOT NULL,
            difference REAL,
            low REAL,
            high REAL,
            PRIMARY KEY (candidate, number, metric)
        ) WITHOUT ROWID;
CREATE TABLE look_reached (
            candidate INTEGER NOT NULL,
            verdict TEXT NOT NULL,
            at_ns INTEGER NOT NULL,
            look INTEGER NOT NULL,
            PRIMARY KEY (candidate, verdict)
        ) WITHOUT ROWID;
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
CREATE TABLE loss (
            experiment TEXT NOT NULL,
            strategy TEXT NOT NULL,
            config_id TEXT NOT NULL,
            role TEXT NOT NULL,
            reason TEXT NOT NULL,
            hour INTEGER NOT NULL,        -- since 1970
            branches INTEGER NOT NULL,
            PRIMARY KEY (experiment, strategy, config_id, role, reason, hour)
        ) WITHOUT ROWID;
CREATE TABLE metric_beyond (
            experiment INTEGER PRIMARY KEY,
            not_rolled_up INTEGER NOT NULL,
            not_kept INTEGER NOT NULL
        );
CREATE TABLE metric_name (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            rolled_up INTEGER NOT NULL,   -- 1, or 0 where there were 64 names before it
            UNIQUE (experiment, name)
        );
CREATE TABLE mlflow_artifact (
            path TEXT PRIMARY KEY,
            hash BLOB NOT NULL,           -- BLAKE3 of the content
            size INTEGER NOT NULL,        -- bytes
            written_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE mlflow_artifact_freed (hash BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE mlflow_artifact_owner (id BLOB NOT NULL);
INSERT INTO "mlflow_artifact_owner" VALUES(X'97BC97B3C796559B06B8D8AAD3005488');
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
CREATE TABLE mlflow_branch_change (
            id BLOB PRIMARY KEY,
            name TEXT,
            status TEXT,
            end_ms INTEGER,
            deleted_ms INTEGER
        ) WITHOUT ROWID;
CREATE TABLE mlflow_dataset (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            source_type TEXT NOT NULL,
            source TEXT NOT NULL,
            schema TEXT,
            profile TEXT,
            UNIQUE (experiment, name, digest)
        );
CREATE TABLE mlflow_experiment (
            id INTEGER PRIMARY KEY,       -- as MLflow names it; 0 is the one called Default
            name TEXT NOT NULL UNIQUE,
            artifact_location TEXT,       -- NULL: mlflow-artifacts:/ID
            deleted INTEGER NOT NULL DEFAULT 0,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            branches TEXT UNIQUE          -- the experiment of branches that it is, if any
        );
INSERT INTO "mlflow_experiment" VALUES(0,'Default',NULL,0,1795956759671,1795956759671,NULL);
INSERT INTO "mlflow_experiment" VALUES(1,'ranker',NULL,0,1795956759759,1795956759759,'ranker');
CREATE TABLE mlflow_experiment_tag (
            experiment INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_input (
            run BLOB NOT NULL,
            dataset INTEGER NOT NULL,
            context TEXT,                 -- the tag mlflow.data.context
            tags TEXT NOT NULL,           -- JSON: a list of keys and values
            PRIMARY KEY (run, dataset)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_latest_metric (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            nan INTEGER NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_logged_model (
            id TEXT PRIMARY KEY,          -- m- and 32 digits, which sort by time
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            source_run_id TEXT NOT NULL,
            status TEXT NOT NULL,         -- PENDING, READY, UPLOAD_FAILED, STATUS_UNSPECIFIED
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
CREATE TABLE mlflow_logged_model_param (
            model_id TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_logged_model_tag (
            model_id TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model_id, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_metric (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            nan INTEGER NOT NULL,
            PRIMARY KEY (run, key, timestamp_ms, step, value, nan)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_model_metric (
            model_id TEXT NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            run BLOB NOT NULL,
            value REAL NOT NULL,
            dataset_name TEXT,
            dataset_digest TEXT,
            PRIMARY KEY (model_id, key, timestamp_ms, step, run)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_model_version (
            model INTEGER NOT NULL,
            version INTEGER NOT NULL,
            stage TEXT,                   -- None, Staging, Production, Archived; NULL: deleted
            description TEXT,
            source TEXT NOT NULL,
            location TEXT NOT NULL,       -- where the source's artifacts are
            run_id TEXT NOT NULL,         -- empty where it is of no run
            run_link TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            PRIMARY KEY (model, version)
        );
CREATE TABLE mlflow_model_version_tag (
            model INTEGER NOT NULL,
            version INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, version, key)
        );
CREATE TABLE mlflow_param (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_registered_model (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL
        );
CREATE TABLE mlflow_registered_model_alias (
            model INTEGER NOT NULL,
            alias TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (model, alias)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_registered_model_tag (
            model INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        );
CREATE TABLE mlflow_request_deleted (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE mlflow_run (
            id BLOB PRIMARY KEY,
            experiment INTEGER NOT NULL,
            name TEXT NOT NULL,
            user_id TEXT NOT NULL,
            status TEXT NOT NULL,         -- RUNNING, SCHEDULED, FINISHED, FAILED, KILLED
            start_ms INTEGER NOT NULL,
            end_ms INTEGER,
            deleted_ms INTEGER            -- NULL: active
        ) WITHOUT ROWID;
CREATE TABLE mlflow_run_model (
            run BLOB NOT NULL,
            output INTEGER NOT NULL,
            model_id TEXT NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (run, output, model_id)
        ) WITHOUT ROWID;
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
CREATE TABLE mlflow_tag (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
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
CREATE TABLE mlflow_trace_link (
            trace TEXT NOT NULL,
            kind TEXT NOT NULL,           -- run, prompt
            target TEXT NOT NULL,
            PRIMARY KEY (trace, kind, target)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_trace_metadata (
            trace TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (trace, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_trace_tag (
            trace TEXT NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (trace, key)
        ) WITHOUT ROWID;
CREATE TABLE outcome (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,      -- whoever reports it gives it
            name INTEGER NOT NULL,
            value INTEGER NOT NULL,       -- in millionths
            at_ms INTEGER NOT NULL,       -- since 1970
            units BLOB NOT NULL
        );
CREATE TABLE outcome_name (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE
        );
CREATE TABLE outcome_removed (
            before_ms INTEGER NOT NULL,
            outcomes INTEGER NOT NULL
        );
CREATE TABLE outcome_salt (
            experiment TEXT NOT NULL,
            key BLOB NOT NULL,
            PRIMARY KEY (experiment, key)
        ) WITHOUT ROWID;
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
CREATE TABLE outcome_unit (
            unit INTEGER NOT NULL,
            outcome INTEGER NOT NULL,
            PRIMARY KEY (unit, outcome)
        ) WITHOUT ROWID;
CREATE TABLE outcome_window (
            experiment TEXT PRIMARY KEY,
            window_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE output (
            id BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            content TEXT NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE path (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            path TEXT NOT NULL,
            UNIQUE (experiment, path)
        );
CREATE TABLE path_count (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            path INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            pairs INTEGER NOT NULL,
            PRIMARY KEY (experiment, config, role, path, kind)
        ) WITHOUT ROWID;
CREATE TABLE plan (
            experiment TEXT PRIMARY KEY,
            content TEXT NOT NULL         -- JSON
        ) WITHOUT ROWID;
CREATE TABLE replica (
            id BLOB NOT NULL,             -- 16 random bytes
            sequence INTEGER NOT NULL
        );
INSERT INTO "replica" VALUES(X'256F04D0F1DEF9217BA4F73C3F0AA7C7',1);
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
INSERT INTO "rollup" VALUES(1,1,2,1,1,29932607,1,11,0,0,1,X'03000008000000000000000AA206010201020101020001000100010301000109010000000BCB8DC531EDE9DCBA8CB3E30100000008A106010A01050100010401000101010001000000');
INSERT INTO "rollup" VALUES(2,1,1,0,1,29932607,1,8,0,0,4,X'030000000000000000000008A106010A0105010001040100010101000100000008D6B1C629E4FDF69FDA83DD0100000000000000');
CREATE TABLE sync_doubt (
            target INTEGER NOT NULL,
            branch BLOB NOT NULL,
            run_id TEXT NOT NULL,         -- the one that counts; of traces, the trace
            since_ms INTEGER NOT NULL,
            PRIMARY KEY (target, branch)
        ) WITHOUT ROWID;
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
        ) WITHOUT ROWID;
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
CREATE TABLE sync_unsent (
            target INTEGER NOT NULL,
            branch BLOB NOT NULL,
            tried INTEGER NOT NULL,
            PRIMARY KEY (target, branch)
        ) WITHOUT ROWID;
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
            duration_us_squares NUMERIC NOT NULL, unfinished INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (experiment, config, role, epoch, bucket)
        ) WITHOUT ROWID;
CREATE TABLE unit_metric (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            bucket INTEGER NOT NULL,
            metric INTEGER NOT NULL,
            count INTEGER NOT NULL,
            sum REAL NOT NULL,
            PRIMARY KEY (experiment, config, role, epoch, bucket, metric)
        ) WITHOUT ROWID;
CREATE INDEX branch_request ON branch (request) WHERE request IS NOT NULL;
CREATE INDEX rollup_minute ON rollup (minute, span);
CREATE TRIGGER mlflow_experiment_of_branches AFTER INSERT ON experiment
        WHEN NOT EXISTS (SELECT 1 FROM mlflow_experiment WHERE branches = new.name) BEGIN
            INSERT INTO mlflow_experiment (name, branches, created_ms, updated_ms)
                VALUES (new.name, new.name, unixepoch('subsec') * 1000,
                    unixepoch('subsec') * 1000)
                ON CONFLICT (name) DO UPDATE SET branches = excluded.branches;
        END;
CREATE INDEX mlflow_run_start ON mlflow_run (experiment, start_ms DESC);
CREATE INDEX mlflow_artifact_hash ON mlflow_artifact (hash);
CREATE TRIGGER mlflow_artifact_deleted AFTER DELETE ON mlflow_artifact
            WHEN NOT EXISTS (SELECT 1 FROM mlflow_artifact WHERE hash = old.hash) BEGIN
            INSERT INTO mlflow_artifact_freed SELECT old.hash
                WHERE NOT EXISTS (SELECT 1 FROM mlflow_artifact_freed WHERE hash = old.hash);
        END;
CREATE TRIGGER mlflow_artifact_replaced AFTER UPDATE OF hash ON mlflow_artifact
            WHEN NOT EXISTS (SELECT 1 FROM mlflow_artifact WHERE hash = old.hash) BEGIN
            INSERT INTO mlflow_artifact_freed SELECT old.hash
                WHERE NOT EXISTS (SELECT 1 FROM mlflow_artifact_freed WHERE hash = old.hash);
        END;
CREATE INDEX mlflow_model_version_stage ON mlflow_model_version (model, stage, version);
CREATE INDEX mlflow_model_version_run ON mlflow_model_version (run_id);
CREATE INDEX mlflow_model_version_tag_key ON mlflow_model_version_tag (model, key);
CREATE INDEX mlflow_logged_model_created
            ON mlflow_logged_model (experiment, created_ms DESC);
CREATE INDEX mlflow_trace_start ON mlflow_trace (experiment, start_ms DESC, id);
CREATE INDEX mlflow_assessment_trace ON mlflow_assessment (trace, created_ms);
CREATE VIEW branches AS SELECT
            lower(substr(hex(b.id), 1, 8) || '-' || substr(hex(b.id), 9, 4) || '-' || substr(hex(b.id), 13, 4) || '-' || substr(hex(b.id), 17, 4) || '-' || substr(hex(b.id), 21)) AS id,
            lower(substr(hex(coalesce(b.request, b.id)), 1, 8) || '-' || substr(hex(coalesce(b.request, b.id)), 9, 4) || '-' || substr(hex(coalesce(b.request, b.id)), 13, 4) || '-' || substr(hex(coalesce(b.request, b.id)), 17, 4) || '-' || substr(hex(coalesce(b.request, b.id)), 21)) AS request_id,
            CASE WHEN b.parent IS NOT NULL THEN lower(substr(hex(b.parent), 1, 8) || '-' || substr(hex(b.parent), 9, 4) || '-' || substr(hex(b.parent), 13, 4) || '-' || substr(hex(b.parent), 17, 4) || '-' || substr(hex(b.parent), 21)) END AS parent,
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
            (SELECT nullif(json_group_object(n.name, v.value), '{}') FROM branch_metric v
                JOIN metric_name n ON n.key = v.metric WHERE v.branch = b.id) AS metrics,
            lower(hex(coalesce(substr(b.trace, 1, 16), b.request, b.id))) AS trace_id,
            CASE WHEN b.trace IS NOT NULL THEN lower(hex(substr(b.trace, 17, 8))) END
                AS parent_span_id
        FROM branch b
        LEFT JOIN experiment e ON e.key = b.experiment
        LEFT JOIN config c ON c.key = b.config
        LEFT JOIN failure f ON f.id = b.id
        LEFT JOIN output o ON o.id = b.id;
CREATE VIEW comparisons AS SELECT
            lower(substr(hex(c.branch), 1, 8) || '-' || substr(hex(c.branch), 9, 4) || '-' || substr(hex(c.branch), 13, 4) || '-' || substr(hex(c.branch), 17, 4) || '-' || substr(hex(c.branch), 21)) AS branch_id,
            CASE WHEN coalesce(c.primary_branch, b.request) IS NOT NULL THEN lower(substr(hex(coalesce(c.primary_branch, b.request)), 1, 8) || '-' || substr(hex(coalesce(c.primary_branch, b.request)), 9, 4) || '-' || substr(hex(coalesce(c.primary_branch, b.request)), 13, 4) || '-' || substr(hex(coalesce(c.primary_branch, b.request)), 17, 4) || '-' || substr(hex(coalesce(c.primary_branch, b.request)), 21)) END
                AS primary_id,
            e.name AS experiment,
            e.strategy AS strategy,
            (SELECT config_id FROM config WHERE key = c.config) AS config_id,
            (SELECT name FROM code WHERE what = 'role' AND key = c.role) AS role,
            c.differences AS differences
        FROM comparison c
        LEFT JOIN branch b ON b.id = c.branch
        LEFT JOIN experiment e ON e.key = c.experiment;
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
            ON t.experiment = n.experiment AND t.config = n.config AND t.role = n.role;
COMMIT;
PRAGMA application_id = 0x53504d54;
PRAGMA user_version = 6;
