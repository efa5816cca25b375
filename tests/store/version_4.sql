-- A store of version 4, as `spearmint demo --requests 4` wrote it.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE experiment (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            strategy TEXT NOT NULL,
            UNIQUE (name, strategy)
        );
INSERT INTO experiment VALUES(1,'demo-round-robin','round_robin');
INSERT INTO experiment VALUES(2,'demo-shadow','shadow');
INSERT INTO experiment VALUES(3,'demo-multi-branch','multi_branch');
CREATE TABLE config (
            key INTEGER PRIMARY KEY,
            config_id TEXT NOT NULL,
            digest BLOB NOT NULL,
            content TEXT,
            UNIQUE (config_id, digest)
        );
INSERT INTO config VALUES(1,'stable',X'15b5a40413917fcf068f4ff0e063bd8a32f39eceaf9cd5daadcfb6accf7c522e','{"config_id":"stable","upstream":"http://127.0.0.1:39687"}');
INSERT INTO config VALUES(2,'candidate',X'209a7b1235e33798f25c5bb6ca677ea7b757476160d067d7ce573705c23f8ef5','{"config_id":"candidate","upstream":"http://127.0.0.1:46513"}');
CREATE TABLE code (
            what TEXT NOT NULL,
            key INTEGER NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (what, key),
            UNIQUE (what, name)
        ) WITHOUT ROWID;
INSERT INTO code VALUES('difference',0,'changed');
INSERT INTO code VALUES('difference',1,'type');
INSERT INTO code VALUES('difference',2,'missing');
INSERT INTO code VALUES('difference',3,'added');
INSERT INTO code VALUES('failure',0,'error');
INSERT INTO code VALUES('failure',1,'panic');
INSERT INTO code VALUES('failure',2,'timeout');
INSERT INTO code VALUES('failure',3,'lagging');
INSERT INTO code VALUES('failure',4,'connect');
INSERT INTO code VALUES('failure',5,'reset');
INSERT INTO code VALUES('failure',6,'protocol');
INSERT INTO code VALUES('failure',7,'status');
INSERT INTO code VALUES('failure',8,'truncated');
INSERT INTO code VALUES('failure',9,'oversized');
INSERT INTO code VALUES('failure',10,'overloaded');
INSERT INTO code VALUES('failure',11,'incomplete');
INSERT INTO code VALUES('reason',0,'weight');
INSERT INTO code VALUES('reason',1,'sticky');
INSERT INTO code VALUES('reason',2,'cycle');
INSERT INTO code VALUES('reason',3,'override');
INSERT INTO code VALUES('reason',4,'ineligible');
INSERT INTO code VALUES('reason',5,'not_in_namespace');
INSERT INTO code VALUES('reason',6,'holdout');
INSERT INTO code VALUES('reason',7,'ramp');
INSERT INTO code VALUES('reason',8,'no_unit');
INSERT INTO code VALUES('reason',9,'primary');
INSERT INTO code VALUES('reason',10,'sample');
INSERT INTO code VALUES('reason',11,'all');
INSERT INTO code VALUES('reason',12,'fallback');
INSERT INTO code VALUES('role',0,'primary');
INSERT INTO code VALUES('role',1,'shadow');
INSERT INTO code VALUES('role',2,'control');
INSERT INTO code VALUES('role',3,'branch');
INSERT INTO code VALUES('role',4,'fallback');
INSERT INTO code VALUES('skip',0,'not_ready');
INSERT INTO code VALUES('skip',1,'max_in_flight');
INSERT INTO code VALUES('skip',2,'breaker_open');
INSERT INTO code VALUES('skip',3,'upgrade');
INSERT INTO code VALUES('skip',4,'no_runtime');
INSERT INTO code VALUES('skip',5,'rewrite_limit');
INSERT INTO code VALUES('skip',6,'strategy');
INSERT INTO code VALUES('status',0,'success');
INSERT INTO code VALUES('status',1,'failed');
INSERT INTO code VALUES('status',2,'skipped');
INSERT INTO code VALUES('status',3,'cancelled');
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
        , first_byte_ns INTEGER, bytes_in INTEGER, bytes_out INTEGER, reason INTEGER, epoch INTEGER) WITHOUT ROWID;
