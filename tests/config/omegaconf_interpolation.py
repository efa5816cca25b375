"""Writes omegaconf_interpolation.json: what Python's omegaconf makes of references and missing values.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install omegaconf==2.4.0
    /tmp/venv/bin/python tests/config/omegaconf_interpolation.py

Each case is a document, the path that is read, and either the value there or the kind of error.
"""

import json
import math
import os
import pathlib
import warnings

import omegaconf
from omegaconf import OmegaConf

warnings.simplefilter("ignore")
ENV = {"REGION": "eu", "PORT": "8080", "LIST": "[1, a]", "TEMPLATE": "${a}"}
for name in ("NOT_SET",):
    os.environ.pop(name, None)
os.environ.update(ENV)
OmegaConf.register_new_resolver("list", lambda *arguments: list(arguments))

BASE = {
    "a": 1,
    "b": {"c": 2, "d": [10, 20, {"e": 5}]},
    "key": "c",
    "path": "b.c",
    "n": None,
    "t": True,
    "f": 1.5,
    "m": "???",
    "dot.key": 7,
    "2": "two",
    "odd": {"$x": 3, "a-b": 4},
}

# Read at `v`, beside BASE.
TEXTS = [
    # References.
    "${a}", "${b.c}", "${b.d[0]}", "${b.d.1}", "${b.d[2].e}", "${b.d[-1]}", "${b[c]}", "${[b][c]}",
    "${[b].c}", "${b}", "${b.d}", "${n}", "${t}", "${f}", "${2}", "${odd.$x}", "${odd.a-b}",
    "${dot\\.key}", "${ a }", "${ b.c }", "${b.${key}}", "${b[${key}]}", "${${path}}",
    "${${key}}", "${.a}", "${.b.c}", "${.${key}}",
    # In the middle of a text.
    "x${a}y", "${a}${f}", "${b.c}:${a}", "{${a}}", "${a}}", "$${a}", "${key} and ${path}", "x ${t}",
    "x ${n}", "x ${b}", "x ${b.d}",
    # Escapes.
    "\\${a}", "\\\\${a}", "\\\\\\${a}", "\\\\\\\\${a}", "x\\y", "x\\\\y", "$a", "$", "a}", "\\$",
    # Mistakes.
    "${", "${a", "${}", "${.}", "${nope}", "${b.nope}", "${a.b}", "${b.d[9]}", "${b.d.x}", "${..a}",
    "${b..c}", "${b.c.}", "${b.d[0}", "${b.d[0]x}", "${b . c}", "${k b}", "${v}", "x${v}",
    "${nope:1}", "${b:}", "${list:'a}", "${list:[1}", "${a:b",
    # Missing.
    "???", "${m}", "x${m}", "${m.x}", "\\???",
    # Resolvers and their arguments.
    "${oc.env:REGION}", "${oc.env:PORT}", "${oc.env:NOT_SET}", "${oc.env:NOT_SET,x}",
    "${oc.env:NOT_SET,5}", "${oc.env:NOT_SET,null}", "${oc.env:NOT_SET,''}",
    "${oc.env:NOT_SET,'a, b'}", "${oc.env:NOT_SET,${a}}", "${oc.env:NOT_SET,a b}",
    "${oc.env:TEMPLATE}", "${oc.env:NOT_SET,???}", "${oc.env:}", "${oc.env:A,B,C}",
    "${oc.decode:${oc.env:PORT}}", "${oc.decode:${oc.env:LIST}}", "${oc.decode:'{a: 1}'}",
    "${oc.decode:null}", "${oc.decode:'1e3'}", "${oc.decode:'${a}'}", "${oc.decode:${oc.env:TEMPLATE}}",
    "${oc.decode:1}", "${oc.select:b.c}", "${oc.select:nope}", "${oc.select:nope,9}",
    "${oc.select:m,9}", "${oc.select:n,9}", "${oc.select:b}", "${oc.dict.keys:b}",
    "${oc.dict.values:b}", "${oc.dict.keys:a}", "${oc.dict.keys:nope}", "${oc.create:{x:1}}",
    "${oc.create:[1,2]}",
    "${list:1,2.5,true,null,abc,'q',[1,x],{a:1,b:[2]}}", "${list:}", "${list:  }", "${list: a , b }",
    "${list:a b c}", "${list:a\\,b}", "${list:a:b}", "${list:a/b.c}", "${list:a-b,-a,1a,1.2.3}",
    "${list:1e3,1_000,-5,+5,.5,0x1F,007}", "${list:TRUE,True,NULL}", "${list:inf}",
    "${list:'it\\'s'}", "${list:\"a b\"}", "${list:'a\\\\b'}", "${list:'a\\b'}", "${list:'a\\\\'}",
    "${list:'${a}'}", "${list:'x${a}y'}", "${list:'\\${a}'}", "${list:'\\\\${a}'}", "${list:x${a}y}",
    "${list:${b}}", "${list:${a},${f}}", "${list:\\ a}", "${list:\\(a\\)}", "${list:a\\\\b}",
    "${list:a\\b}", "${list: 'a' }", "${list:'a'b}", "${list:a'b}", "${list:,}", "${list:1,}",
    "${list:[1,,2]}", "${list:{a:1,}}", "${list:{1:a,true:b}}", "${list:a=b}", "${list:(a)}",
    "${list:ü}", "${list:'ü'}", "${list:???}", "${list:[]}", "${list:{}}", "${list:[[1],[2,[3]]]}",
]

