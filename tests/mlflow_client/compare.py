"""Runs the suite at an MLflow server and at ours, and compares the answers step by step.

Usage: compare.py URI_OF_MLFLOW URI_OF_OURS [CASE…]

differences.toml lists what may differ, and why. What differs and is not listed fails; so does
what is listed and does not differ. calls.toml lists what the client offers, and which cases call it.
"""

import difflib
import fnmatch
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).parent
ABSENT = "(absent)"


def ask(uri, answers, wanted):
    environment = dict(
        os.environ,
        MLFLOW_TRACKING_URI=uri,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false",
        MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT="true",
        MLFLOW_ALLOW_HTTP_REDIRECTS="false",
        GIT_PYTHON_REFRESH="quiet",
        LOGNAME="somebody",
        USER="somebody",
        TQDM_DISABLE="1",
    )
    command = [sys.executable, str(HERE / "one_server.py"), str(answers), *wanted]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def alike(one, other):
    """Whether two messages say the same, as far as their words go."""
    one, other = one.lower(), other.lower()
    return one[:40] == other[:40] or difflib.SequenceMatcher(None, one, other).ratio() > 0.6


def differing(theirs, ours, path=""):
    """Where two answers differ: the path, what MLflow said, what we said."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted(theirs.keys() | ours.keys()):
            here = f"{path}.{name}" if path else name
            yield from differing(theirs.get(name, ABSENT), ours.get(name, ABSENT), here)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, pair in enumerate(zip(theirs, ours)):
            yield from differing(*pair, f"{path}.{index}")
    elif path == "message" and isinstance(theirs, str) and isinstance(ours, str):
        if not alike(theirs, ours):
            yield path, theirs, ours
    elif theirs != ours or type(theirs) is not type(ours):
        yield path, theirs, ours


def covers(listed, case, step, path):
    return (
        fnmatch.fnmatchcase(case, listed["case"])
        and fnmatch.fnmatchcase(step, listed.get("step", "*"))
        and fnmatch.fnmatchcase(path, listed.get("at", "*"))
    )


def shown(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 600 else text[:600] + " …"


def main(theirs_uri, ours_uri, *wanted):
    with tempfile.TemporaryDirectory() as directory:
        files = [pathlib.Path(directory, name) for name in ("theirs", "ours")]
        running = [ask(uri, file, wanted) for uri, file in zip((theirs_uri, ours_uri), files)]
        for process in running:
            said, _ = process.communicate()
            if process.returncode != 0:
                sys.exit(f"the suite could not be run:\n{said.decode()}")
        theirs, ours = (json.loads(file.read_text()) for file in files)

    listed = tomllib.loads((HERE / "differences.toml").read_text())["difference"]
    used, unlisted, steps = set(), [], 0
    for case in theirs["answers"].keys() | ours["answers"].keys():
        one, other = (side["answers"].get(case, {}) for side in (theirs, ours))
        for step in list(one) + [step for step in other if step not in one]:
            steps += 1
            if step == "(the case broke off)" and step in one:
                unlisted.append((case, step, "", one[step], "at MLflow itself: mend the case"))
                continue
            for path, left, right in differing(one.get(step, ABSENT), other.get(step, ABSENT)):
                excuses = [n for n, entry in enumerate(listed) if covers(entry, case, step, path)]
                used.update(excuses)
                if not excuses:
                    unlisted.append((case, step, path, left, right))

    print(f"{len(theirs['answers'])} cases, {steps} steps; slowest of MLflow's: {theirs['slowest']}, ours: {ours['slowest']}")
    for case, step, path, left, right in sorted(unlisted, key=lambda one: one[:3]):
        print(f"\n{case}: {step}: {path}\n  mlflow: {shown(left)}\n  ours:   {shown(right)}")
    unneeded = [] if wanted else [entry for n, entry in enumerate(listed) if n not in used]
    for entry in unneeded:
        print(f"\nlisted in differences.toml, and does not differ any more: {entry}")
    lies = theirs["lies"]
    for lie in lies:
        print(f"\ncalls.toml: {lie}")
    if unlisted or unneeded or lies:
        sys.exit(f"\n{len(unlisted)} differences are not listed, {len(unneeded)} are listed for nothing; {len(lies)} lies in calls.toml")


main(*sys.argv[1:])
