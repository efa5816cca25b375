"""Permutation and bootstrap, from scipy with the same random numbers."""

import itertools
import math

import numpy as np
from scipy import stats
from fixed_table import NOTHING, SIDES, case, number, p_values


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
