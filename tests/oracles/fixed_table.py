"""What every oracle of the table writes with."""

import math

import numpy as np

CASES = {}
NOTHING = None


def case(method, edge, given, out):
    CASES.setdefault(method, []).append({"edge": edge, "in": given, "out": out})


def number(value):
    value = float(value)
    return value if math.isfinite(value) else str(value).replace("nan", "NaN")


def summary(values):
    values = np.asarray(values, dtype=float)
    n = len(values)
    return [n, float(values.mean()) if n else 0.0, float(values.var(ddof=1)) if n > 1 else 0.0]


def p_values(two_sided, greater, less):
    return {"two_sided": number(two_sided), "greater": number(greater), "less": number(less)}


SIDES = ("two-sided", "greater", "less")
