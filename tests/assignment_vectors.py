#!/usr/bin/env python3
"""Checks docs/assignment-vectors.json with an implementation of its own, from docs/assignment.md alone.

    pip install blake3 && python3 tests/assignment_vectors.py
"""

import json
import pathlib
import sys

from blake3 import blake3

STICKY = "tower-spearmint sticky assignment v1"
NAMESPACE = "tower-spearmint namespace v1"
HOLDOUT = "tower-spearmint holdout v1"
PERCENTAGE = "tower-spearmint percentage v1"
TWO_64 = 18446744073709551616.0


def words(context, text, key):
    """The four words of a unit's key."""
    derived = blake3(text.encode(), derive_key_context=context).digest()
    digest = blake3(key.encode(), key=derived).digest()
    return [int.from_bytes(digest[at : at + 8], "little") for at in (0, 8, 16, 24)]


def inside(point, share):
    return share >= 1.0 or float(point) < share * TWO_64


def locate(weights, point):
    largest = max(weights)
    # Not `sum`: since Python 3.12 it compensates for rounding.
    total = 0.0
    for weight in weights:
        total += weight / largest
    last = max(at for at, weight in enumerate(weights) if weight > 0.0)
    covered = 0.0
    for at, weight in enumerate(weights):
        covered += weight / largest
        end = 2**64 - 1 if at == last else min(int(covered / total * TWO_64), 2**64 - 1)
        if weight > 0.0 and point <= end:
            return at
    raise AssertionError("the last stretch ends at the last point")


def unit(given):
    """What comes of what is given: a vector without its results."""
    key = given["key"]
    point, entry, recorded, _ = words(STICKY, given["salt"], key)
    found = {name: f"{word:016x}" for name, word in [("point", point), ("entry", entry), ("hash", recorded)]}
    if percentage := given.get("percentage"):
        own = words(PERCENTAGE, percentage["salt"], key)[0]
        found["percentage_point"] = f"{own:016x}"
        found["in_percentage"] = inside(own, percentage["percent"] / 100.0)
    reason = "sticky"
    if (ramp := given.get("ramp")) is not None and not inside(entry, ramp):
        reason = "ramp"
    if namespace := given.get("namespace"):
        own = words(NAMESPACE, namespace["name"], key)[0]
        found["namespace_point"] = f"{own:016x}"
        if not any(not inside(own, low) and inside(own, high) for low, high in namespace["ranges"]):
            reason = "not_in_namespace"
    if holdout := given.get("holdout"):
        own = words(HOLDOUT, holdout["salt"], key)[0]
        found["holdout_point"] = f"{own:016x}"
        if inside(own, holdout["share"]):
            reason = "holdout"
    found["reason"] = reason
    found["config"] = locate(given["weights"], point) if reason == "sticky" else 0
    return found


def main():
    path = pathlib.Path(__file__).parent.parent / "docs" / "assignment-vectors.json"
    vectors = json.loads(path.read_text())
    wrong = 0
    checks = [
        ("units", unit, {"salt", "key", "weights", "ramp", "namespace", "holdout", "percentage"}),
        ("lines", lambda given: {"config": locate(given["weights"], int(given["point"], 16))}, {"weights", "point"}),
        ("shares", lambda given: {"inside": inside(int(given["point"], 16), given["share"])}, {"share", "point"}),
    ]
    for name, compute, inputs in checks:
        for at, vector in enumerate(vectors[name]):
            given = {key: value for key, value in vector.items() if key in inputs}
            expected = {key: value for key, value in vector.items() if key not in inputs}
            if compute(given) != expected:
                wrong += 1
                print(f"{name}[{at}]: {compute(given)}, but the file has {expected}", file=sys.stderr)
        print(f"{name}: {len(vectors[name])} checked")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
