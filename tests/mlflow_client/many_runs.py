"""Puts runs straight into the databases of an MLflow server and of ours: the same into both.

Usage: many_runs.py HOW_MANY DATABASE_OF_MLFLOW DATABASE_OF_OURS

Over REST it would take minutes. They stand in the experiment that the case search.many looks for,
under the same ids, so that even those that are alike in all that is asked for have one order.
"""

import contextlib
import math
import sqlite3
import sys

EXPERIMENT = (7_000, "many runs")


def runs(count):
    """Many are alike: ten start at once, a tenth have no metric, or one that is no number."""
    for n in range(count):
        yield {
            "id": f"0190{n * 7919 % count:028x}",
            "name": f"run {n}",
            "start": 1_000 + n // 10,
            "end": 9_000_000 - n if n % 3 else None,
            "param": str(n % 97),
            "metric": None if n % 10 == 3 else math.nan if n % 10 == 4 else n % 13 * 0.5,
        }


def fill_mlflow(database, count):
    database.execute("INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time) VALUES (?, ?, 'mlflow-artifacts:/7000', 'active', 1, 1)", EXPERIMENT)
    for run in runs(count):
        id = run["id"]
        status = "FINISHED" if run["end"] else "RUNNING"
        row = (id, run["name"], status, run["start"], run["end"], f"mlflow-artifacts:/7000/{id}/artifacts", EXPERIMENT[0])
        database.execute("INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id) VALUES (?, ?, 'UNKNOWN', '', '', 'somebody', ?, ?, ?, '', 'active', ?, ?)", row)
        database.execute("INSERT INTO params (run_uuid, key, value) VALUES (?, 'n', ?)", (id, run["param"]))
        database.execute("INSERT INTO tags (run_uuid, key, value) VALUES (?, 'mlflow.runName', ?)", (id, run["name"]))
        if run["metric"] is not None:
            nan = math.isnan(run["metric"])
            value = (id, 0.0 if nan else run["metric"], nan)
            database.execute("INSERT INTO metrics (run_uuid, key, value, is_nan, timestamp, step) VALUES (?, 'm', ?, ?, 1, 0)", value)
            database.execute("INSERT INTO latest_metrics (run_uuid, key, value, is_nan, timestamp, step) VALUES (?, 'm', ?, ?, 1, 0)", value)


def fill_ours(database, count):
    database.execute("INSERT INTO mlflow_experiment (id, name, created_ms, updated_ms) VALUES (?, ?, 1, 1)", EXPERIMENT)
    for run in runs(count):
        id = bytes.fromhex(run["id"])
        status = "FINISHED" if run["end"] else "RUNNING"
        row = (id, EXPERIMENT[0], run["name"], status, run["start"], run["end"])
        database.execute("INSERT INTO mlflow_run (id, experiment, name, user_id, status, start_ms, end_ms) VALUES (?, ?, ?, 'somebody', ?, ?, ?)", row)
        database.execute("INSERT INTO mlflow_param (run, key, value) VALUES (?, 'n', ?)", (id, run["param"]))
        database.execute("INSERT INTO mlflow_tag (run, key, value) VALUES (?, 'mlflow.runName', ?)", (id, run["name"]))
        if run["metric"] is not None:
            nan = math.isnan(run["metric"])
            value = (id, 0.0 if nan else run["metric"], nan)
            database.execute("INSERT INTO mlflow_metric (run, key, value, nan, timestamp_ms, step) VALUES (?, 'm', ?, ?, 1, 0)", value)
            database.execute("INSERT INTO mlflow_latest_metric (run, key, value, nan, timestamp_ms, step) VALUES (?, 'm', ?, ?, 1, 0)", value)


def main(count, theirs, ours):
    for path, fill in ((theirs, fill_mlflow), (ours, fill_ours)):
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database, database:
            fill(database, int(count))
    print(f"{count} runs are in each of the two databases")


if __name__ == "__main__":
    main(*sys.argv[1:])
