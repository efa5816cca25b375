"""Writes omegaconf.json: what Python's omegaconf makes of the cases below.

    python3 -m venv /tmp/omegaconf && /tmp/omegaconf/bin/pip install omegaconf==2.4.0
    /tmp/omegaconf/bin/python tests/config/omegaconf.py

A case is (name, operation, inputs…):
    merge    base, over, …      OmegaConf.merge of values
    dotlist  base, override, …  the overrides applied to a value
    yaml     text               the value of a YAML text
    select   base, path         the value at a path; null if there is none
    update   base, path, value  OmegaConf.update: a map is merged
"""

import json
import math
import pathlib
import sys

sys.path.pop(0)  # this file is called like the package

import omegaconf
from omegaconf import OmegaConf

CASES = [
    # Merging.
    ("maps are merged at any depth", "merge", {"a": {"b": {"x": 1}}}, {"a": {"b": {"y": 2}, "c": 3}}),
    ("the later leaf wins", "merge", {"a": 1, "b": 1}, {"a": 2}),
    ("the last of three wins", "merge", {"a": 1}, {"a": 2}, {"a": 3}),
    ("lists replace", "merge", {"a": [1, 2, 3]}, {"a": [4]}),
    ("an empty list replaces", "merge", {"a": [1]}, {"a": []}),
    ("an empty map changes nothing", "merge", {"a": {"b": 1}}, {"a": {}}),
    ("maps in lists are not merged", "merge", {"a": [{"x": 1}]}, {"a": [{"y": 2}]}),
    ("null clears a leaf", "merge", {"a": 1}, {"a": None}),
    ("null clears a map", "merge", {"a": {"b": 1}}, {"a": None}),
    ("null clears a list", "merge", {"a": [1]}, {"a": None}),
    ("a map stands where null stood", "merge", {"a": None}, {"a": {"b": 1}}),
    ("a list stands where null stood", "merge", {"a": None}, {"a": [1]}),
    ("clearing and then a map", "merge", {"a": {"b": 1}}, {"a": None}, {"a": {"c": 2}}),
    ("a leaf replaces a map", "merge", {"a": {"b": 1}}, {"a": 5}),
    ("a map replaces a leaf", "merge", {"a": 5}, {"a": {"b": 1}}),
    ("a leaf replaces a list", "merge", {"a": [1]}, {"a": 5}),
    ("a list replaces a leaf", "merge", {"a": 5}, {"a": [1]}),
    ("a map over a list", "merge", {"a": [1]}, {"a": {"b": 1}}),
    ("a list over a map", "merge", {"a": {"b": 1}}, {"a": [1]}),
    ("a list over the whole", "merge", {"a": 1}, [1]),
    ("lists as wholes replace", "merge", [1, 2], [3]),
    ("missing replaces no leaf", "merge", {"a": 1}, {"a": "???"}),
    ("missing replaces no map", "merge", {"a": {"b": 1}}, {"a": "???"}),
    ("missing stays where nothing was", "merge", {}, {"a": "???"}),
    ("a leaf fills what is missing", "merge", {"a": "???"}, {"a": 1}),
    ("a number replaces a text", "merge", {"a": "x"}, {"a": 1.5}),
    ("a reference is kept as text", "merge", {"a": 1, "b": "${a}"}, {"a": 2}),
    ("a leaf replaces a reference", "merge", {"a": 1, "b": "${a}"}, {"b": 5}),
    ("a map over a reference to a map", "merge", {"a": {"x": 1}, "b": "${a}"}, {"b": {"y": 2}}),
    # Overrides.
    ("override: a leaf", "dotlist", {"a": 1}, "a=2"),
    ("override: a new key", "dotlist", {}, "a=1"),
    ("override: maps on the way are made", "dotlist", {}, "a.b.c=1"),
    ("override: the last one wins", "dotlist", {}, "a=1", "a=2"),
    ("override: nothing is null", "dotlist", {"a": 1}, "a="),
    ("override: null", "dotlist", {"a": 1}, "a=null"),
    ("override: tilde is null", "dotlist", {"a": 1}, "a=~"),
    ("override: an empty text", "dotlist", {}, "a=''"),
    ("override: no equals sign", "dotlist", {}, "a"),
    ("override: an integer", "dotlist", {}, "a=42"),
    ("override: a negative integer", "dotlist", {}, "a=-1"),
    ("override: 1e-3", "dotlist", {}, "a=1e-3"),
    ("override: 1e3", "dotlist", {}, "a=1e3"),
    ("override: a point first", "dotlist", {}, "a=.5"),
    ("override: a point last", "dotlist", {}, "a=1."),
    ("override: hexadecimal", "dotlist", {}, "a=0x1F"),
    ("override: a leading zero", "dotlist", {}, "a=010"),
    ("override: underscores", "dotlist", {}, "a=1_000"),
    ("override: beyond 64 bits", "dotlist", {}, "a=18446744073709551616"),
    ("override: infinity", "dotlist", {}, "a=.inf"),
    ("override: true", "dotlist", {}, "a=true"),
    ("override: True", "dotlist", {}, "a=True"),
    ("override: yes", "dotlist", {}, "a=yes"),
    ("override: off", "dotlist", {}, "a=off"),
    ("override: sexagesimal", "dotlist", {}, "a=12:30"),
    ("override: a date", "dotlist", {}, "a=2026-01-02"),
    ("override: a bare text", "dotlist", {}, "a=small-v2"),
    ("override: a text with blanks", "dotlist", {}, "a=hello world"),
    ("override: blanks around a value", "dotlist", {}, "a= 1 "),
    ("override: a blank in front of the sign", "dotlist", {}, "a =1"),
    ("override: an equals sign in the value", "dotlist", {}, "a=b=c"),
    ("override: an address", "dotlist", {}, "a=http://127.0.0.1:9001/x"),
    ("override: a colon and a blank", "dotlist", {}, "a=x: y"),
    ("override: a number sign", "dotlist", {}, "a=x #y"),
    ("override: a dash and a blank", "dotlist", {}, "a=- 1"),
    ("override: a number in quotes", "dotlist", {}, "a='010'"),
    ("override: double quotes", "dotlist", {}, 'a="x\\ty"'),
    ("override: a quote in single quotes", "dotlist", {}, "a='it''s'"),
    ("override: a list", "dotlist", {}, "a=[1, two, 'th,ree', null]"),
    ("override: a list without blanks", "dotlist", {}, "a=[1,2]"),
    ("override: an empty list", "dotlist", {"a": [1]}, "a=[]"),
    ("override: a list replaces", "dotlist", {"a": [1, 2]}, "a=[3]"),
    ("override: a list in a list", "dotlist", {}, "a=[[1], [2, 3]]"),
    ("override: a map", "dotlist", {}, "a={x: 1, y: two}"),
    ("override: a map is merged", "dotlist", {"a": {"x": 1}}, "a={y: 2}"),
    ("override: a map without blanks", "dotlist", {}, "a={x:1}"),
    ("override: an item missing in a list", "dotlist", {}, "a=[1,,2]"),
    ("override: more after a quoted text", "dotlist", {}, "a='x' y"),
    ("override: an open list", "dotlist", {}, "a=[1"),
    ("override: an alias", "dotlist", {}, "a=*x"),
    ("override: an at sign", "dotlist", {}, "a=@x"),
    ("override: a tag", "dotlist", {}, "a=!!str 1"),
    ("override: an item of a list", "dotlist", {"a": [1, 2]}, "a[0]=5"),
    ("override: an item after a dot", "dotlist", {"a": [1, 2]}, "a.1=5"),
    ("override: inside an item", "dotlist", {"a": [{"b": 1}]}, "a[0].b=2"),
    ("override: beyond a list", "dotlist", {"a": [1, 2]}, "a[2]=5"),
    ("override: from the end of a list", "dotlist", {"a": [1, 2]}, "a[-1]=5"),
    ("override: a key in brackets", "dotlist", {}, "a[b]=1"),
    ("override: a digit as a key", "dotlist", {}, "a.1=x"),
    ("override: a dot in a key", "dotlist", {}, "a\\.b=1"),
    ("override: two dots", "dotlist", {}, "a..b=1"),
    ("override: no key", "dotlist", {}, "=1"),
    ("override: through a leaf", "dotlist", {"a": 1}, "a.b=2"),
    ("override: through null", "dotlist", {"a": None}, "a.b=1"),
    ("override: a leaf over a map", "dotlist", {"a": {"x": 1}}, "a=1"),
    ("override: a map over a list", "dotlist", {"a": [1]}, "a={x: 1}"),
    ("override: missing", "dotlist", {"a": 1}, "a=???"),
    ("override: a reference", "dotlist", {"b": 1}, "a=${b}"),
    ("override: a reference in a list", "dotlist", {"b": 1}, "a=[${b}]"),
    ("override: through a reference to a map", "dotlist", {"a": {"x": 1}, "b": "${a}"}, "b.x=2"),
    ("override: through a reference to a leaf", "dotlist", {"a": 1, "b": "${a}"}, "b.x=2"),
    ("override: through a reference to nothing", "dotlist", {"b": "${a}"}, "b.x=2"),
    ("override: a tilde in front", "dotlist", {"a": 1, "b": 2}, "~a"),
    ("override: a plus in front", "dotlist", {"b": 2}, "+a=1"),
    # The types of a YAML file.
    ("file: scalars", "yaml", "a: 1\nb: 1.5\nc: true\nd: x\ne: null\nf: ~\ng:\n"),
    ("file: exponents", "yaml", "a: 1e3\nb: 1e-3\nc: 1.5e+3\n"),
    ("file: a leading zero", "yaml", "a: 010"),
    ("file: underscores", "yaml", "a: 1_000"),
    ("file: octal with an o", "yaml", "a: 0o17"),
    ("file: yes and no", "yaml", "a: yes\nb: no"),
    ("file: numbers in quotes", "yaml", "a: '010'\nb: \"1\""),
    ("file: not finite", "yaml", "a: .nan"),
    ("file: a key twice", "yaml", "a: 1\na: 2"),
    ("file: an alias", "yaml", "a: &x { b: 1 }\nc: *x"),
    ("file: a merge key", "yaml", "x: &x { p: 1, q: 2 }\ny:\n  <<: *x\n  q: 3"),
    ("file: a list", "yaml", "- 1\n- [2, 3]\n"),
    ("file: nothing", "yaml", ""),
    ("file: a scalar alone", "yaml", "5"),
    ("file: a number as a key", "yaml", "1: x"),
    # Access and change.
    ("update: through a reference", "update", {"a": {"x": 1}, "b": "${a}"}, "b.y", 2),
    ("select: deep", "select", {"a": {"b": [1, {"c": 2}]}}, "a.b[1].c"),
    ("select: an item after a dot", "select", {"a": [1, 2]}, "a.1"),
    ("select: a key in brackets", "select", {"a": {"b": 1}}, "a[b]"),
    ("select: not there", "select", {"a": 1}, "b.c"),
    ("select: through a leaf", "select", {"a": 1}, "a.b"),
    ("select: through null", "select", {"a": None}, "a.b"),
    ("select: beyond a list", "select", {"a": [1]}, "a[5]"),
    ("select: from the end of a list", "select", {"a": [1, 2]}, "a[-1]"),
    ("select: the whole", "select", {"a": 1}, ""),
    ("update: a map is merged", "update", {"a": {"x": 1}}, "a", {"y": 2}),
    ("update: a list replaces", "update", {"a": [1]}, "a", [2]),
    ("update: maps on the way are made", "update", {}, "a.b", 1),
    ("update: through a leaf", "update", {"a": 1}, "a.b", 1),
    ("update: an item of a list", "update", {"a": [1, 2]}, "a[1]", {"z": 1}),
    ("update: a list over a map", "update", {"a": {"x": 1}}, "a", [1]),
]


def plain(value):
    """A value as JSON can say it."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=False)
    if isinstance(value, dict):
        return {key if isinstance(key, str) else f"<{key!r}>": plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return f"<{value}>"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return f"<{value}>"
    return value


def run(operation, inputs):
    if operation == "merge":
        return OmegaConf.merge(*[OmegaConf.create(value) for value in inputs])
    if operation == "yaml":
        return OmegaConf.create(inputs[0])
    config = OmegaConf.create(inputs[0])
    if operation == "select":
        return OmegaConf.select(config, inputs[1])
    if operation == "dotlist":
        config.merge_with_dotlist(list(inputs[1:]))
    else:
        OmegaConf.update(config, inputs[1], inputs[2])
    return config


def main():
    rows = []
    for name, operation, *inputs in CASES:
        row = {"name": name, "operation": operation, "inputs": inputs}
        try:
            row["result"] = plain(run(operation, inputs))
        except Exception as error:  # whatever it is, it is a refusal
            row["error"] = type(error).__name__
        rows.append(row)
    path = pathlib.Path(__file__).with_suffix(".json")
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f'{{"omegaconf": "{omegaconf.__version__}", "cases": [\n{lines}\n]}}\n')
    print(f"{len(rows)} cases -> {path}")


main()
