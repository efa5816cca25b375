#!/usr/bin/env python3
"""Computes the table that tests/stats/sequential reads: what other programs answer.

    python3.10 -m venv oracle && oracle/bin/pip install -r tests/oracles/sequential-requirements.txt
    oracle/bin/python tests/oracles/sequential.py > tests/oracles/sequential.json

Each section says where its numbers come from: confseq (by the authors of the papers), SciPy, or, where no
package has the method, mpmath with fifty digits, written down from the paper's formula, in the plainest way.
"""

import json
import math

import mpmath
import numpy as np
from confseq import boundaries
from confseq import betting as confseq_betting
from confseq import quantiles as confseq_quantiles
from scipy import optimize, special

mpmath.mp.dps = 50


def exact(number):
    """A number as JSON holds it; infinities by name."""
    number = float(number)
    return number if math.isfinite(number) else ("inf" if number > 0 else "-inf")


def edge(counts, equal=False):
    """Which class of edges a row is of, by its counts: `none` at all, `one`, `zero` of a kind, `huge`, `equal` ones."""
    if sum(counts) <= 1:
        return ["none", "one"][sum(counts)]
    if min(counts) == 0:
        return "zero"
    if max(counts) >= 10**8:
        return "huge"
    return "equal" if equal else "ordinary"


def edge_of_values(*arms):
    """The same by values and how often there is each: `equal` are those of which there is one, `zero` that are all 0."""
    edges = [edge for arm in arms for edge, _ in arm]
    counts = [sum(count for _, count in arm) for arm in arms]
    if min(counts) <= 1:
        return ["none", "one"][min(counts)]
    if set(edges) == {0}:
        return "zero"
    if max(counts) >= 10**6:
        return "huge"
    return "equal" if len(set(edges)) == 1 else "ordinary"


def dirichlet_multinomial(counts, shares, priors):
    """ln of the Bayes factor, arXiv 2011.03567, by differences of ln Γ in mpmath."""
    priors = [mpmath.mpf(prior) for prior in priors]
    total, n = sum(priors), sum(counts)
    ln = mpmath.loggamma(total) - mpmath.loggamma(total + n)
    for count, share, prior in zip(counts, shares, priors):
        ln += mpmath.loggamma(prior + count) - mpmath.loggamma(prior)
        ln -= count * mpmath.log(share) if count else 0
    return ln


def sample_ratio():
    """mpmath."""
    rows = []
    for counts, weights in [
        ([0, 0], [1, 1]),
        ([1, 0], [1, 1]),
        ([0, 7], [1, 1]),
        ([5, 3], [3, 1]),
        ([600, 600], [1, 1]),
        ([50_210, 49_790], [1, 1]),
        ([301_355, 298_645], [1, 1]),
        ([980, 15, 5], [98, 1, 1]),
        ([10, 20, 30, 40], [1, 2, 3, 4]),
        ([999_999_000_000, 1_000_001_000_000], [1, 1]),
        ([10**12, 10**9 + 10**6], [1000, 1]),
        ([123_456, 7, 123_321, 122_980], [5000, 1, 5000, 5000]),
    ]:
        for concentration in [2, 10, 1000, 100_000]:
            total = mpmath.mpf(sum(weights))
            shares = [weight / total for weight in weights]
            ln = dirichlet_multinomial(counts, shares, [concentration * share for share in shares])
            row = {"edge": edge(counts, len(set(counts)) == 1), "counts": counts, "shares": weights}
            rows.append(row | {"concentration": concentration, "ln": exact(ln)})
    return rows


