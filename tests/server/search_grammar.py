"""What MLflow's own parser makes of filters and orders.

Writes search_grammar.json beside this file; run it with the Python of an MLflow installation:

    python tests/server/search_grammar.py

Each production of the grammar has its cases; what is not a filter has the word "error".
"""

import json
import pathlib

from mlflow.store.tracking.sqlalchemy_store import _get_search_experiments_filter_clauses
from mlflow.utils.search_utils import SearchExperimentsUtils, SearchUtils

# `~` stands for a single quote, `^` for a double one, and ` | ` stands between cases.
RUNS = r"""
metrics.a > 1 | metric.a>=1.5 | metrics.a = -1 | metrics.a = 1e5 | metrics.a = 1.5e-3 | metrics.a = .5
metrics.a = 5. | metrics.a = +5 | metrics.a = 1e+5 | metrics.a = 0x10 | metrics.a = ~x~ | metrics.a LIKE 1
metrics.a = NaN | metrics.a > 1a | metrics.a > - 1 | metrics.a > --1 | metrics.a > 1.5.5 | metrics.a > -.5
metrics.a > 99999999999999999999 | metrics.a = 0 | metrics.a > -1e-3 | metrics.a > 1e | metrics.a > . | metrics.a > -
metrics.a == 1 | metrics.a <> 1 | metrics.a !== 1 | metrics.a => 1 | metrics.a < 1
metrics.a <= 1 | metrics.a != 1 | metrics.a BETWEEN 1 AND 2 | metrics.a > * | metrics.a IN (1)
metrics.a > 1 AND metrics.a < 2 AND metrics.b = 3 | metrics.a > 1 metrics.b > 2 |   metrics.a > 1   
metrics.a IS NULL | metrics.a IS NOT NULL | attributes.status IS NULL | dataset.name IS NULL
metrics.a.b = 1 | metrics.a-b = 1 | metrics.a/b = 1 | metrics.`a/b` = 1 | metrics.^a b^ = 1 | metrics.~a b~ = 1
metrics.1 = 1 | metrics.1a = 1 | metrics.a1 = 1 | metrics.é = 1 | metrics.order = 1 | metrics.select = 1
metrics.count = 1 | metrics.in = 1 | metrics.and = 1 | metrics.`a-b` >= 2 | metrics.a:b = 1 | metrics.`a:b` = 1
params.a = ~b~ | param.a = ^b^ | parameter.a = ~b~ | parameters.a != ~b~ | params.a = b | params.a = 1
params.a LIKE ~%b%~ | params.a like ~b~ | params.a iLike ~b~ | params.a ILIKE ^b^ | params.a NOT LIKE ~b~
params.a RLIKE ~b~ | params.a > ~b~ | params.a IN (~b~) | params.a NOT IN (~b~) | params.a = NULL | params.a = TRUE
params.a IS NULL | params.a is null | params.a IS NOT NULL | params.a is not null | params.a IS  NULL
params.a is  not  null | params.a IS | params.a IS NOT | params.a NOT NULL | params.a IS NULL AND tags.b IS NOT NULL
tags.a = ~it~~s~ | tags.a = ~it\~s~ | tags.a = ^it~s^ | tags.a = ^say ^^x^^^ | tags.a = ~~ | tags.a = ^^
tags.a = ~a AND b~ | tags.a = ~a\\~ | tags.a = ~\~ | tags.a = ~ünï~ | tags.a = ~a	b~ | tags.a = ~%~
tags.a = ~b~ AND params.c = ~d~ | tags.a = ~b~ and params.c = ~d~ | tags.a = ~b~AND params.c=~d~
tags.a = ~b~ OR params.c = ~d~ | tags.a = ~b~ AND | AND tags.a = ~b~ | tags.a = ~b~ AND AND tags.c = ~d~
tags.a = ~b~ tags.c = ~d~ | tags.a = ~b~, tags.c = ~d~ | (tags.a = ~b~) | NOT tags.a = ~b~ | tags.a = ~b~;
tags.a = ~b~; tags.c = ~d~ | tags.a = ~b~ -- c | tags.a = ~b~ # c | tags.a /* x */ = ~b~ | tags.a = `b`
tags.a | tags.a = | = ~b~ | ~b~ = tags.a | tags.a = tags.b | 5 = tags.a | tags.a tags.b | tags.a ~b~
tags.mlflow.user = ~x~ | tags.`mlflow.user` = ~x~ | tag.`a` = ~x~ | tags.^a^ = ~x~ | `tags`.a = ~x~ | `tags.a` = ~x~
^tags^.a = ~x~ | ^tags.a^ = ~x~ | tags.a b = ~x~ | tags .a = ~x~ | tags. a = ~x~ | foo.a = ~x~ | Tags.a = ~x~
TAGS.a = ~x~ | tags.a	=	~x~ | tags.`a b` LIKE ~%x%~ | tags.a~b = ~x~ | tags.a`b` = ~x~
params.a = ~b | params.a = ^b | params.`a = ~b~ | params.`a``b` = ~x~ | params.`` = ~x~ | params. = ~x~ | .a = ~x~
params.a.b.c = ~x~ | params.a..b = ~x~ | params.model/depth = ~x~ | params.a:b = ~x~ | params.`a:b` = ~x~
params.name = ~x~ | params.type = ~x~ | params.user = ~x~ | params.date = ~x~ | params.timestamp = ~x~
params.values = ~x~ | params.end = ~x~ | params.case = ~x~ | params._a = ~x~ | params.a$b = ~x~ | params.@a = ~x~
params.a@b = ~x~ | params.group by = ~x~ | params.a = ~x~ LIMIT 1 | params.a = ~x~ ORDER BY params.a
status = ~RUNNING~ | attribute.status = ~RUNNING~ | attr.status != ^RUNNING^ | run.status = ~x~ | run.run_id = ~x~
attributes.status > ~x~ | attributes.foo = ~x~ | foo = ~x~ | attributes.`status` = ~x~ | `status` = ~x~ | status LIKE ~F%~
start_time > 5 | attributes.start_time > 5 | attributes.start_time > 5.5 | attributes.start_time = ~5~
start_time LIKE 5 | start_time IN (5) | end_time != 0 | created > 1 | Created > 1 | attributes.created > 1
run_id = ~abc~ | run_id IN (~a~, ~b~) | run_id in (~a~) | run_id NOT IN (~a~,~b~) | run_id not in (^a^,^b^)
run_id IN (~a~,) | run_id IN () | run_id IN (1) | run_id IN (~a~, 1) | run_id IN (a) | run_id IN (~a~ ~b~)
run_id IN (^it~s^) | run_id IN (~it\~s~) | run_id IN (~it~~s~) | run_id IN (~a\nb~) | run_id IN ~a~ | run_id IN (~a~
run_id IN (~a~) AND metrics.x > 1 | metrics.x > 1 AND run_id IN (~a~) | attributes.run_id IN (~a~) | run_id IN (,~a~)
attributes.status IN (~a~) | run_id LIKE ~a%~ | run_id IN(~a~) | run_id IN (~a~,~b~) AND run_id NOT IN (~c~)
run_name = ~x~ | attributes.run_name = ~x~ | attributes.`run name` = ~x~ | attributes.^Run name^ = ~x~ | `run name` = ~x~
`Run Name` = ~x~ | run_name ILIKE ~x~ | user_id = ~x~ | artifact_uri LIKE ~x%~ | lifecycle_stage = ~active~
experiment_id = ~1~ | name = ~x~ | timestamp > 1
dataset.name = ~x~ | datasets.name = ~x~ | dataset.digest LIKE ~x~ | dataset.context = ~train~ | dataset.context ILIKE ~T%~
dataset.name IN (~a~,~b~) | dataset.name NOT IN (~a~,~b~) | dataset.foo = ~x~ | dataset.name > ~x~ | dataset.name = 1
% | * | ( | SELECT 1 | ; | ~ | ~~ | ^^ | ` | , | () | a | 1 | = | AND | AND AND
"""

