"""Welch's and the paired t test, from scipy."""

import math

import mpmath as mp
import numpy as np
from scipy import stats
from fixed_table import NOTHING, SIDES, case, number, p_values, summary


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
