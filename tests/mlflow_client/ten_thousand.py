"""Pages through ten thousand runs of our server, in orders that are known beforehand.

Usage: ten_thousand.py URI DATABASE

(MLflow's own server takes minutes for so many: compare.py pages through fewer at both.)
"""

import contextlib
import math
import os
import sqlite3
import sys
import warnings

warnings.filterwarnings("ignore")
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"

from many_runs import EXPERIMENT, fill_ours, runs  # noqa: E402
from mlflow import MlflowClient  # noqa: E402

COUNT = 10_000


def by_metric(run):
    """From the greatest; then what is no number, then what has none."""
    metric = run["metric"]
    place = (2, 0) if metric is None else (1, 0) if math.isnan(metric) else (0, -metric)
    return (*place, run["param"], -run["start"], run["id"])


ORDERS = [
    (1000, "", None, lambda run: (-run["start"], run["id"])),
    (999, "", ["metrics.m DESC", "params.n"], by_metric),
    (700, "metrics.m > 2", ["attributes.end_time ASC"], lambda run: (run["end"] is None, run["end"] or 0, -run["start"], run["id"])),
]
KEPT = {
    "": lambda run: True,
    "metrics.m > 2": lambda run: run["metric"] is not None and run["metric"] > 2,
}


def paged(client, size, filter, order):
    seen, token = [], None
    while True:
        page = client.search_runs([str(EXPERIMENT[0])], filter, order_by=order, max_results=size, page_token=token)
        seen += [run.info.run_id for run in page]
        token = page.token
        if not token:
            return seen


def main(uri, path):
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as database, database:
        fill_ours(database, COUNT)
    client = MlflowClient(uri)
    for size, filter, order, key in ORDERS:
        kept = [run for run in runs(COUNT) if KEPT[filter](run)]
        expected = [run["id"] for run in sorted(kept, key=key)]
        seen = paged(client, size, filter, order)
        wrong = next((place for place, pair in enumerate(zip(seen, expected)) if pair[0] != pair[1]), None)
        if len(seen) != len(expected) or wrong is not None:
            sys.exit(f"{order} where {filter!r} by {size}: {len(seen)} runs, not {len(expected)}; the first that is out of its place: {wrong}")
        print(f"{order} where {filter!r} by {size}: all {len(seen)}, each in its place")


main(*sys.argv[1:])