def beta_tail(a, b, point):
    """ln of P(Beta(a, b) > point): mpmath's, or, where that takes long, the density, integrated in steps of a standard deviation."""
    a, b, point = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(point)
    if a + b < 10_000 or min(a, b) < 10:
        return mpmath.log(mpmath.betainc(b, a, 0, 1 - point, regularized=True))
    scale = mpmath.sqrt(a * b / (a + b) ** 2 / (a + b + 1))
    peak = max(point, min(mpmath.mpf(1), a / (a + b)))
    ln_beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    ln_density = lambda t: (a - 1) * mpmath.log(t) + (b - 1) * mpmath.log(1 - t) - ln_beta
    at = ln_density(peak)
    ends = [point] + [peak + step * scale for step in range(-30, 31)] + [mpmath.mpf(1)]
    ends = sorted({end for end in ends if point <= end <= 1})
    # The rest beyond 30 standard deviations is below what a float can hold beside it.
    ends = [end for end in ends if end <= peak + 30 * scale or end == 1 and peak + 30 * scale >= 1]
    return mpmath.log(mpmath.quad(lambda t: mpmath.exp(ln_density(t) - at), ends)) + at


def concentration(target):
    twice = 2 * mpmath.log(20)
    return max(target / (twice + mpmath.log(1 + twice)) - 1, mpmath.mpf("0.001"))


def beta_binomial(hits, misses, chance, a, b):
    """ln of the Bayes factor; the part of the mixture above the chance; the part below."""
    both = dirichlet_multinomial([hits, misses], [chance, 1 - chance], [a, b])
    above = both + beta_tail(a + hits, b + misses, chance) - beta_tail(a, b, chance)
    below = both + beta_tail(b + misses, a + hits, 1 - chance) - beta_tail(b, a, 1 - chance)
    return both, above, below


def rates():
    """mpmath; `confseq` and `confseq_above` are confseq.boundaries.beta_binomial_log_mixture (Boost)."""
    rows = []
    for first, second, share, ratio, target in [
        (0, 0, 0.5, 1, 100),
        (0, 1, 0.5, 1, 100),
        (42, 24, 0.1, 1, 100),
        (42, 24, 0.1, 5, 100),
        (8, 32, 0.5, 1, 10),
        (700, 700, 0.5, 1, 1000),
        (2010, 1990, 0.5, 1.2, 1000),
        (2010, 1990, 0.5, 1, 1000),
        (2500, 2300, 0.5, 1, 20_000),
        (100_000, 101_500, 0.5, 1, 100_000),
        (600_000, 401_000, 0.4, 1.02, 10_000),
        (17, 0, 0.25, 1, 50),
        (10_000, 0, 0.001, 1, 50),
        (1_000_000, 900, 0.001, 1, 1_000_000),
        (10**9, 10**9 + 200_000, 0.5, 1, 10**6),
        (10**9, 10**9 + 30_000, 0.5, 1.0001, 10**8),
    ]:
        odds = mpmath.mpf(share) / (1 - mpmath.mpf(share)) * mpmath.mpf(ratio)
        chance, kappa = odds / (1 + odds), concentration(target)
        both, above, below = beta_binomial(second, first, chance, kappa * chance, kappa * (1 - chance))
        row = {"edge": edge([first, second], first == second)}
        row |= {"first": first, "second": second, "share": share, "ratio": ratio, "target": target}
        row |= {"both": exact(both), "above": exact(above), "below": exact(below)}
        n, p = first + second, float(chance)
        args = dict(s=second - n * p, v=n * p * (1 - p), v_opt=target * p * (1 - p), g=p, h=1 - p)
        rows.append(row)
        if n > 10**8:
            # There, its differences of ln Γ have lost the digits that are compared.
            continue
        row["confseq"] = exact(boundaries.beta_binomial_log_mixture(**args, alpha_opt=0.05, is_one_sided=False))
        # Its one-sided mixture is tuned as its two-sided one is for twice the error.
        row["confseq_above"] = exact(boundaries.beta_binomial_log_mixture(**args, alpha_opt=0.025, is_one_sided=True))
    return rows