RUN_ORDERS = r"""
metrics.a | metrics.a DESC | metrics.a asc | params.`a b` desc | params.^a b^ desc | metric.a  DESC | start_time
attribute.start_time DESC | attributes.Created | created desc | Created | timestamp | timestamp desc | run_id | run name
`run name` | foo | foo.bar | metrics.a b | metrics.a DESC x | metrics.a, metrics.b | metrics.a desc nulls last
dataset.foo | tags.mlflow.user DESC | status | attributes.end_time asc | DESC | metrics.a-b | metrics.`a/b` | metrics.a/b
-metrics.a | metrics.a; | ~x~ | metrics.~a b~ desc | lifecycle_stage | experiment_id | metrics.`it~s` | user_id | name
metrics.order | artifact_uri | run_name desc | attr.status | parameters.a DESC | tag.a | metrics.a DESC DESC
"""

EXPERIMENTS = r"""
name = ~x~ | name LIKE ~x%~ | name ILIKE ~x~ | attribute.name != ~x~ | attributes.name = ~x~ | attr.name = ~x~
tags.a = ~x~ | tag.a = ~x~ | tags.`a b` LIKE ~x~ | tags.a IS NULL | tags.a is not null | name IS NULL
creation_time > 1 | last_update_time <= 5 | creation_time = 1.5 | creation_time > ~x~ | creation_time LIKE 1
experiment_id = ~1~ | experiment_id != ~1~ | experiment_id IN (~1~,~2~) | experiment_id NOT IN (~1~) | experiment_id = 1
experiment_id IN (1) | experiment_id LIKE ~1~ | experiment_id = ~x~ | experiment_id > ~1~ | name IN (~a~) | foo = ~x~
metrics.a > 1 | params.a = ~x~ | name > ~x~ | name = ~x~ AND tags.a = ~b~ | name = x | tags.a IN (~b~) | tags.a > ~x~
lifecycle_stage = ~active~ | name = ~x~ OR name = ~y~ | tags.a != ~x~ AND tags.a ILIKE ~y~
"""