# Whole documents, each read at a path.
DOCUMENTS = [
    ({"a": "${b}", "b": "${c}", "c": 3}, "a"),
    ({"a": "${b.x}", "b": "${c}", "c": {"x": 4}}, "a"),
    ({"a": "${b}", "b": "${a}"}, "a"),
    ({"a": {"x": "${b.y}"}, "b": {"y": "${a.x}"}}, "a.x"),
    ({"a": {"x": "${a.y}", "y": 1}}, "a.x"),
    ({"a": {"x": "${a}"}}, "a.x.x"),
    ({"a": {"x": "${.y}", "y": 1}}, "a.x"),
    ({"a": {"x": "${..y}"}, "y": 2}, "a.x"),
    ({"a": {"b": {"x": "${...y}"}}, "y": 2}, "a.b.x"),
    ({"a": {"l": ["${..y}", "${.2}", 5], "y": 2}}, "a.l"),
    ({"a": {"x": "${.y}", "y": 1}, "b": "${a}"}, "b"),
    ({"a": {"x": "${.y}", "y": 1}, "b": "${a}"}, "b.x"),
    ({"a": {"x": "${..z}"}, "z": 1, "deep": {"b": "${a}", "z": 2}}, "deep.b"),
    ({"a": {"x": "???"}, "b": "${a.x}"}, "b"),
    ({"a": "???", "b": "${a}", "c": "${b}"}, "c"),
    ({"a": "x", "b": "${a}", "c": "${b}-${a}"}, "c"),
    ({"models": {"s": {"n": 1}, "l": {"n": 2}}, "size": "l", "n": "${models.${size}.n}"}, "n"),
    ({"l": [{"n": 1}, {"n": "${l[0].n}"}]}, "l"),
    ({"l": ["${m}"], "m": {"k": "${l2}"}, "l2": [1, 2]}, "l"),
    ({"a": "${list:${b},'${c}'}", "b": 1, "c": 2}, "a"),
    ({"a": {"x": 1}, "b": {"y": "${oc.select:..a.x}"}}, "b.y"),
    ({"a": {"x": "${oc.dict.values:b}"}, "b": {"p": "${q}", "r": 2}, "q": 1}, "a.x"),
]


def plain(value):
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def finite(value):
    """JSON has no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [finite(item) for item in value]
    return value


def read(document, path):
    try:
        config = OmegaConf.create(document)
        value = config
        for key in path.split("."):
            value = value[int(key) if key.isdigit() and OmegaConf.is_list(value) else key]
        return {"value": finite(plain(value))}
    except Exception as error:  # noqa: BLE001: the kind of error is the result
        return {"error": type(error).__name__}


cases = [
    {"document": {**BASE, "v": text}, "path": "v", **read({**BASE, "v": text}, "v")} for text in TEXTS
]
cases += [{"document": document, "path": path, **read(document, path)} for document, path in DOCUMENTS]
table = {"omegaconf": omegaconf.__version__, "env": ENV, "base": BASE, "cases": []}
for case in cases:
    if case["path"] == "v":
        case = {"text": case["document"]["v"], **{k: case[k] for k in ("value", "error") if k in case}}
    table["cases"].append(case)
lines = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in table.pop("cases"))
head = json.dumps(table, ensure_ascii=False, indent=2).removesuffix("\n}")
out = pathlib.Path(__file__).with_name("omegaconf_interpolation.json")
out.write_text(head + ',\n  "cases": [\n' + lines + "\n  ]\n}\n", encoding="utf-8")
print(len(cases), "cases")