def rate_ratio():
    """mpmath: the roots of the sum of the logarithms, by bisection."""
    rows = []
    for splits, alpha, target in [
        ([[0, 0, 0.5]], 0.05, 20),
        ([[0, 1, 0.5]], 0.05, 20),
        ([[0, 12, 0.5]], 0.05, 20),
        ([[0, 12, 0.5]], 0.2, 20),
        ([[400, 400, 0.5]], 0.05, 500),
        ([[42, 24, 0.1]], 0.05, 100),
        ([[42, 24, 0.1]], 0.01, 100),
        ([[100, 12, 0.1], [300, 310, 0.5]], 0.05, 500),
        ([[10**6, 10**6 + 500, 0.5]], 0.05, 10**5),
        ([[10**9, 10**9 + 20_000, 0.5]], 0.05, 10**7),
    ]:
        def excess(ln_ratio):
            ln = mpmath.log(alpha)
            for first, second, share in splits:
                share, kappa = mpmath.mpf(share), concentration(target)
                odds = share / (1 - share) * mpmath.exp(ln_ratio)
                chance = odds / (1 + odds)
                ln += dirichlet_multinomial([second, first], [chance, 1 - chance], [kappa * share, kappa * (1 - share)])
            return ln

        def root(inside, outside):
            for _ in range(120):
                middle = (inside + outside) / 2
                inside, outside = (middle, outside) if excess(middle) < 0 else (inside, middle)
            return mpmath.exp(inside)

        # A ratio that is within.
        start = mpmath.mpf(next(ln / 1000 for ln in range(-4000, 4000) if excess(mpmath.mpf(ln) / 1000) < 0))
        low = root(start, mpmath.mpf(-20)) if excess(-20) > 0 else 0
        high = root(start, mpmath.mpf(20)) if excess(20) > 0 else mpmath.inf
        counts = [sum(split[arm] for split in splits) for arm in (0, 1)]
        row = {"edge": edge(counts, counts[0] == counts[1]), "splits": splits, "alpha": alpha, "target": target}
        rows.append(row | {"low": exact(low), "high": exact(high)})
    return rows


def rate():
    """confseq.boundaries.bernoulli_confidence_interval."""
    rows = []
    for events, trials, target in [
        (0, 1000, 1000), (1, 1, 100), (5, 1000, 1000), (500, 1000, 300), (997, 1000, 1000), (20, 1_000_000, 100_000),
        (1000, 1000, 500), (123_456, 1_000_000, 1_000_000), (0, 0, 100), (10**7, 10**9, 10**6),
    ]:
        for alpha in [0.05, 0.001]:
            # (Of nothing, it does not answer.)
            low, high = boundaries.bernoulli_confidence_interval(events, trials, alpha, target) if trials else (0, 1)
            kind = edge([events, trials - events], events == trials - events)
            row = {"edge": "equal" if events == trials > 1 else kind, "events": events, "trials": trials}
            rows.append(row | {"alpha": alpha, "target": target, "low": low, "high": high})
    return rows


