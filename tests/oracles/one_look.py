"""Writes one_look.json: branches, and what scipy makes of them.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1
    venv/bin/python one_look.py > one_look.json

Of each side: whether each branch failed, how many ms it took, and what was said of it. tests/report/fixed.rs records
them, and asks the store.
"""

import json

from scipy import stats


def side(size, step, prime, slower, failing):
    places = [(n * step) % prime / prime for n in range(size)]
    return {
        "failed": [n % failing == failing - 1 for n in range(size)],
        "ms": [round(8 + slower + 5 * place + (40 if n % 50 == 7 else 0), 3) for n, place in enumerate(places)],
        "score": [round(place**2 + 0.02 * slower, 4) for place in places],
    }


def welch(treatment, control):
    test = stats.ttest_ind(treatment, control, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return {"p": test.pvalue, "low": low, "high": high}


def apart(control, treatment):
    table = [[sum(one["failed"]), len(one["failed"]) - sum(one["failed"])] for one in (treatment, control)]
    ns = [[ms * 1e6 for ms in one["ms"]] for one in (treatment, control)]
    p = [stats.fisher_exact(table)[1], welch(treatment["score"], control["score"])["p"]]
    return {
        "fisher": p[0],
        "score": welch(treatment["score"], control["score"]),
        "score_ranks": stats.mannwhitneyu(treatment["score"], control["score"], method="asymptotic").pvalue,
        "benjamini_hochberg": list(stats.false_discovery_control(p)),
        "duration": welch(*ns),
        "duration_ranks": stats.mannwhitneyu(*ns, method="asymptotic").pvalue,
        "shift": sorted(a - b for a in ns[0] for b in ns[1])[len(ns[0]) * len(ns[1]) // 2],
    }


def paired(control, treatment):
    both = list(zip(control["failed"], treatment["failed"]))
    only = [sum(b and not a for a, b in both), sum(a and not b for a, b in both)]
    score = stats.ttest_rel(treatment["score"], control["score"])
    low, high = score.confidence_interval(0.95)
    return {
        "mcnemar": stats.binomtest(only[0], sum(only)).pvalue,
        "score": {"p": score.pvalue, "low": low, "high": high},
    }


one, other = side(121, 37, 101, 0.0, 100), side(133, 53, 103, 0.6, 16)
same = [side(120, 37, 101, 0.0, 30), side(120, 53, 103, 0.6, 17)]
print(
    json.dumps(
        {
            "apart": {"given": [one, other], "expected": apart(one, other)},
            "paired": {"given": same, "expected": paired(*same)},
        },
        separators=(",", ":"),
    )
)
