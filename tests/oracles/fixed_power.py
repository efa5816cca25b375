"""Power and sample sizes, from statsmodels."""

import math

from scipy import optimize, stats
from statsmodels.stats import proportion
from statsmodels.stats.power import TTestIndPower
from fixed_table import NOTHING, case, number


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