def rate_difference():
    """SciPy: of all first rates, by minimize_scalar, the least that speaks against both; the ends by brentq."""
    rows = []
    for first, second, alpha, target in [
        ((300, 10_000), (340, 10_000), 0.05, 10_000),
        ((0, 500), (12, 500), 0.05, 500),
        ((700, 1000), (1500, 2000), 0.01, 1000),
        ((3, 40), (0, 30), 0.2, 100),
        ((1, 1), (0, 1), 0.2, 100),
        ((0, 400), (0, 500), 0.05, 500),
        ((50, 1000), (50, 1000), 0.05, 1000),
        ((10**6, 10**8), (10**6 + 3000, 10**8), 0.05, 10**6),
    ]:
        kappa = float(concentration(target))

        def ln(arm, p):
            (k, n), p = arm, min(max(p, 1e-300), 1 - 1e-16)
            a, b = kappa * p, kappa * (1 - p)
            return special.betaln(a + k, b + n - k) - special.betaln(a, b) - k * math.log(p) - (n - k) * math.log1p(-p)

        kind = edge([first[0] + second[0], first[1] + second[1]], first == second)
        kind = "one" if first[1] == second[1] == 1 else kind
        row = {"edge": kind, "first": first, "second": second, "alpha": alpha, "target": target}
        estimate = second[0] / second[1] - first[0] / first[1]
        for name, together in [("", lambda a, b: a + b), ("shared_", lambda a, b: np.logaddexp(a, b) - math.log(2))]:
            def least(apart):
                ends = max(0, -apart), min(1, 1 - apart)
                at = lambda p: together(ln(first, p), ln(second, min(max(p + apart, 0), 1)))
                inner = sorted(min(max(p, ends[0]), ends[1]) for p in (first[0] / first[1], second[0] / second[1] - apart))
                found = optimize.minimize_scalar(at, bounds=inner, method="bounded", options={"xatol": 1e-13, "maxiter": 1000}).fun
                return min(found, at(inner[0]), at(inner[1])) + math.log(alpha)

            for end, far in [("low", -1), ("high", 1)]:
                row[name + end] = optimize.brentq(least, estimate, far, xtol=1e-14) if least(far) > 0 > least(estimate) else far
        rows.append(row)
    # By definition.
    nothing = {"first": (0, 0), "second": (0, 0), "alpha": 0.05, "target": 100, "low": -1, "high": 1, "shared_low": -1, "shared_high": 1}
    rows.append({"edge": "none"} | nothing)
    return rows


def pairs():
    """mpmath."""
    rows = []
    for first, second, ratio in [(0, 0, 1), (8, 32, 1), (17, 23, 1), (410, 402, 1.5), (5000, 5200, 1), (0, 9, 2), (0, 1, 1), (60, 60, 1), (10**9, 10**9 + 90_000, 1)]:
        chance = mpmath.mpf(ratio) / (1 + mpmath.mpf(ratio))
        both, above, below = beta_binomial(second, first, chance, mpmath.mpf(1), mpmath.mpf(1))
        rows.append({"edge": edge([first, second], first == second), "first": first, "second": second, "ratio": ratio,
                     "both": exact(both), "above": exact(above), "below": exact(below)})
    return rows


def buckets(seed, count, scale, step):
    """Values that are spread log-normally, drawn by a generator that is the same everywhere, and rounded up."""
    state, counts = seed, {}
    for _ in range(count):
        total = 0
        for _ in range(6):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            total += (state >> 33) / 2**31
        edge = math.ceil(scale * math.exp(total - 3) / step) * step
        counts[edge] = counts.get(edge, 0) + 1
    return sorted(counts.items())


def values(counted):
    return np.array([edge for edge, count in counted for _ in range(count)], dtype=float)


def beta_binomial_radius(p, n, alpha, target, upwards):
    """confseq's bound, which is the largest possible deviation also where that is not enough."""
    g, h = (p, 1 - p) if upwards else (1 - p, p)
    args = dict(v=p * (1 - p) * n, v_opt=p * (1 - p) * target, g=g, h=h, alpha_opt=0.05, is_one_sided=False)
    if boundaries.beta_binomial_log_mixture(s=args["v"] / g, **args) < math.log(1 / alpha):
        return math.inf
    return boundaries.beta_binomial_mixture_bound(alpha=alpha, **args)


def stitched_radius(p, n, alpha, start, upwards):
    q = p if upwards else 1 - p
    c = max((1 - 2 * q) / 3, 0)
    variance = q * (1 - q)
    return boundaries.poly_stitching_bound(n * variance, alpha / 2, start * variance, c, 1.4, 2.04)


def quantile_interval(ordered, p, more, less):
    """The order statistics of the paper (its equation 8)."""
    n = len(ordered)
    low, high = math.floor(n * p - less) + 1 if less < math.inf else 0, math.ceil(n * p + more) if more < math.inf else n + 1
    return (ordered[low - 1] if low >= 1 else -math.inf, ordered[high - 1] if high <= n else math.inf)


