"""Reads metrics with Prometheus' own parser, and says what families there are."""

import json
import math
import sys

from prometheus_client.parser import text_string_to_metric_families

families = {}
series = set()
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    assert family.type in ("counter", "gauge", "histogram"), (family.name, family.type)
    # The parser takes the ending of counters off.
    name = family.name + ("_total" if family.type == "counter" else "")
    assert name not in families, f"{name} stands in two places"
    labels = []
    counts = {}
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        assert key not in series, f"{key} is there twice"
        series.add(key)
        own = {name: value for name, value in sample.labels.items() if name != "le"}
        labels.append(sorted(own))
        assert sample.value >= 0 and math.isfinite(sample.value), sample
        if family.type == "histogram":
            one = counts.setdefault(tuple(sorted(own.items())), {"buckets": []})
            if sample.name.endswith("_bucket"):
                one["buckets"].append((float(sample.labels["le"]), sample.value))
            else:
                one[sample.name.removeprefix(family.name)] = sample.value
        else:
            assert sample.name == name, sample
    for own, one in counts.items():
        buckets = one["buckets"]
        assert buckets == sorted(buckets), f"{name} {own}: not in order"
        assert [count for _, count in buckets] == sorted(count for _, count in buckets), own
        assert buckets[-1] == (math.inf, one["_count"]), f"{name} {own}: the last bucket is not all"
    assert all(names == labels[0] for names in labels), f"{name}: not all have the same labels"
    families[name] = {"type": family.type, "labels": labels[0] if labels else None}
json.dump(families, sys.stdout)
