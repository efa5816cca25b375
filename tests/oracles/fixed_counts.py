"""Shares, sample ratios and adjusted p-values, from statsmodels and scipy."""

import numpy as np
from scipy import stats
from statsmodels.stats import proportion
from statsmodels.stats.multitest import multipletests
from fixed_table import NOTHING, SIDES, case, number, p_values

# Successes and trials of both sides, by edge.
PROPORTIONS = [
    ("ordinary", 56, 70, 48, 80), ("ordinary", 9, 10, 3, 10), ("ordinary", 3, 4, 1, 4),
    ("ordinary", 10, 10, 0, 20), ("ordinary", 1, 1000, 3, 250), ("ordinary", 7, 20, 7, 20),
    ("ordinary", 12, 30, 14, 30), ("ordinary", 150, 1000, 100, 1000), ("ordinary", 2, 9, 15, 40),
    ("none", 0, 0, 3, 10), ("none", 3, 10, 0, 0),
    ("one", 1, 1, 0, 1), ("one", 1, 1, 3, 7),
    ("equal", 10, 10, 20, 20),
    ("zero", 0, 10, 0, 20), ("zero", 0, 10, 5, 20),
    ("tail", 900, 1000, 100, 1000), ("tail", 20, 2000, 700, 2500),
]
HUGE = [("huge", 300_000_100_000, 10**12, 600_000_000_000, 2 * 10**12), ("huge", 3, 10**12, 40, 10**12)]


def proportions():
    for edge, x, n, y, m in PROPORTIONS + HUGE:
        sides = {"treatment": [x, n], "control": [y, m]}
        some = n > 0 and m > 0
        varies = some and 0 < x + y < n + m

        for alpha in (0.05, 0.2, 1e-12):
            if n > 0:
                low, high = proportion.proportion_confint(x, n, alpha, method="wilson")
                # Rounding leaves a little there.
                low, high = (0.0 if x == 0 else low), (1.0 if x == n else high)
            out = {"low": number(low), "high": number(high)} if n > 0 else NOTHING
            case("wilson", edge, {"proportion": [x, n], "alpha": alpha}, out)

        out = NOTHING
        if some:
            low, high = proportion.confint_proportions_2indep(x, n, y, m, "newcomb", "diff", alpha=0.05)
            out = {"difference": number(x / n - y / m), "low": number(low), "high": number(high)}
        case("newcombe", edge, {**sides, "alpha": 0.05}, out)

        out = NOTHING
        if varies:
            ps = []
            for side in ("two-sided", "larger", "smaller"):
                z, p = proportion.proportions_ztest([x, y], [n, m], alternative=side)
                ps.append(p)
            out = {"z": number(z), **p_values(*ps)}
        case("pooled_z", edge, sides, out)

        out = NOTHING
        if some and n + m <= 10**9:
            out = p_values(*(stats.fisher_exact([[x, n - x], [y, m - y]], side)[1] for side in SIDES))
        case("fisher_exact", edge, sides, out)

        out = NOTHING
        if some and x > 0 and y > 0 and x + y < n + m:
            low, high = proportion.confint_proportions_2indep(x, n, y, m, "log", "ratio", alpha=0.05, correction=False)
            out = {"ratio": number((x / n) / (y / m)), "low": number(low), "high": number(high)}
        case("relative_risk", edge, {**sides, "alpha": 0.05}, out)


def adjust():
    for edge, p in (
        ("ordinary", [0.01, 0.04, 0.03, 0.5, 0.001]), ("ordinary", [0.2, 0.2, 0.9, 0.2]),
        ("none", []), ("one", [0.03]), ("equal", [0.02] * 6), ("zero", [0.0] * 3), ("zero", [0.0, 1.0, 0.5]),
        ("huge", [round((k * k % 997) / 997, 6) for k in range(200)]),
        ("tail", [1e-200, 3e-180, 1e-300, 0.7]),
    ):
        for method, name in (("holm", "holm"), ("fdr_bh", "benjamini_hochberg")):
            adjusted = multipletests(p, method=method)[1] if p else []
            case(name, edge, {"p": p}, {"adjusted": [float(value) for value in adjusted]})
    for name in ("holm", "benjamini_hochberg"):
        case(name, "tail", {"p": [0.5, 1.5]}, NOTHING)
        case(name, "tail", {"p": [-0.5]}, NOTHING)


def sample_ratio():
    def of(edge, counts, shares, answers=True):
        out = NOTHING
        if answers:
            expected = np.array(shares) / np.sum(shares) * np.sum(counts)
            used = expected > 0
            if np.any(np.array(counts)[~used]):
                out = {"statistic": "Infinity", "df": float(used.sum() - 1), "p": 0.0}
            else:
                result = stats.chisquare(np.array(counts)[used], expected[used])
                out = {"statistic": number(result.statistic), "df": float(used.sum() - 1), "p": number(result.pvalue)}
        case("sample_ratio", edge, {"counts": counts, "shares": shares}, out)

    of("ordinary", [821_588, 815_482], [1.0, 1.0])
    of("ordinary", [480, 260, 255], [0.5, 0.25, 0.25])
    of("ordinary", [90, 11, 0], [9.0, 1.0, 0.0])
    of("ordinary", list(range(40, 140)), [1.0] * 100)
    of("none", [], [], False)
    of("none", [0, 0], [1.0, 1.0], False)
    of("one", [5], [1.0], False)
    of("one", [1, 0], [0.5, 0.5])
    of("equal", [100, 100], [1.0, 1.0])
    of("zero", [10, 10, 1], [1.0, 1.0, 0.0])
    of("zero", [10, 0], [0.0, 0.0], False)
    of("zero", [10, 0], [0.0, 1.0], False)
    of("huge", [10**12, 10**12 + 3 * 10**6, 10**12], [1.0, 1.0, 1.0])
    of("tail", [52_000, 48_000], [1.0, 1.0])
    of("tail", [515_000, 485_000, 500_000], [1.0, 1.0, 1.0])