def quantile():
    """confseq.boundaries.beta_binomial_mixture_bound and poly_stitching_bound, of the values in order."""
    rows = []
    drawn = [buckets(seed, count, 1, step) for seed, count, step in [(1, 5, 0.001), (2, 100, 0.02), (3, 1000, 0.05), (4, 20_000, 0.1)]]
    for counted in drawn + [[(2.5, 1)], [(2.5, 3000)], [(0.0, 3000)], [(1.0, 700_000), (1.5, 200_000), (2.0, 100_000)]]:
        ordered = values(counted)
        for p in [0.5, 0.95, 0.99, 0.1]:
            for alpha, target in [(0.05, 1000), (0.005, 10_000)]:
                n = len(ordered)
                low, high = quantile_interval(ordered, p, *(beta_binomial_radius(p, n, alpha, target, up) for up in (True, False)))
                row = {"edge": edge_of_values(counted), "buckets": counted, "p": p, "alpha": alpha, "target": target, "low": exact(low), "high": exact(high)}
                low, high = quantile_interval(ordered, p, *(stitched_radius(p, n, alpha, 10, up) for up in (True, False)))
                rows.append(row | {"stitched_low": exact(low), "stitched_high": exact(high)})
    for p in [0.5, 0.99]:
        # By definition: confseq does not answer.
        nothing = {"low": "-inf", "high": "inf", "stitched_low": "-inf", "stitched_high": "inf"}
        rows.append({"edge": "none", "buckets": [], "p": p, "alpha": 0.05, "target": 1000} | nothing)
    return rows


def two_quantiles():
    """confseq.quantiles.quantile_ab_p_value."""
    rows = []
    drawn = []
    for first, second, p in [
        ((5, 300, 1, 0.05), (6, 300, 1, 0.05), 0.5),
        ((7, 300, 1, 0.05), (8, 300, 1.5, 0.05), 0.5),
        ((7, 2000, 1, 0.05), (8, 1000, 1.2, 0.05), 0.9),
        ((9, 5000, 1, 0.1), (10, 5000, 1.3, 0.1), 0.95),
        ((11, 400, 1, 0.001), (12, 400, 1.4, 0.001), 0.5),
    ]:
        drawn.append((buckets(*first), buckets(*second), p))
    for first, second, p in drawn + [
        ([], [], 0.5), ([(1.0, 1)], [(2.0, 1)], 0.5), ([(1.0, 900)], [(1.0, 800)], 0.5), ([(0.0, 900)], [(0.0, 800)], 0.9),
        ([(1.0, 600_000), (2.0, 400_000)], [(1.0, 599_000), (2.0, 401_000)], 0.6),
    ]:
        for target in [100, 1000]:
            # (Of nothing, it does not answer.)
            p_value = confseq_quantiles.quantile_ab_p_value(values(first), values(second), p, target) if first else 1
            rows.append({"edge": edge_of_values(first, second), "first": first, "second": second, "p": p, "target": target, "p_value": p_value})
    return rows


