"""Writes fixed.json: what scipy, statsmodels and gbstats make of the same data.

    python3.10 -m venv venv && venv/bin/pip install -r fixed_requirements.txt
    venv/bin/python fixed.py > fixed.json

A case has the class of its edge (tests/stats/fixed/oracle.rs lists them), what is given, and the
numbers that come out; null where there is no answer. A "tail" is far enough out that its p value
has no digits left if it is taken from 1.
"""

import itertools
import json
import math

import mpmath as mp
import numpy as np
from gbstats.frequentist.tests import frequentist_variance
from gbstats.models.statistics import (
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from scipy import optimize, stats
from scipy.stats._mannwhitneyu import _MWU
from statsmodels.stats import proportion
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower

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


def t_test(difference, error, df, alpha):
    """From the parts: scipy's own test takes the square root of variances back and forth."""
    t = difference / error
    half = error * stats.t.isf(alpha / 2, df)
    return {
        "difference": number(difference), "t": number(t), "df": number(df),
        "low": number(difference - half), "high": number(difference + half),
        **p_values(2 * stats.t.sf(abs(t), df), stats.t.sf(t, df), stats.t.cdf(t, df)),
    }


def from_scipy(result, difference, alpha):
    two_sided, greater, less = result
    interval = two_sided.confidence_interval(1 - alpha)
    return {
        "difference": number(difference), "t": number(two_sided.statistic), "df": number(two_sided.df),
        "low": number(interval.low), "high": number(interval.high),
        **p_values(two_sided.pvalue, greater.pvalue, less.pvalue),
    }


SIDES = ("two-sided", "greater", "less")


def welch():
    def of_values(edge, a, b, alpha, answers=True):
        out = NOTHING
        if answers:
            tests = [stats.ttest_ind(a, b, equal_var=False, alternative=side) for side in SIDES]
            out = from_scipy(tests, np.mean(a) - np.mean(b), alpha)
        case("welch", edge, {"treatment": summary(a), "control": summary(b), "alpha": alpha}, out)

    def of_summaries(edge, a, b, alpha):
        (n, x, v), (m, y, w) = a, b
        v, w = mp.mpf(v) / n, mp.mpf(w) / m
        df = float((v + w) ** 2 / (v**2 / (n - 1) + w**2 / (m - 1)))
        case("welch", edge, {"treatment": a, "control": b, "alpha": alpha}, t_test(x - y, float(mp.sqrt(v + w)), df, alpha))

    of_values("ordinary", [5.1, 4.9, 5.6, 5.8, 6.1], [4.1, 5.0, 4.4, 4.6], 0.05)
    of_values("ordinary", [1.0, 2.0], [7.0, 4.5, 9.5], 0.1)
    of_values("ordinary", [0.2, 0.4, 0.1], [0.3, 0.3, 0.1, 0.25], 0.5)
    # One side does not scatter.
    of_values("ordinary", [3.0, 3.0, 3.0], [1.0, 2.0, 1.5, 1.75], 0.01)
    of_summaries("ordinary", [12_345, 0.31, 2.5], [54_321, 0.29, 0.4], 0.05)
    of_values("none", [], [1.0, 2.0], 0.05, False)
    of_values("one", [1.0], [1.0, 2.0], 0.05, False)
    of_values("one", [1.0], [1.0], 0.05, False)
    of_values("equal", [4.0] * 5, [4.0] * 6, 0.05, False)
    of_values("equal", [4.0] * 5, [3.0] * 6, 0.05, False)
    of_values("zero", [0.0] * 5, [0.0] * 6, 0.05, False)
    of_summaries("huge", [10**12, 1e150, 1e300], [10**12, 1.000001e150, 1e300], 0.001)
    of_summaries("huge", [10**12, 1.00001, 4.0], [10**12, 1.0, 9.0], 0.05)
    of_summaries("huge", [10, 1e-150, 1e-300], [10, 2e-150, 1e-300], 0.05)
    case("welch", "huge", {"treatment": [9, 0.0, 1.7e308], "control": [9, 0.0, 1e308], "alpha": 0.05},
         t_test(0.0, math.sqrt(1.7e308 / 9 + 1e308 / 9), 1 / ((1.7 / 2.7) ** 2 / 8 + (1 / 2.7) ** 2 / 8), 0.05))
    case("welch", "huge", {"treatment": [1, 1e308, 0.0], "control": [9, -1e308, 1.0], "alpha": 0.05}, NOTHING)
    case("welch", "huge", {"treatment": [9, 1e308, 1.0], "control": [9, -1e308, 1.0], "alpha": 0.05}, NOTHING)
    of_summaries("tail", [1000, 31.0, 500.0], [1200, 0.0, 700.0], 0.05)
    of_summaries("tail", [100_000, 0.31, 2.0], [120_000, 0.15, 3.0], 0.05)
    of_summaries("tail", [5, 1e9, 1e-9], [7, 0.0, 1.0], 0.05)
    of_summaries("tail", [40, 0.0, 1.0], [40, 1e5, 1.1], 1e-6)


def paired_t():
    def of_values(edge, a, b, alpha, answers=True):
        out = NOTHING
        if answers:
            tests = [stats.ttest_rel(a, b, alternative=side) for side in SIDES]
            out = from_scipy(tests, np.mean(np.subtract(a, b)), alpha)
        case("paired_t", edge, {"differences": summary(np.subtract(a, b)), "alpha": alpha}, out)

    def of_summary(edge, d, alpha):
        case("paired_t", edge, {"differences": d, "alpha": alpha}, t_test(d[1], math.sqrt(d[2] / d[0]), d[0] - 1, alpha))

    of_values("ordinary", [1.0, 2.5, 3.0, 4.5], [0.5, 2.25, 3.5, 3.0], 0.05)
    of_values("ordinary", [1.0, 2.0], [0.5, 2.25], 0.2)
    of_values("none", [], [], 0.05, False)
    of_values("one", [1.0], [2.0], 0.05, False)
    of_values("equal", [3.0, 4.0, 5.0], [2.0, 3.0, 4.0], 0.05, False)
    of_values("zero", [3.0, 4.0, 5.0], [3.0, 4.0, 5.0], 0.05, False)
    of_summary("huge", [10**12, 2e-6, 1.0], 0.05)
    of_summary("tail", [2000, -0.7, 0.5], 0.05)
    of_summary("tail", [2, 1e12, 1.0], 0.05)


def pairs_of(xs, ys):
    return {"x": list(xs), "y": list(ys)}


def mean_statistic(values):
    return SampleMeanStatistic(n=len(values), sum=float(np.sum(values)), sum_squares=float(np.dot(values, values)))


def ratio():
    def of_pairs(edge, x, y, answers=True):
        out = NOTHING
        if answers:
            product = float(np.dot(x, y))
            statistic = RatioStatistic(
                n=len(x), m_statistic=mean_statistic(x), d_statistic=mean_statistic(y), m_d_sum_of_products=product
            )
            out = {"mean": number(statistic.mean), "variance": number(max(statistic.variance, 0.0))}
        case("ratio", edge, pairs_of(x, y), out)

    of_pairs("ordinary", [1.0, 0.0, 2.0, 1.0], [10.0, 3.0, 8.0, 4.0])
    of_pairs("ordinary", [-1.0, 5.0, 2.5], [1.0, 2.0, 2.0])
    of_pairs("none", [], [], False)
    of_pairs("one", [1.0], [2.0], False)
    of_pairs("equal", [3.0] * 4, [4.0] * 4)
    of_pairs("zero", [1.0, 2.0], [0.0, 0.0], False)
    of_pairs("zero", [0.0, 0.0, 0.0], [1.0, 2.0, 1.0])
    of_pairs("huge", [1e100, 3e100, 2e100], [4.0, 5.0, 7.0])
    of_pairs("huge", [1e308, -1e308], [1e-308, 2e-308], False)


def lift():
    def of(edge, a, b, alpha, answers=True):
        out = NOTHING
        if answers:
            # GrowthBook's delta method; b is the treatment there.
            variance = frequentist_variance(b[2], b[1], b[0], a[2], a[1], a[0], True)
            value, error = (a[1] - b[1]) / b[1], math.sqrt(variance)
            half = stats.norm.isf(alpha / 2) * error
            out = {"lift": number(value), "standard_error": number(error), "low": number(value - half), "high": number(value + half)}
        case("lift", edge, {"treatment": a, "control": b, "alpha": alpha}, out)

    of("ordinary", [10_000, 1.1, 0.5], [10_000, 1.0, 0.5], 0.05)
    of("ordinary", [100, 0.2, 0.16], [250, -0.3, 0.2], 0.2)
    of("none", [0, 0.0, 0.0], [10, 1.0, 1.0], 0.05, False)
    of("one", [1, 2.0, 0.0], [10, 1.0, 1.0], 0.05, False)
    of("equal", [9, 2.0, 0.0], [10, 2.0, 0.0], 0.05, False)
    of("equal", [9, 2.0, 0.0], [10, 2.0, 1.0], 0.05)
    of("zero", [9, 0.0, 0.0], [10, 0.0, 0.0], 0.05, False)
    of("zero", [9, 1.0, 1.0], [10, 0.0, 1.0], 0.05, False)
    of("zero", [9, 0.0, 1.0], [10, 2.0, 1.0], 0.05)
    of("huge", [10**12, 1e60, 1e118], [10**12, 2e60, 1e119], 0.05)
    of("huge", [10, 1e300, 1.0], [10, 1e-300, 1.0], 0.05, False)
    of("tail", [400, 3.0, 0.5], [300, 1.0, 0.25], 1e-200)


def cuped():
    def of(edge, a, b, answers=True):
        out = NOTHING
        if answers:
            sides = []
            for x, y in (a, b):
                sides.append(RegressionAdjustedStatistic(
                    n=len(x), post_statistic=mean_statistic(x), pre_statistic=mean_statistic(y),
                    post_pre_sum_of_products=float(np.dot(x, y)), theta=0,
                ))
            theta = compute_theta(*sides)
            before = np.concatenate([a[1], b[1]]).mean()
            out = {"theta": number(theta)}
            for name, side in zip(("treatment", "control"), sides):
                side.theta = theta
                # GrowthBook leaves out the shift that both sides have in common.
                out[name + "_mean"] = number(side.mean + theta * before)
                out[name + "_variance"] = number(side.variance)
        case("cuped", edge, {"treatment": pairs_of(*a), "control": pairs_of(*b)}, out)

    of("ordinary", ([2.0, 3.25, 4.0], [1.0, 2.0, 3.5]), ([1.0, 2.0, 3.25, 7.0], [1.0, 2.5, 3.0, 5.0]))
    of("ordinary", ([1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 2.0]), ([0.0, 0.0, 1.0], [3.0, 1.0, 0.0]))
    of("none", ([], []), ([1.0, 2.0], [1.0, 2.0]), False)
    of("one", ([1.0], [2.0]), ([1.0, 2.0], [1.0, 2.0]), False)
    of("equal", ([2.0, 3.0, 5.0], [4.0] * 3), ([1.0, 3.0], [4.0] * 2))
    of("zero", ([0.0] * 3, [0.0] * 3), ([0.0] * 3, [0.0] * 3))
    of("huge", ([2e100, 3e100, 4e100], [1e50, 2e50, 4e50]), ([1e100, 5e100, 0.0], [1e50, 0.0, 4e50]))
    of("huge", ([1e308, -1e308], [1.0, 2.0]), ([1.0, 5.0], [1.0, 0.0]), False)


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


class Dice:
    """SplitMix64, as it was published."""

    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        word = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & word
        mixed = ((self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9) & word
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & word
        return ((mixed ^ (mixed >> 31)) * count) >> 64


def permutation():
    statistic = lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis)

    def of(edge, x, y, rounds=9999, seed=0, answers=True):
        out = NOTHING
        if answers:
            ways = math.comb(len(x) + len(y), len(x))
            if min(len(x), len(y)) == 1:
                # scipy wants two.
                every = x + y
                other = lambda at: (sum(every) - sum(every[k] for k in at)) / len(y)
                chosen = itertools.combinations(range(len(every)), len(x))
                null = np.array([sum(every[k] for k in at) / len(x) - other(at) for at in chosen])
                seen = statistic(x, y, 0)
                ps = [0, np.mean(null >= seen - 1e-9), np.mean(null <= seen + 1e-9)]
                ps[0] = min(1, 2 * min(ps[1:]))
            elif ways <= rounds:
                ps = [stats.permutation_test((x, y), statistic, n_resamples=rounds, alternative=side).pvalue for side in SIDES]
            else:
                ps = dealt(x, y, rounds, seed)
            out = {"difference": number(statistic(x, y, 0)), "exact": float(ways <= rounds), **p_values(*ps)}
        case("permutation", edge, {"treatment": x, "control": y, "rounds": rounds, "seed": seed}, out)

    of("ordinary", [5.0, 7.0, 8.0], [1.0, 2.0, 3.0])
    of("ordinary", [1.0, 2.0, 2.0, 3.0, 0.1], [2.0, 3.0, 4.0])
    of("ordinary", [0.1, 0.2, 0.3], [0.3, 0.2, 0.1, 0.4, 0.7, 1.1], 84)
    of("ordinary", [0.25 * k * k for k in range(12)], [0.5 * k * k for k in range(9)], 300, 7)
    of("ordinary", [0.5 * k * k for k in range(9)], [0.25 * k * k for k in range(12)], 300, 2**63)
    of("none", [], [1.0], answers=False)
    of("one", [4.0], [1.0, 2.0, 6.0])
    of("one", [4.0], [1.0])
    of("equal", [3.0] * 4, [3.0] * 5)
    of("zero", [0.0] * 4, [0.0] * 5)
    of("huge", [1e300, 3e300], [2e300, -1e300, 5e299])
    of("huge", [1e308, 1e308], [1.0, 2.0], answers=False)
    of("tail", [100.0 + k for k in range(10)], [1.0 * k for k in range(10)], 500, 3)
    of("tail", [100.0 + k for k in range(8)], [1.0 * k for k in range(8)], 100_000)


def dealt(x, y, rounds, seed):
    dice, few = Dice(seed), min(len(x), len(y))
    every = list(x) + list(y) if len(x) <= len(y) else list(y) + list(x)
    total = math.fsum(every)
    seen = math.fsum(x) / len(x) - math.fsum(y) / len(y)
    greater = less = 1
    for _ in range(rounds):
        for at in range(few):
            other = at + dice.below(len(every) - at)
            every[at], every[other] = every[other], every[at]
        part = math.fsum(every[:few])
        difference = part / few - (total - part) / (len(every) - few)
        if len(x) > len(y):
            difference = -difference
        greater += difference >= seen - 1e-9
        less += difference <= seen + 1e-9
    greater, less = greater / (rounds + 1), less / (rounds + 1)
    return min(1, 2 * min(greater, less)), greater, less


class Redrawn:
    def __init__(self, distribution):
        self.bootstrap_distribution = np.array(distribution)


def bootstrap():
    statistics = {
        "mean": lambda x, axis: np.mean(x, axis=axis),
        "median": lambda x, axis: np.median(x, axis=axis),
        "difference": lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
    }

    def of(edge, name, samples, alpha, rounds=199, seed=0, answers=True, scale=1.0):
        statistic, dice, out = statistics[name], Dice(seed), NOTHING
        if answers:
            drawn = []
            for _ in range(rounds):
                redrawn = [[sample[dice.below(len(sample))] for _ in sample] for sample in samples]
                drawn.append(float(statistic(*map(np.array, redrawn), axis=0)))
            out = {"estimate": number(statistic(*map(np.array, samples), axis=0))}
            for method in ("percentile", "BCa"):
                result = stats.bootstrap(
                    samples, statistic, n_resamples=0, bootstrap_result=Redrawn(drawn),
                    confidence_level=1 - alpha, method=method, vectorized=True,
                ).confidence_interval
                label = "bca" if method == "BCa" else "percentile"
                out[label + "_low"], out[label + "_high"] = number(result.low), number(result.high)
            out = {name: value * scale for name, value in out.items()}
            samples = [[value * scale for value in sample] for sample in samples]
        case("bootstrap", edge, {"statistic": name, "samples": samples, "alpha": alpha, "rounds": rounds, "seed": seed}, out)

    curve = [0.25 * k * k for k in range(12)]
    of("ordinary", "mean", [curve], 0.05)
    of("ordinary", "mean", [curve], 0.2, 1000, 12345)
    of("ordinary", "median", [curve[:9]], 0.1, 500, 2**64 - 1)
    of("ordinary", "difference", [curve, [0.5 * k for k in range(7)]], 0.05, 400, 5)
    of("none", "mean", [[]], 0.05, answers=False)
    of("none", "difference", [[], [1.0, 2.0]], 0.05, answers=False)
    of("one", "mean", [[3.0]], 0.05, answers=False)
    of("equal", "mean", [[3.0] * 5], 0.05, answers=False)
    of("zero", "mean", [[0.0] * 5], 0.05, answers=False)
    of("huge", "mean", [[1.0, 2.0, 4.0, 2.0]], 0.05, scale=2.0**990)
    of("huge", "mean", [[1.7e308, 1.7e308, 1.0]], 0.05, answers=False)
    of("tail", "mean", [curve], 1e-9)


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


def means_power(effect, size, alpha, ratio, one):
    power = TTestIndPower().power(effect, size, alpha, ratio=ratio, alternative="larger" if one else "two-sided")
    # scipy's non-central t has no answer from some seven standard errors on.
    return 1.0 if math.isnan(power) and effect * math.sqrt(size / (1 + 1 / ratio)) > 6.5 else power


def proportions_power(control, difference, size, alpha, ratio, one):
    side = "two-sided" if not one else "larger" if difference >= 0 else "smaller"
    return proportion.power_proportions_2indep(difference, control, size, ratio, alpha, alternative=side).power


def root(function, low, high):
    return optimize.brentq(function, low, high, xtol=1e-300, rtol=1e-14, maxiter=500)


def power():
    def of(method, edge, given, function, answers=True):
        out = {"value": number(function())} if answers else NOTHING
        case(method, edge, given, out)

    designs = [(0.05, 1.0, False), (0.05, 1.0, True), (0.01, 3.0, False), (0.1, 0.25, True)]
    given = lambda design, **more: {**dict(zip(("alpha", "ratio", "one"), (design[0], design[1], float(design[2])))), **more}
    usual = designs[0]

    for design in designs:
        for effect, size in ((0.5, 64.0), (0.2, 20.0), (0.01, 1e5), (2.0, 10.5), (-0.3, 50.0)):
            of("power_of_means", "ordinary", given(design, effect=effect, size=size), lambda: means_power(effect, size, *design))
        for effect, wanted in ((0.5, 0.8), (0.1, 0.9), (0.02, 0.95), (0.6, 0.7)):
            of("size_for_means", "ordinary", given(design, effect=effect, power=wanted),
               lambda: math.exp(root(lambda n: means_power(effect, math.exp(n), *design) - wanted, math.log(8.5), 20.0)))
        for size, wanted in ((100.0, 0.8), (12.0, 0.9), (1e5, 0.6)):
            of("detectable_effect", "ordinary", given(design, size=size, power=wanted),
               lambda: root(lambda d: means_power(d, size, *design) - wanted, 1e-6, 6.0))
        for control, by, size in ((0.1, 0.02, 3841.0), (0.5, -0.1, 200.0), (0.001, 0.0005, 1e5), (0.0, 0.1, 50.0)):
            of("power_of_proportions", "ordinary", given(design, control=control, difference=by, size=size),
               lambda: proportions_power(control, by, size, *design))
        for control, by, wanted in ((0.1, 0.02, 0.8), (0.5, -0.1, 0.9), (0.001, 0.0005, 0.7), (0.0, 0.1, 0.8)):
            of("size_for_proportions", "ordinary", given(design, control=control, difference=by, power=wanted),
               lambda: math.exp(root(lambda n: proportions_power(control, by, math.exp(n), *design) - wanted, 0.7, 30.0)))
        for control, size, wanted in ((0.1, 3841.0, 0.8), (0.5, 500.0, 0.9), (0.001, 1e6, 0.6)):
            of("detectable_increase", "ordinary", given(design, control=control, size=size, power=wanted),
               lambda: root(lambda by: proportions_power(control, by, size, *design) - wanted, 1e-9, 0.499))

    of("power_of_means", "none", given(usual, effect=0.5, size=0.0), None, False)
    of("power_of_means", "one", given(usual, effect=0.5, size=1.0), None, False)
    of("power_of_means", "zero", given(usual, effect=0.0, size=30.0), lambda: 0.05)
    of("power_of_means", "huge", given(usual, effect=1e-6, size=1e13), lambda: stats.norm.sf(stats.norm.isf(0.025) - 1e-6 * math.sqrt(5e12)) + stats.norm.cdf(-stats.norm.isf(0.025) - 1e-6 * math.sqrt(5e12)))
    of("power_of_means", "huge", given(usual, effect=1e300, size=30.0), lambda: 1.0)
    of("power_of_means", "tail", given((1e-9, 1.0, False), effect=0.1, size=500.0), lambda: means_power(0.1, 500.0, 1e-9, 1.0, False))
    of("size_for_means", "one", given(usual, effect=1e3, power=0.8), lambda: 2.0)
    of("size_for_means", "equal", given(usual, effect=0.5, power=0.05), None, False)
    of("size_for_means", "zero", given(usual, effect=0.0, power=0.8), None, False)
    of("size_for_means", "huge", given(usual, effect=1e-9, power=0.8), None, False)
    of("size_for_means", "tail", given((1e-6, 1.0, True), effect=0.3, power=0.9),
       lambda: math.exp(root(lambda n: means_power(0.3, math.exp(n), 1e-6, 1.0, True) - 0.9, 2.5, 10.0)))
    of("detectable_effect", "none", given(usual, size=0.0, power=0.8), None, False)
    of("detectable_effect", "one", given(usual, size=1.0, power=0.8), None, False)
    of("detectable_effect", "equal", given(usual, size=100.0, power=0.05), None, False)
    of("detectable_effect", "huge", given(usual, size=1e12, power=0.8),
       lambda: root(lambda d: stats.norm.sf(stats.norm.isf(0.025) - d * math.sqrt(5e11)) + stats.norm.cdf(-stats.norm.isf(0.025) - d * math.sqrt(5e11)) - 0.8, 1e-8, 1e-4))
    of("power_of_proportions", "none", given(usual, control=0.1, difference=0.1, size=0.0), None, False)
    of("power_of_proportions", "one", given(usual, control=0.5, difference=0.1, size=1.0), lambda: proportions_power(0.5, 0.1, 1.0, *usual))
    of("power_of_proportions", "equal", given(usual, control=1.0, difference=0.0, size=10.0), None, False)
    of("power_of_proportions", "zero", given(usual, control=0.0, difference=0.0, size=10.0), None, False)
    of("power_of_proportions", "zero", given(usual, control=0.2, difference=0.0, size=10.0), lambda: 0.05)
    of("power_of_proportions", "huge", given(usual, control=0.3, difference=1e-6, size=1e12), lambda: proportions_power(0.3, 1e-6, 1e12, *usual))
    of("power_of_proportions", "tail", given((1e-12, 1.0, True), control=0.3, difference=0.01, size=100.0), lambda: proportions_power(0.3, 0.01, 100.0, 1e-12, 1.0, True))
    of("size_for_proportions", "equal", given(usual, control=0.1, difference=0.1, power=0.05), None, False)
    of("size_for_proportions", "zero", given(usual, control=0.1, difference=0.0, power=0.8), None, False)
    of("size_for_proportions", "huge", given(usual, control=0.1, difference=1e-9, power=0.8), None, False)
    of("size_for_proportions", "huge", given(usual, control=1e-9, difference=1e-9, power=0.8),
       lambda: math.exp(root(lambda n: proportions_power(1e-9, 1e-9, math.exp(n), *usual) - 0.8, 0.7, 33.0)))
    of("detectable_increase", "none", given(usual, control=0.1, size=0.0, power=0.8), None, False)
    of("detectable_increase", "one", given(usual, control=0.9, size=1.0, power=0.8), None, False)
    of("detectable_increase", "equal", given(usual, control=1.0, size=100.0, power=0.8), None, False)
    of("detectable_increase", "zero", given(usual, control=0.0, size=1000.0, power=0.8),
       lambda: root(lambda by: proportions_power(0.0, by, 1000.0, *usual) - 0.8, 1e-9, 0.499))
    of("detectable_increase", "huge", given(usual, control=0.2, size=1e12, power=0.8),
       lambda: root(lambda by: proportions_power(0.2, by, 1e12, *usual) - 0.8, 1e-9, 0.1))


def main():
    mp.mp.dps = 50
    welch()
    paired_t()
    ratio()
    lift()
    cuped()
    proportions()
    mann_whitney()
    permutation()
    bootstrap()
    adjust()
    sample_ratio()
    power()
    rows = ",\n".join(
        f'"{method}":[\n' + ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases) + "]"
        for method, cases in CASES.items()
    )
    print("{" + rows + "}")


main()
