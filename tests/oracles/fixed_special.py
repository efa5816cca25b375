"""Writes fixed_special.json: tails of distributions, from mpmath at 50 digits.

    python3.10 -m venv venv && venv/bin/pip install -r fixed_requirements.txt
    venv/bin/python fixed_special.py > fixed_special.json
"""

import json

import mpmath as mp

mp.mp.dps = 50


def t_upper(t, df):
    t, df = mp.mpf(t), mp.mpf(df)
    lower = mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t * t), regularized=True)
    return lower / 2


def chi_squared_upper(x, df):
    return mp.gammainc(mp.mpf(df) / 2, mp.mpf(x) / 2, regularized=True)


def non_central_t_upper(t, df, delta):
    t, df, delta = mp.mpf(t), mp.mpf(df), mp.mpf(delta)
    below_peak = lambda u: df * (u - (mp.exp(2 * u) - 1) / 2)
    edge = lambda side: mp.findroot(lambda u: below_peak(u) + 120, side)
    low = edge(-mp.sqrt(120 / df) - 120 / df)
    high = edge(mp.sqrt(120 / df) if df > 60 else mp.log(120 / df + 3) / 2)
    at = [low + (high - low) * k / 40 for k in range(41)]
    if delta > 10:
        # Where the normal chance turns, in pieces.
        turn = [mp.log(delta * (1 + k * mp.mpf(4) / delta) / t) for k in range(-2, 3)]
        at = sorted(at + [u for u in turn if low < u < high])
    weight = lambda u: mp.exp(below_peak(u))
    with_t = mp.quad(lambda u: weight(u) * mp.ncdf(delta - t * mp.exp(u)), at)
    return with_t / mp.quad(weight, at)


def main():
    table = {}

    def add(name, function, cases):
        table[name] = [[*case, float(function(*case))] for case in cases]

    add("normal_upper", lambda z: mp.ncdf(-z), [(z,) for z in (-8.0, -1.0, 0.0, 1e-9, 0.5, 1.0, 1.96, 3.0, 8.0, 15.0, 30.0, 37.0)])
    dfs = (0.3, 1.0, 1.5, 2.0, 3.7, 10.0, 29.0, 100.0, 1234.5, 1.9e4, 2e4, 1e5, 1e6, 1e8, 1e12)
    ts = (1e-8, 0.1, 0.7, 1.0, 1.2, 1.7, 1.8, 2.5, 5.0, 12.0, 30.0)
    add("t_upper", t_upper, [(t, df) for df in dfs for t in ts] + [(1e6, 1.0), (1e30, 3.0), (1e60, 4.5), (1e5, 60.0)])
    dfs = (1, 2, 3, 9, 29, 30, 31, 200, 5000)
    add("chi_squared_upper", chi_squared_upper, [(df * x, df) for df in dfs for x in (1e-3, 0.3, 0.9, 1.0, 1.1, 2.0, 6.0)] + [(900.0, 1), (900.0, 10), (1200.0, 60)])
    add("stirling_error", lambda x: mp.loggamma(x) - ((x - mp.mpf(1) / 2) * mp.log(x) - x + mp.log(2 * mp.pi) / 2), [(x,) for x in (0.5, 1.0, 2.5, 14.0, 15.0, 16.5, 100.0, 1e6)])
    add("non_central_t_upper", non_central_t_upper, [(t, df, d) for df in (1.0, 2.0, 8.0, 58.0, 1e3, 1e7) for t in (1.7, 2.1, 12.7) for d in (-1.0, 0.3, 2.8, 15.0)]
        + [(12.7, 1.0, 100.0), (100.0, 2.0, 80.0), (100.0, 7.0, 49.0), (3e3, 2.0, 2e3), (3e6, 2.0, 2e6), (3e6, 3.0, 10.0), (30.0, 200.0, 60.0), (60.0, 1e5, 60.1)])
    print(json.dumps(table, separators=(",", ":")))


main()