def quantile_region():
    """SciPy: of all pairs of values, one by one, those that are not refuted."""
    rows = []
    drawn = []
    for first, second, p, alpha, target in [
        ((1, 30, 1, 0.05), (2, 40, 1, 0.05), 0.5, 0.05, 50),
        ((7, 2000, 1, 0.05), (8, 1000, 1.2, 0.05), 0.9, 0.05, 1000),
        ((9, 5000, 1, 0.1), (10, 5000, 1.3, 0.1), 0.95, 0.01, 1000),
        ((11, 400, 1, 0.02), (12, 4000, 1.4, 0.02), 0.99, 0.05, 1000),
    ]:
        drawn.append((buckets(*first), buckets(*second), p, alpha, target))
    for first, second, p, alpha, target in drawn + [
        ([], [], 0.5, 0.05, 1000), ([(1.0, 1)], [(2.0, 1)], 0.5, 0.05, 1000), ([(1.0, 900)], [(1.0, 800)], 0.5, 0.05, 1000),
        ([(0.0, 900)], [(0.0, 800)], 0.9, 0.05, 1000),
        ([(1.0, 600_000), (2.0, 400_000)], [(1.0, 599_000), (2.0, 401_000)], 0.7, 0.05, 1000),
    ]:
        kappa = float(concentration(target))
        a, b = kappa * p, kappa * (1 - p)

        def against(counted):
            n, below, rows = sum(count for _, count in counted), 0, []
            ln = lambda k: special.betaln(a + k, b + n - k) - special.betaln(a, b) - k * math.log(p) - (n - k) * math.log1p(-p)
            middle = p * (n - 1) + 0.5
            rows.append((-math.inf, ln(0)))
            for edge, count in counted:
                rows.append((edge, ln(min(max(middle, below), below + count))))
                below += count
            return rows + [(math.inf, ln(n))]

        counted = first, second
        pairs = [(x, y) for x, e in against(counted[0]) for y, f in against(counted[1]) if e + f < -math.log(alpha)]
        differences = [(y - x) if math.isfinite(x) or math.isfinite(y) else sign * math.inf for x, y in pairs for sign in (-1, 1)]
        positive = [(max(x, 0), max(y, 0)) for x, y in pairs]
        ends = [((y / x) if x > 0 else math.inf, (y / x) if x > 0 else 0) if math.isfinite(x) else ((0 if math.isfinite(y) else math.inf), 0) for x, y in positive]
        ratios = (min(low if x > 0 or y == 0 else high for (x, y), (high, low) in zip(positive, ends)), max(high for high, _ in ends))
        rows.append({"edge": edge_of_values(first, second), "first": counted[0], "second": counted[1], "p": p, "alpha": alpha, "target": target,
                     "low": exact(min(differences)), "high": exact(max(differences)),
                     "ratio_low": exact(ratios[0]), "ratio_high": exact(ratios[1])})
    return rows


def means():
    """mpmath; the tuning by mpmath.lambertw."""
    rows = []
    sharpest = -mpmath.lambertw(-mpmath.mpf("0.05") ** 2 / mpmath.e, -1).real - 1
    for value, variance, count, alpha, target in [
        (0.1, 0.0004, 10_000, 0.05, 10_000),
        (0.1, 0.0004, 100, 0.05, 10_000),
        (-3, 0.25, 5000, 0.001, 100),
        (1e-9, 1e-20, 10**12, 0.01, 10**6),
        (2, 1, 250, 0.5, 1e9),
    ]:
        v, spread = mpmath.mpf(variance), sharpest / mpmath.mpf(target) * count
        rho2 = spread / count
        sigma2 = v * count
        radius = mpmath.sqrt(sigma2 * 2 * (count * rho2 + 1) / (count**2 * rho2) * mpmath.log(mpmath.sqrt(count * rho2 + 1) / alpha))
        z = mpmath.mpf(value) / mpmath.sqrt(v)
        # The mixture itself: effects, in standard errors, are normal with the variance n ρ².
        density = lambda effect: mpmath.exp(effect * z - effect**2 / 2) * mpmath.npdf(effect, 0, mpmath.sqrt(spread))
        middle, width = z * spread / (spread + 1), mpmath.sqrt(spread / (spread + 1))
        ends = sorted([middle + width * step for step in range(-24, 25, 2)] + [mpmath.mpf(0)])
        both = mpmath.quad(density, ends)
        up = 2 * mpmath.quad(density, [end for end in ends if end >= 0]) if max(ends) > 0 else mpmath.mpf(0)
        kind = "huge" if count >= 10**8 else "ordinary"
        rows.append({"edge": kind, "value": value, "variance": variance, "count": count, "alpha": alpha, "target": target,
                     "low": exact(value - radius), "high": exact(value + radius),
                     "both": exact(mpmath.log(both)), "above": exact(mpmath.log(up)) if up else "-inf"})
    # By definition: what does not vary, and what there is too little of, says nothing.
    for kind, value, variance, count in [("none", 0, 0, 0), ("one", 3, 0, 1), ("equal", 3, 0, 1000), ("zero", 0, 0, 1000)]:
        rows.append({"edge": kind, "value": value, "variance": variance, "count": count, "alpha": 0.05, "target": 1000,
                     "low": "-inf", "high": "inf", "both": 0, "above": 0})
    return rows