INSERT INTO branch VALUES(X'01a225c069437a40800000003cba7a6b',NULL,NULL,NULL,1,1,0,0,1795929696579640642,6958962,0.5,NULL,NULL,NULL,0,6875197,14,39,2,1);
INSERT INTO branch VALUES(X'01a225c069447970800000007cba7a6b',NULL,NULL,NULL,1,2,0,0,1795929696580590004,13917674,0.5,NULL,NULL,NULL,0,13827410,14,39,2,1);
INSERT INTO branch VALUES(X'01a225c0694571f780000000bcba7a6b',NULL,NULL,NULL,1,1,0,0,1795929696581122907,5650716,0.5,NULL,NULL,NULL,0,5624787,14,39,2,1);
INSERT INTO branch VALUES(X'01a225c0694575f980000000fcba7a6b',NULL,NULL,NULL,1,2,0,0,1795929696581373339,8181902,0.5,NULL,NULL,NULL,0,8133920,14,39,2,1);
INSERT INTO branch VALUES(X'01a225c0695b735a800000013cba7a6b',NULL,NULL,NULL,2,1,0,0,1795929696603209693,5177893,1.0,NULL,NULL,NULL,0,5124083,14,39,9,2);
INSERT INTO branch VALUES(X'01a225c0695b735a800000017cba7a6b',X'01a225c0695b735a800000013cba7a6b',NULL,NULL,2,2,1,0,1795929696603683609,10915888,1.0,NULL,NULL,NULL,0,10899674,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695b735a80000001bcba7a6b',X'01a225c0695b735a800000013cba7a6b',NULL,NULL,2,1,2,0,1795929696603567476,5460653,1.0,NULL,NULL,NULL,0,5443367,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695d73b780000001fcba7a6b',NULL,NULL,NULL,2,1,0,0,1795929696605232362,5066137,1.0,NULL,NULL,NULL,0,5027950,14,39,9,2);
INSERT INTO branch VALUES(X'01a225c0695d73b7800000023cba7a6b',X'01a225c0695d73b780000001fcba7a6b',NULL,NULL,2,2,1,0,1795929696605550766,9353715,1.0,NULL,NULL,NULL,0,9340676,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695d73b7800000027cba7a6b',X'01a225c0695d73b780000001fcba7a6b',NULL,NULL,2,1,2,0,1795929696605444718,5013128,1.0,NULL,NULL,NULL,0,5000910,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695d7ee280000002bcba7a6b',NULL,NULL,NULL,2,1,0,0,1795929696605930181,6045813,1.0,NULL,NULL,NULL,0,6009550,14,39,9,2);
INSERT INTO branch VALUES(X'01a225c0695d7ee280000002fcba7a6b',X'01a225c0695d7ee280000002bcba7a6b',NULL,NULL,2,2,1,0,1795929696607012851,9186697,1.0,NULL,NULL,NULL,0,9172325,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695d7ee2800000033cba7a6b',X'01a225c0695d7ee280000002bcba7a6b',NULL,NULL,2,1,2,0,1795929696606124369,6972763,1.0,NULL,NULL,NULL,0,6958302,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695f76fe800000037cba7a6b',NULL,NULL,NULL,2,1,0,0,1795929696607437092,4791458,1.0,NULL,NULL,NULL,0,4760783,14,39,9,2);
INSERT INTO branch VALUES(X'01a225c0695f76fe80000003bcba7a6b',X'01a225c0695f76fe800000037cba7a6b',NULL,NULL,2,2,1,0,1795929696607949294,13932577,1.0,NULL,NULL,NULL,0,13884886,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c0695f76fe80000003fcba7a6b',X'01a225c0695f76fe800000037cba7a6b',NULL,NULL,2,1,2,0,1795929696607647155,4447927,1.0,NULL,NULL,NULL,0,4434136,14,39,10,2);
INSERT INTO branch VALUES(X'01a225c069777046800000043cba7a6b',NULL,NULL,NULL,3,1,3,0,1795929696631187123,5152385,1.0,NULL,NULL,NULL,0,5120918,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c069777046800000047cba7a6b',X'01a225c069777046800000043cba7a6b',NULL,NULL,3,2,3,0,1795929696631411667,14356488,1.0,NULL,NULL,NULL,0,14339212,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c069777ce780000004bcba7a6b',NULL,NULL,NULL,3,1,3,0,1795929696631886784,4568286,1.0,NULL,NULL,NULL,0,4559113,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c069777ce780000004fcba7a6b',X'01a225c069777ce780000004bcba7a6b',NULL,NULL,3,2,3,0,1795929696632009196,11436974,1.0,NULL,NULL,NULL,0,11411476,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c06978733c800000053cba7a6b',NULL,NULL,NULL,3,1,3,0,1795929696632274331,5509125,1.0,NULL,NULL,NULL,0,5491329,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c06978733c800000057cba7a6b',X'01a225c06978733c800000053cba7a6b',NULL,NULL,3,2,3,0,1795929696632402071,7978279,1.0,NULL,NULL,NULL,0,7958950,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c069797ec980000005bcba7a6b',NULL,NULL,NULL,3,1,3,0,1795929696634004545,3947302,1.0,NULL,NULL,NULL,0,3935584,14,39,11,3);
INSERT INTO branch VALUES(X'01a225c069797ec980000005fcba7a6b',X'01a225c069797ec980000005bcba7a6b',NULL,NULL,3,2,3,0,1795929696634270941,9801411,1.0,NULL,NULL,NULL,0,9785036,14,39,11,3);
CREATE TABLE failure (
            id BLOB PRIMARY KEY,
            type TEXT NOT NULL,
            message TEXT NOT NULL,
            trace TEXT NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE output (
            id BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            content TEXT NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE comparison (
            branch BLOB PRIMARY KEY,      -- the one that was compared
            primary_branch BLOB,          -- with this one; NULL where that is the request's id
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            differences INTEGER NOT NULL  -- in how many places; 0 is equal
        , epoch INTEGER) WITHOUT ROWID;
INSERT INTO comparison VALUES(X'01a225c0695b735a800000017cba7a6b',NULL,2,2,1,1,2);
INSERT INTO comparison VALUES(X'01a225c0695b735a80000001bcba7a6b',NULL,2,1,2,1,2);
INSERT INTO comparison VALUES(X'01a225c0695d73b7800000023cba7a6b',NULL,2,2,1,1,2);
INSERT INTO comparison VALUES(X'01a225c0695d73b7800000027cba7a6b',NULL,2,1,2,1,2);
INSERT INTO comparison VALUES(X'01a225c0695d7ee280000002fcba7a6b',NULL,2,2,1,1,2);
INSERT INTO comparison VALUES(X'01a225c0695d7ee2800000033cba7a6b',NULL,2,1,2,1,2);
INSERT INTO comparison VALUES(X'01a225c0695f76fe80000003bcba7a6b',NULL,2,2,1,1,2);
INSERT INTO comparison VALUES(X'01a225c0695f76fe80000003fcba7a6b',NULL,2,1,2,1,2);
CREATE TABLE comparison_count (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            compared INTEGER NOT NULL,
            different INTEGER NOT NULL,
            uncounted INTEGER NOT NULL,
            PRIMARY KEY (experiment, config, role)
        ) WITHOUT ROWID;
INSERT INTO comparison_count VALUES(2,1,2,4,4,0);
INSERT INTO comparison_count VALUES(2,2,1,4,4,0);
CREATE TABLE path (
            key INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL,
            path TEXT NOT NULL,
            UNIQUE (experiment, path)
        );
INSERT INTO path VALUES(1,2,'/at');
CREATE TABLE path_count (
            experiment INTEGER NOT NULL,
            config INTEGER NOT NULL,
            role INTEGER NOT NULL,
            path INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            pairs INTEGER NOT NULL,
            PRIMARY KEY (experiment, config, role, path, kind)
        ) WITHOUT ROWID;
INSERT INTO path_count VALUES(2,1,2,1,0,4);
INSERT INTO path_count VALUES(2,2,1,1,0,4);
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
INSERT INTO difference VALUES(2,1,2,1,X'01a225c0695b735a80000001bcba7a6b',X'01a225c0695b735a800000013cba7a6b',0,'"1795929696607159901"','"1795929696607908043"');
INSERT INTO difference VALUES(2,1,2,1,X'01a225c0695d73b7800000027cba7a6b',X'01a225c0695d73b780000001fcba7a6b',0,'"1795929696610147475"','"1795929696610049609"');
INSERT INTO difference VALUES(2,1,2,1,X'01a225c0695d7ee2800000033cba7a6b',X'01a225c0695d7ee280000002bcba7a6b',0,'"1795929696611829397"','"1795929696612970555"');
INSERT INTO difference VALUES(2,1,2,1,X'01a225c0695f76fe80000003fcba7a6b',X'01a225c0695f76fe800000037cba7a6b',0,'"1795929696611806954"','"1795929696611745652"');
INSERT INTO difference VALUES(2,2,1,1,X'01a225c0695b735a800000017cba7a6b',X'01a225c0695b735a800000013cba7a6b',0,'"1795929696607159901"','"1795929696614435774"');
INSERT INTO difference VALUES(2,2,1,1,X'01a225c0695d73b7800000023cba7a6b',X'01a225c0695d73b780000001fcba7a6b',0,'"1795929696610147475"','"1795929696614779005"');
INSERT INTO difference VALUES(2,2,1,1,X'01a225c0695d7ee280000002fcba7a6b',X'01a225c0695d7ee280000002bcba7a6b',0,'"1795929696611829397"','"1795929696616049875"');
INSERT INTO difference VALUES(2,2,1,1,X'01a225c0695f76fe80000003bcba7a6b',X'01a225c0695f76fe800000037cba7a6b',0,'"1795929696611806954"','"1795929696621467535"');
CREATE TABLE epoch (
            key INTEGER PRIMARY KEY,
            number INTEGER NOT NULL,
            fingerprint INTEGER NOT NULL,               -- its 64 bits, signed
            UNIQUE (fingerprint, number)
        );
INSERT INTO epoch VALUES(1,1,3075130537471586437);
INSERT INTO epoch VALUES(2,1,2560022781588780271);
INSERT INTO epoch VALUES(3,1,2822696694431774908);
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
INSERT INTO rollup VALUES(1,1,1,0,1,29932161,1,2,0,0,0,X'010000000000000000000002930601090100029206010a0100028ed18106d49382f6dba2120290f8fa05f2bc88edbdf811021c8803024ee217');
INSERT INTO rollup VALUES(2,1,2,0,1,29932161,1,2,0,0,0,X'010000000000000000000002a506011a010002a506011a010002f8ecc40aa8918ff6e2a13b02f2b4bc0ac4e48dfc8cc23a021c8803024ee217');
INSERT INTO rollup VALUES(3,2,2,1,2,29932161,1,4,0,0,0,X'010000040000000004000004ab0601000107010b010004ab0601000107010b010004cd9fd814bb9aefb884a86e0499d6d214f1b4b7ceade86d04389006049c01c42f');
INSERT INTO rollup VALUES(4,2,1,2,2,29932161,1,4,0,0,0,X'010000040000000004000004870601050103010b010004860601050104010b010004c7aab80ad38cd19988861c04abe7b40af9988cb7cbf31b04389006049c01c42f');
INSERT INTO rollup VALUES(5,2,1,0,2,29932161,1,4,0,0,0,X'0100000000000000000000048a060102010001070100048a06010201000107010004d5d9860ac795d2a29dbb1904fefffc0992daf988d08a1904389006049c01c42f');
INSERT INTO rollup VALUES(6,3,1,3,3,29932161,1,4,0,0,0,X'010000000000000000000004800601070105010201000480060107010501020100048abd9209c2aede9fe49c150480998e09b68ea1d7c6881504389006049c01c42f');
INSERT INTO rollup VALUES(7,3,2,3,3,29932161,1,4,0,0,0,X'010000000000000000000004a40601090107010b010004a40601090107010b010004a0bfe314fe9dc0e1f8f5700492dade14d4b0b5a1a1c47004389006049c01c42f');
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
CREATE TABLE exposure (
            unit INTEGER NOT NULL,
            experiment INTEGER NOT NULL,
            epoch INTEGER NOT NULL,
            config INTEGER NOT NULL,
            branch BLOB NOT NULL,
            PRIMARY KEY (unit, experiment, epoch)
        ) WITHOUT ROWID;
CREATE TABLE held (
            experiment INTEGER NOT NULL,
            hour INTEGER NOT NULL,        -- since 1970
            branches INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            removed INTEGER NOT NULL,
            PRIMARY KEY (experiment, hour)
        ) WITHOUT ROWID;
INSERT INTO held VALUES(1,498869,4,316,0);
INSERT INTO held VALUES(2,498869,12,1364,0);
INSERT INTO held VALUES(3,498869,8,840,0);
CREATE TABLE sync_target (
            key INTEGER PRIMARY KEY,
            address TEXT NOT NULL,        -- of the server, without credentials
            experiment TEXT NOT NULL,     -- of the branches
            mode TEXT NOT NULL,           -- runs, summary
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
CREATE TABLE sync_doubt (
            target INTEGER NOT NULL,
            branch BLOB NOT NULL,
            run_id TEXT NOT NULL,         -- the one that counts
            since_ms INTEGER NOT NULL,
            PRIMARY KEY (target, branch)
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
CREATE TABLE mlflow_experiment (
            id INTEGER PRIMARY KEY,       -- as MLflow names it; 0 is the one called Default
            name TEXT NOT NULL UNIQUE,
            artifact_location TEXT,       -- NULL: mlflow-artifacts:/ID
            deleted INTEGER NOT NULL DEFAULT 0,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL,
            branches TEXT UNIQUE          -- the experiment of branches that it is, if any
        );
INSERT INTO mlflow_experiment VALUES(0,'Default',NULL,0,1795929696542,1795929696542,NULL);
INSERT INTO mlflow_experiment VALUES(1,'demo-round-robin',NULL,0,1795929696595,1795929696595,'demo-round-robin');
INSERT INTO mlflow_experiment VALUES(2,'demo-shadow',NULL,0,1795929696622,1795929696622,'demo-shadow');
INSERT INTO mlflow_experiment VALUES(3,'demo-multi-branch',NULL,0,1795929696646,1795929696646,'demo-multi-branch');
CREATE TABLE mlflow_experiment_tag (
            experiment INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment, key)
        ) WITHOUT ROWID;
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
CREATE TABLE mlflow_branch_change (
            id BLOB PRIMARY KEY,
            name TEXT,
            status TEXT,
            end_ms INTEGER,
            deleted_ms INTEGER
        ) WITHOUT ROWID;
CREATE TABLE mlflow_param (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_tag (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
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
CREATE TABLE mlflow_latest_metric (
            run BLOB NOT NULL,
            key TEXT NOT NULL,
            timestamp_ms INTEGER NOT NULL,
            step INTEGER NOT NULL,
            value REAL NOT NULL,
            nan INTEGER NOT NULL,
            PRIMARY KEY (run, key)
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
CREATE TABLE mlflow_input (
            run BLOB NOT NULL,
            dataset INTEGER NOT NULL,
            context TEXT,                 -- the tag mlflow.data.context
            tags TEXT NOT NULL,           -- JSON: a list of keys and values
            PRIMARY KEY (run, dataset)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_run_model (
            run BLOB NOT NULL,
            output INTEGER NOT NULL,
            model_id TEXT NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (run, output, model_id)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_artifact (
            path TEXT PRIMARY KEY,
            hash BLOB NOT NULL,           -- BLAKE3 of the content
            size INTEGER NOT NULL,        -- bytes
            written_ms INTEGER NOT NULL
        ) WITHOUT ROWID;
CREATE TABLE mlflow_artifact_owner (id BLOB NOT NULL);
INSERT INTO mlflow_artifact_owner VALUES(X'2bc491d2a43f44e91eb00ac2b8d13aee');
CREATE TABLE mlflow_artifact_freed (hash BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE mlflow_registered_model (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            description TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            updated_ms INTEGER NOT NULL
        );
CREATE TABLE mlflow_registered_model_tag (
            model INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        );
CREATE TABLE mlflow_registered_model_alias (
            model INTEGER NOT NULL,
            alias TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (model, alias)
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
CREATE TABLE mlflow_trace_link (
            trace TEXT NOT NULL,
            kind TEXT NOT NULL,           -- run, prompt
            target TEXT NOT NULL,
            PRIMARY KEY (trace, kind, target)
        ) WITHOUT ROWID;
CREATE TABLE mlflow_request_deleted (id BLOB PRIMARY KEY) WITHOUT ROWID;
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
            b.bytes_out AS bytes_out
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
PRAGMA user_version = 4;
