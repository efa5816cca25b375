"""Runs every case against one server; the answers of their steps go to a file, as JSON.

Usage: one_server.py ANSWERS [CASE…], with MLFLOW_TRACKING_URI set. A case is named FILE.FUNCTION,
and may be a pattern.
"""

import contextlib
import fnmatch
import importlib
import json
import logging
import pathlib
import sys
import tempfile
import time
import traceback
import warnings

warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
from calls import Watched, lies  # noqa: E402
from steps import Steps  # noqa: E402

HERE = pathlib.Path(__file__).parent


def cases(wanted):
    for file in sorted((HERE / "cases").glob("*.py")):
        module = importlib.import_module(f"cases.{file.stem}")
        for name, case in list(vars(module).items()):
            full = f"{file.stem}.{name}"
            is_case = getattr(case, "__module__", None) == module.__name__ and not name.startswith("_")
            if is_case and callable(case) and any(fnmatch.fnmatch(full, one) for one in wanted):
                yield full, case


def main(path, *wanted):
    logging.disable(logging.CRITICAL)
    answers, times, called = {}, {}, {}
    watched = Watched()
    for name, case in cases(wanted or ["*"]):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as ending:
            ending.callback(lambda: [mlflow.end_run() for _ in range(3)])
            steps = Steps(mlflow.MlflowClient(), pathlib.Path(directory))
            try:
                case(steps)
            except Exception as error:
                line = traceback.extract_tb(error.__traceback__)[1]
                steps.kept["(the case broke off)"] = {"raised": type(error).__name__, "at": line.line}
        answers[name] = steps.kept
        called[name] = watched.taken()
        times[name] = round(time.monotonic() - started, 2)
    slowest = sorted(times.items(), key=lambda item: -item[1])[:5]
    text = json.dumps({"answers": answers, "lies": [] if wanted else list(lies(called)), "slowest": slowest}, allow_nan=False)
    pathlib.Path(path).write_text(text)


main(*sys.argv[1:])