def estimates():
    """NumPy, from the observations: residuals of clusters."""
    random = np.random.default_rng(7)
    rows = []
    for units in [5, 40]:
        x = np.round(random.gamma(2.0, 3.0, (2, units)), 3)
        y = np.round(0.7 * x + random.normal(1.0, 1.0, (2, units)) + np.array([[0.0], [0.4]]), 3)
        row = {"edge": "ordinary", "x": x.tolist(), "y": y.tolist()}
        difference = y[0] - x[0]
        row |= {"paired": difference.mean(), "paired_variance": difference.var(ddof=1) / units}
        ratio = y[0].sum() / x[0].sum()
        residuals = y[0] - ratio * x[0]
        row |= {"ratio": ratio, "ratio_variance": (residuals**2).sum() / (units - 1) * units / x[0].sum() ** 2}
        a, b, va, vb = x[0].mean(), y[1].mean(), x[0].var(ddof=1) / units, y[1].var(ddof=1) / units
        slopes = [(b / (a + h) - b / (a - h)) / (2 * h) for h in [1e-5 * a]] + [1 / a]
        row |= {"relative": b / a - 1, "relative_variance": slopes[0] ** 2 * va + slopes[1] ** 2 * vb}
        rows.append(row)
    return rows


def betting():
    """confseq.betting.hedged_cs, with its running intersection. (Before the first score it has no answer: nothing is
    refuted then. `huge` is a long stream: the same scores 2,000 times over.)"""
    random = np.random.default_rng(11)
    rows = [{"edge": "none", "scores": [], "repeat": 1, "alpha": 0.05, "steps": 100, "looks": [0], "low": [0], "high": [1]}]
    for kind, draw in [
        ("ordinary", random.beta(9, 1, 200)), ("ordinary", random.uniform(0, 1, 300)), ("ordinary", (random.uniform(0, 1, 100) < 0.3) * 1.0),
        ("one", np.array([0.4])), ("equal", np.full(100, 0.6)), ("zero", np.zeros(100)), ("huge", random.beta(2, 1, 10)),
    ]:
        each, repeat = np.round(draw, 3), 2000 if kind == "huge" else 1
        scores = np.tile(each, repeat)
        for alpha, steps in [(0.05, 100), (0.001, 400)]:
            low, high = confseq_betting.hedged_cs(scores, alpha=alpha, breaks=steps, running_intersection=True)
            looks = sorted({min(look, len(scores)) for look in [1, 2, 5, 20, len(scores)]})
            rows.append({"edge": kind, "scores": each.tolist(), "repeat": repeat, "alpha": alpha, "steps": steps, "looks": looks,
                         "low": [low[look - 1] for look in looks], "high": [high[look - 1] for look in looks]})
    return rows


