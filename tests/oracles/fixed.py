"""Writes fixed.json: what scipy, statsmodels and gbstats make of the same data.

    python3.10 -m venv venv && venv/bin/pip install -r fixed_requirements.txt
    venv/bin/python fixed.py > fixed.json

A case has the class of its edge (tests/stats/fixed/oracle.rs lists them), what is given, and the
numbers that come out; null where there is no answer. A "tail" is far enough out that its p value
has no digits left if it is taken from 1.
"""

import json

import fixed_counts
import fixed_delta
import fixed_means
import fixed_power
import fixed_ranks
import fixed_resampling
import mpmath as mp
from fixed_table import CASES


def main():
    mp.mp.dps = 50
    fixed_means.welch()
    fixed_means.paired_t()
    fixed_delta.ratio()
    fixed_delta.lift()
    fixed_delta.cuped()
    fixed_counts.proportions()
    fixed_ranks.mann_whitney()
    fixed_resampling.permutation()
    fixed_resampling.bootstrap()
    fixed_counts.adjust()
    fixed_counts.sample_ratio()
    fixed_power.power()
    rows = ",\n".join(
        f'"{method}":[\n' + ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases) + "]"
        for method, cases in CASES.items()
    )
    print("{" + rows + "}")


main()
