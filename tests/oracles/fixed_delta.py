"""Ratios, lifts and CUPED, from GrowthBook's statistics."""

import math

import numpy as np
from gbstats.frequentist.tests import frequentist_variance
from gbstats.models.statistics import (
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from scipy import stats
from fixed_table import NOTHING, case, number


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