def clusters():
    """SciPy: the differences are looked for by brentq, and what scatters is added up bucket by bucket for each of them."""
    random = np.random.default_rng(5)
    rows = []

    def drawn(buckets, epochs, share, most):
        found = []
        for bucket in range(buckets):
            luck = random.uniform(0, 0.3)
            for epoch in range(epochs):
                counts = [int(random.integers(0, most)) * int(random.uniform() < part) for part in (1 - share, share)]
                failed = [int(random.binomial(count, luck)) for count in counts]
                found.append([bucket, epoch, failed[0], counts[0], failed[1], counts[1]])
        return found

    even = [[bucket, 0, 3, 50, 0, 0] if bucket % 2 else [bucket, 0, 0, 0, 3, 50] for bucket in range(300)]
    for edge, given, alpha, target in [
        ("none", [], 0.05, 1000),
        ("one", [[0, 0, 1, 1, 0, 1]], 0.05, 1000),
        ("equal", even, 0.05, 20_000),
        ("zero", [[bucket, 0, 0, 20, 0, 20] for bucket in range(50)], 0.05, 1000),
        ("huge", [[row[0], row[1]] + [count * 10**10 for count in row[2:]] for row in drawn(400, 1, 0.5, 100)], 0.05, 500),
        ("ordinary", drawn(100, 1, 0.5, 30), 0.05, 1_000),
        ("ordinary", drawn(150, 2, 0.3, 30), 0.01, 2_000),
        ("ordinary", drawn(300, 3, 0.1, 30), 0.05, 1_000),
    ]:
        low, high = -math.inf, math.inf
        table = np.array(given, dtype=float).reshape(-1, 6)
        sums = {epoch: table[table[:, 1] == epoch].sum(axis=0)[2:] for epoch in set(table[:, 1])}
        failed = sum(f + g for f, _, g, _ in sums.values())
        requests = sum(n + m for _, n, _, m in sums.values())
        if 0 < failed < requests:
            part = {epoch: (n + m) / requests for epoch, (_, n, _, m) in sums.items()}
            rates = {epoch: (f / n, g / m) for epoch, (f, n, g, m) in sums.items()}
            share = sum(m for *_, m in sums.values()) / requests
            found = sum(part[epoch] * (rates[epoch][1] - rates[epoch][0]) for epoch in sums)

            def variance(difference, spread_over_both):
                buckets = {}
                for bucket, epoch, f, n, g, m in table:
                    _, all_first, _, all_second = sums[epoch]
                    second_part = all_second / (all_first + all_second)
                    less = found - difference
                    over = f - n * (rates[epoch][0] + second_part * less), g - m * (rates[epoch][1] - (1 - second_part) * less)
                    as_first = [part[epoch] * o / all_first for o in over]
                    as_second = [part[epoch] * o / all_second for o in over]
                    kept = buckets.setdefault(bucket, np.zeros(4))
                    kept += np.array(as_first + as_second)
                kept = np.array(list(buckets.values()))
                if spread_over_both:
                    return (1 - share) * (kept[:, :2] ** 2).sum() + share * (kept[:, 2:] ** 2).sum()
                return ((kept[:, 3] - kept[:, 0]) ** 2).sum()

            largest = max(variance(found, False), variance(found, True))
            rate = failed / requests
            if largest > 0:
                sharpest = float(-mpmath.lambertw(-mpmath.mpf("0.05") ** 2 / mpmath.e, -1).real - 1)
                spread = sharpest * 2 * rate * (1 - rate) / target / largest
                boundary = 2 * (1 + 1 / spread) * (0.5 * math.log1p(spread) - math.log(alpha))
                ends = []
                for both in (False, True):
                    beyond = lambda d: (d - found) ** 2 - boundary * variance(d, both)
                    for sign in (-1, 1):
                        far = found + sign * 1e6
                        end = optimize.brentq(beyond, found, far, xtol=1e-15, rtol=1e-14) if beyond(far) > 0 else sign * math.inf
                        ends.append(end)
                low, high = min(ends), max(ends)
        rows.append({"edge": edge, "clusters": given, "alpha": alpha, "target": target, "low": exact(low), "high": exact(high)})
    return rows


SECTIONS = [
    sample_ratio, rates, rate_ratio, rate, rate_difference, pairs,
    quantile, two_quantiles, quantile_region, means, estimates, betting, clusters,
]

if __name__ == "__main__":
    sections = []
    for section in SECTIONS:
        rows = ",\n".join("  " + json.dumps(row, separators=(",", ":")) for row in section())
        sections.append(f'"{section.__name__}":[\n{rows}\n]')
    print("{\n" + ",\n".join(sections) + "\n}")
