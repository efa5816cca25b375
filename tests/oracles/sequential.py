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

mpmath.mp.dps = 50


def exact(number):
    """A number as JSON holds it; infinities by name."""
    number = float(number)
    return number if math.isfinite(number) else ("inf" if number > 0 else "-inf")


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
            rows.append({"counts": counts, "shares": weights, "concentration": concentration, "ln": exact(ln)})
    return rows


SECTIONS = [sample_ratio]

if __name__ == "__main__":
    sections = []
    for section in SECTIONS:
        rows = ",\n".join("  " + json.dumps(row, separators=(",", ":")) for row in section())
        sections.append(f'"{section.__name__}":[\n{rows}\n]')
    print("{\n" + ",\n".join(sections) + "\n}")