EXPERIMENT_ORDERS = r"""
name | name DESC | experiment_id | creation_time asc | last_update_time desc | foo | tags.a | attribute.name | metrics.a
"""


def cases(text):
    for line in text.strip("\n").split("\n"):
        for case in line.split(" | "):
            yield case.replace("~", "'").replace("^", '"')


def attempt(read, case):
    try:
        return read(case)
    except Exception:
        return "error"


def run_filter(text):
    clauses = []
    for clause in SearchUtils.parse_search_filter(text):
        kind, key = clause["type"], SearchUtils.translate_key_alias(clause["key"])
        comparator, value = clause["comparator"].upper(), clause["value"]
        # The store asks these, which refuse comparators; a tuple is for IN alone.
        assert (
            SearchUtils.is_attribute(kind, key, comparator)
            or SearchUtils.is_metric(kind, comparator)
            or SearchUtils.is_param(kind, comparator)
            or SearchUtils.is_tag(kind, comparator)
            or SearchUtils.is_dataset(kind, comparator)
        )
        assert isinstance(value, tuple) == (comparator in ("IN", "NOT IN"))
        if kind == "metric" or key in ("start_time", "end_time"):
            value = float(value)
        clauses.append([kind, key, comparator, value])
    return clauses


def run_order(text):
    kind, key, ascending = SearchUtils.parse_order_by_for_search_runs(text)
    return [kind, SearchUtils.translate_key_alias(key), ascending]


def experiment_filter(text):
    parsed = SearchExperimentsUtils.parse_search_filter(text)
    _get_search_experiments_filter_clauses(parsed, "sqlite")
    return [[c["type"], c["key"], c["comparator"], c["value"]] for c in parsed]


def experiment_order(text):
    kind, key, ascending = SearchExperimentsUtils.parse_order_by_for_search_experiments(text)
    assert kind == "attribute"
    return [key, ascending]


def table(text, read):
    return [[case, attempt(read, case)] for case in cases(text)]


tables = {
    "runs": table(RUNS, run_filter),
    "run_orders": table(RUN_ORDERS, run_order),
    "experiments": table(EXPERIMENTS, experiment_filter),
    "experiment_orders": table(EXPERIMENT_ORDERS, experiment_order),
}
lines = []
for name, rows in tables.items():
    rows = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in rows)
    lines.append(f"  {json.dumps(name)}: [\n{rows}\n  ]")
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
