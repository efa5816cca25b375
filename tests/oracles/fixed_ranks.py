"""Mann and Whitney's test and the Hodges-Lehmann shift, from scipy."""

import math

import mpmath as mp
import numpy as np
from scipy import stats
from scipy.stats._mannwhitneyu import _MWU
from fixed_table import NOTHING, SIDES, case, number, p_values


def mann_whitney():
    spread = [0.5 * k * k for k in range(20)]
    shifted = [0.5 * k * k + 3.3 for k in range(15)]
    cases = [
        ("ordinary", [5.0, 7.0, 8.0], [1.0, 2.0, 3.0]),
        ("ordinary", [1.0, 4.0, 2.5, 8.0, 9.5], [3.0, 7.0, 0.5]),
        ("ordinary", [1.0, 2.0, 2.0, 3.0, 3.0, 3.0], [2.0, 3.0, 4.0, 4.0]),
        ("ordinary", spread, shifted), ("ordinary", [0.0, 1.0] * 30, [0.0, 0.0, 1.0] * 25),
        ("none", [], [1.0, 2.0]), ("none", [], []),
        ("one", [1.0], [2.0]), ("one", [3.0], [1.0, 2.0, 4.0, 5.0]),
        ("equal", [3.0] * 4, [3.0] * 5), ("zero", [0.0] * 4, [0.0] * 5),
        ("tail", [100.0 + k for k in range(50)], [1.0 * k for k in range(50)]),
        ("tail", [1.0 * k for k in range(10)], [100.0 + k for k in range(250)]),
        ("huge", [1e300, -1e300, 2e300], [1e-300, 5e299]),
    ]
    for edge, x, y in cases:
        given = {"treatment": x, "control": y}
        some = len(x) > 0 and len(y) > 0
        ties = len(set(x + y)) < len(x) + len(y)
        for method, answers in (("asymptotic", some and len(set(x + y)) > 1), ("exact", some and not ties)):
            out = NOTHING
            if answers:
                tests = [stats.mannwhitneyu(x, y, alternative=side, method=method) for side in SIDES]
                u = tests[0].statistic
                out = {"u": number(u), "superiority": number(u / len(x) / len(y)), **p_values(*(t.pvalue for t in tests))}
            case("mann_whitney" if method == "asymptotic" else "mann_whitney_exact", edge, given, out)
        hodges_lehmann(edge, x, y, 0.05, some)
        hodges_lehmann(edge, x, y, 0.2, some)
    many = [float(v) for v in np.round(np.random.default_rng(1).normal(size=80), 2)]
    more = [float(v) for v in np.round(np.random.default_rng(2).normal(0.4, 1, size=70), 2)]
    hodges_lehmann("ordinary", many, more, 0.05, True)
    case("mann_whitney_exact", "huge", {"treatment": [float(k) for k in range(51)], "control": [k + 0.5 for k in range(50)]}, NOTHING)
    hodges_lehmann("huge", [1e308, 1e307], [-1e308], 0.2, False)
    hodges_lehmann("huge", [1e150, 3e150], [-1e150, 1e-150], 0.5, True)

    # Histograms with more than scipy can be given, in whole numbers and 50 digits.
    for edge, buckets in (
        ("ordinary", [[10, 800, 600], [20, 150, 300], [40, 45, 80], [80, 5, 20]]),
        ("huge", [[1, 10**11, 10**11 + 10**6], [2, 5 * 10**11, 5 * 10**11], [3, 10**11 + 10**6, 10**11]]),
        ("huge", [[0, 10**12, 10**12 - 30], [1, 50, 80]]),
        ("tail", [[1, 1000, 100], [2, 100, 1000]]),
        ("none", [[1, 5, 0], [2, 3, 0]]), ("one", [[1, 1, 0], [2, 0, 1]]),
        ("equal", [[1, 5, 10]]), ("zero", [[0, 5, 10]]),
    ):
        n, m = sum(b[1] for b in buckets), sum(b[2] for b in buckets)
        below, twice, ties, all_ = 0, 0, 0, n + m
        for _, a, b in buckets:
            twice += a * (2 * below + b)
            below += b
            ties += (a + b) ** 3 - (a + b)
        out = NOTHING
        if n and m and ties < all_**3 - all_:
            variance = mp.mpf(n * m) / 12 * (all_ + 1 - mp.mpf(ties) / (all_ * (all_ - 1)))
            tail = lambda twice_u: mp.ncdf(-(mp.mpf(twice_u - n * m) / 2 - 0.5) / mp.sqrt(variance))
            greater, less = tail(twice), tail(2 * n * m - twice)
            out = {"u": twice / 2, "superiority": twice / (2 * n * m), **p_values(min(1, 2 * min(greater, less)), greater, less)}
        case("mann_whitney_buckets", edge, {"buckets": buckets}, out)


def hodges_lehmann(edge, x, y, alpha, answers):
    out = NOTHING
    if answers:
        n, m = len(x), len(y)
        differences = np.sort(np.subtract.outer(np.array(x), np.array(y)).ravel())
        if n * m <= 2500:
            k = next(k for k in range(n * m + 1) if cdf(k, n, m) > alpha / 2)
        else:
            k = math.floor(n * m / 2 - stats.norm.isf(alpha / 2) * math.sqrt(n * m * (n + m + 1) / 12) + 0.5)
        low, high = (differences[k - 1], differences[-k]) if k > 0 else (-math.inf, math.inf)
        out = {"shift": number(np.median(differences)), "low": number(low), "high": number(high)}
    case("hodges_lehmann", edge, {"treatment": x, "control": y, "alpha": alpha}, out)


def cdf(k, n, m):
    return _MWU(n, m).cdf(k)
