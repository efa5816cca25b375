"""Runs that are searched: the grammar of filters by its productions, orders, views, pages."""

import math
import os
import random

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType


def _six_runs(steps, name):
    """Six runs that differ in all that can be searched."""
    client = steps.client
    experiment = client.create_experiment(name)
    for n in range(6):
        run = client.create_run(experiment, start_time=1000 + n * 10, run_name=f"run {n}").info.run_id
        metrics = [Metric("m", [0.5, 1.5, math.nan, math.inf, -math.inf, 2.0][n], 1000, 0)]
        params = [Param("n", str(n)), Param("a b", "x"), Param("Mixed", "Case")]
        tags = [RunTag("group", "even" if n % 2 == 0 else "odd"), RunTag("a.b", "dot"), RunTag("ключ", "🌿"), RunTag("mlflow.user", f"u{n % 3}")]
        if n == 3:
            metrics.append(Metric("only", 3.0, 1000, 0))
            params.append(Param("only", "3"))
            tags.append(RunTag("only", "3"))
        client.log_batch(run, metrics, params, tags)
        if n < 4:
            client.set_terminated(run, "FAILED" if n == 1 else "FINISHED", 5000 - n)
        if n == 5:
            client.delete_run(run)
    return experiment


def _names(client, experiment, *arguments, **keywords):
    return [run.info.run_name for run in client.search_runs([experiment], *arguments, **keywords)]


# One line for each production of the grammar, and for each way to miss it.
_FILTERS = """
metrics.m = 0.5
metrics.m != 0.5
metrics.m > 0.5
metrics.m >= 0.5
metrics.m < 1.5
metrics.m <= 1.5
metrics.m > -1e3
metrics.m > .1
metrics.m > 1.
metrics.m > 'a'
metrics.m > '1'
metrics.m LIKE '1'
metrics.m = NaN
metrics.m
metric.m > 1
metrics.`m` > 1
metrics."m" > 1
metrics.none > 1
metrics.m > 0.1 AND metrics.m < 2
metrics.m IS NULL
metrics.only IS NOT NULL
params.n = '1'
params.n = "1"
params.n != '1'
params.n = 1
params.n > '1'
params.n LIKE '%'
params.n like '1'
params.n ILIKE '1'
params.Mixed = 'Case'
params.Mixed = 'case'
params.mixed = 'Case'
params.Mixed LIKE 'case'
params.Mixed LIKE 'C_se'
params.Mixed ILIKE 'cA%'
params.`a b` = 'x'
params."a b" = 'x'
params.a b = 'x'
param.n = '1'
parameter.n = '1'
parameters.n = '1'
params.only = '3'
params.only != '3'
params.only IS NULL
params.only IS NOT NULL
params.n IN ('1', '2')
tags.group = 'even'
tags.group != 'even'
tags.group LIKE 'e%'
tags.group ILIKE 'E%'
tags.group > 'a'
tag.group = 'odd'
tags.a.b = 'dot'
tags.`a.b` = 'dot'
tags."a.b" = 'dot'
tags.`ключ` = '🌿'
tags.ключ = '🌿'
tags.only IS NULL
tags.only IS NOT NULL
tags.only is not null
tags.mlflow.user = 'u1'
tags.mlflow.runName = 'run 1'
tags.`mlflow.runName` LIKE 'run%'
tags.group = 'it''s'
tags.group = "it's"
attributes.status = 'FINISHED'
attributes.status = 'finished'
attributes.status != 'FINISHED'
attributes.status LIKE 'FIN%'
attribute.status = 'FAILED'
attr.status = 'RUNNING'
run.status = 'RUNNING'
status = 'FINISHED'
status = 'NONSENSE'
status > 'A'
attributes.run_name = 'run 1'
attributes.`run name` = 'run 1'
attributes.`Run name` = 'run 1'
attributes.run_name LIKE 'run%'
attributes.name = 'run 1'
run_name = 'run 1'
name ILIKE 'RUN 2'
attributes.start_time = 1010
attributes.start_time != 1010
attributes.start_time > 1010
attributes.start_time >= '1010'
attributes.start_time < 1010.5
attributes.start_time LIKE '1'
attributes.start_time IN (1010)
start_time > 1000 and start_time < 1030
attributes.created > 1010
attributes.Created > 1010
end_time > 4998
attributes.end_time = 4999
attributes.user_id = 'u1'
attributes.user = 'u1'
attributes.artifact_uri LIKE '%artifacts'
attributes.run_id = 'nobody'
attributes.run_id IN ('a', 'b')
attributes.run_id NOT IN ('a', 'b')
attributes.run_id IN ()
attributes.run_id IN ('a'
attributes.run_id LIKE '%_'
attributes.run_id LIKE 'not so'
attributes.status IN ('FINISHED', 'FAILED')
attributes.run_name IN ('run 1')
attributes.experiment_id = '1'
attributes.lifecycle_stage = 'active'
attributes.none = 'a'
none.a = 'a'
none = 'a'
models.name = 'a'
dataset.name = 'a'
datasets.digest LIKE 'a%'
dataset.context != 'a'
dataset.none = 'a'
metrics.m > 0 AND params.n = '1' AND tags.group = 'odd'
metrics.m > 0 and params.n = '1'
metrics.m > 0 OR params.n = '1'
NOT params.n = '1'
(params.n = '1')
(metrics.m > 0 AND params.n = '1')
params.n = '1' AND
AND params.n = '1'
params.n = '1' params.n = '1'
params.n == '1'
params.n <> '1'
params.n =
= '1'
params. = '1'
.n = '1'
params = '1'
'1' = params.n
params.n = '1
params.n = '1'; DROP TABLE runs
params.n = '1' -- a comment
params.`n = '1'
params.n='1'
params.n   =   '1'
metrics.m>0
metrics.m = 1 = 1
"""


def filters(steps):
    experiment = _six_runs(steps, "filters")
    for filter in dict.fromkeys(_FILTERS.strip().splitlines()):
        steps(filter, _names, steps.client, experiment, filter)
    for filter in ("", " ", "\n", "params.n = '1'\nAND\ttags.group = 'odd'", "params.n = '" + "x" * 6000 + "'", " AND ".join(["params.n = '1'"] * 40)):
        steps(f"{filter[:40]!r} of {len(filter)}", _names, steps.client, experiment, filter)


_FIELDS = ["metrics.m", "params.n", "tags.group", "status", "start_time", "end_time", "run_id", "run_name", "dataset.name", "dataset.context"]
_COMPARED = [f"{comparator} {value}" for comparator in ("=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE") for value in ("1", "'1'")]
_IN_LISTS = [f"{comparator} {value}" for comparator in ("IN", "NOT IN") for value in ("('1', 'odd')", "('1')", "('1',)", "(1)", "'1'", "('1' 'odd')", "(\"1\")")]
_IN_LISTS += ["in ('1', 'odd')", "not in ('1')"]
_NULL = ["IS NULL", "IS NOT NULL", "IS 'a'", "= NULL"]


def every_comparator_of_every_field(steps):
    experiment = _six_runs(steps, "products")
    for field in _FIELDS:
        for rest in _COMPARED + _IN_LISTS + _NULL:
            steps(f"{field} {rest}", _names, steps.client, experiment, f"{field} {rest}")


def quoted(steps):
    """Keys and values with what a filter is made of."""
    client = steps.client
    experiment = client.create_experiment("quoted")
    words = ["it's", 'say "so"', "a`b", "a AND b", "a OR b", "50%", "a_b", "a\\b", " blanks ", "", "(a)", "a = b", "ÄÖ", "🌿", "new\nline", "--", "a;b"]
    for word in words:
        run = client.create_run(experiment, run_name=f"run {word!r}").info.run_id
        client.log_batch(run, params=[Param("p", word)], tags=[RunTag("t", word)])
    for word in words:
        for quote in "'\"":
            for place in ("params.p", "tags.t"):
                steps(f"{place} = {quote}{word}{quote}", _names, client, experiment, f"{place} = {quote}{word}{quote}")
    for pattern in ("a%", "%b", "_ _ _", "a_b", "50%", "50\\%", "äö", "ÄÖ", "A%", "%'%", "%", "", "_"):
        for comparator in ("LIKE", "ILIKE"):
            steps(f"tags.t {comparator} '{pattern}'", lambda: sorted(_names(client, experiment, f"tags.t {comparator} '{pattern}'")))
    some = client.search_runs([experiment], max_results=3)
    ids = [run.info.run_id for run in some]
    steps("ids", lambda: len(client.search_runs([experiment], f"attributes.run_id IN ('{ids[0]}', '{ids[1]}')")))
    steps("not ids", lambda: len(client.search_runs([experiment], f"run_id NOT IN ('{ids[0]}', '{ids[1]}')")))
    steps("one id", lambda: len(client.search_runs([experiment], f"attributes.run_id = '{ids[2]}'")))
    steps("a part of an id", lambda: len(client.search_runs([experiment], f"attributes.run_id LIKE '{ids[2][:20]}%'")))


_CLAUSES = """
metrics.m > 0.5 | metrics.m <= 1.5 | metrics.m != 1 | metrics.two >= 2 | metrics.none > 0
params.n = '1' | params.n != '1' | params.n LIKE '1%' | params.odd ILIKE 'Y%' | params.odd != 'yes' | params.none = 'a'
tags.group = 'b' | tags.group != 'b' | tags.late LIKE '%1' | tags.late IS NULL | params.odd IS NOT NULL | tags.group ILIKE 'A'
status = 'FINISHED' | status != 'FAILED' | start_time > 1005 | start_time <= 1020 | end_time < 5010 | run_name LIKE '%1%' | user_id = 'u1'
dataset.name = 'd1' | dataset.name != 'd1' | dataset.context LIKE 't%' | dataset.digest IN ('1', '2')
"""
_KEYS = ["metrics.m", "metrics.two", "params.n", "params.odd", "tags.group", "tags.late", "status", "start_time", "end_time", "run_name", "user_id"]


def combined(steps):
    """Clauses and orders that were drawn: the same at every start, unless SPEARMINT_SEED says otherwise."""
    client = steps.client
    chance = random.Random(int(os.environ.get("SPEARMINT_SEED", "1")))
    experiment = client.create_experiment("combined")
    for n in range(24):
        run = client.create_run(experiment, start_time=1000 + n // 3 * 5, run_name=f"run {n}", tags={"mlflow.user": f"u{n % 2}"}).info.run_id
        metrics = [Metric("m", [math.nan, math.inf, -math.inf, *(k / 2 for k in range(5))][n % 8], 1000, 0)] if n % 5 else []
        metrics += [Metric("two", n % 4, 1000, 0)]
        params = [Param("n", str(n % 7))] + ([Param("odd", "yes" if n % 4 == 1 else "Yes")] if n % 2 else [])
        tags = [RunTag("group", "abc"[n % 3])] + ([RunTag("late", str(n))] if n > 16 else [])
        client.log_batch(run, metrics, params, tags)
        data = [DatasetInput(Dataset(f"d{n % 3}", str(n % 4), "local", "here"), [InputTag("mlflow.data.context", "train" if n % 2 else "other")])]
        if n % 4 != 3:
            client.log_inputs(run, data)
        if n % 3:
            client.set_terminated(run, ("FINISHED", "FAILED")[n % 2], 5000 + n)
    clauses = [[one.strip() for one in line.split(" | ")] for line in _CLAUSES.strip().splitlines()]
    for n in range(60):
        filter = " AND ".join(chance.choice(kind) for kind in chance.sample(clauses, chance.randint(0, 3)))
        order = [f"{key} {chance.choice(['ASC', 'DESC'])}" for key in chance.sample(_KEYS, chance.randint(1, 3))]
        steps(f"{n}: {filter} ordered by {', '.join(order)}", _names, client, experiment, filter, order_by=[*order, "run_name"])


def orders(steps):
    experiment = _six_runs(steps, "orders")
    orders = [
        "start_time", "start_time ASC", "start_time DESC", "attributes.start_time asc", "attribute.start_time", "end_time", "end_time DESC",
        "status", "status DESC", "run_name", "run_name DESC", "attributes.`Run name`", "attributes.created", "attributes.user_id", "metrics.m", "metrics.m ASC",
        "metrics.m DESC", "metrics.only", "metrics.only DESC", "metrics.`m`", "metrics.none", "params.n", "params.n DESC", "params.`a b`", "params.only",
        "params.only DESC", "tags.group", "tags.group DESC", "tags.`a.b`", "tags.only", "tags.only DESC", "tag.group, start_time ASC", "tags.group, metrics.m DESC",
        "none", "none.a", "metrics", "start_time UP", "start_time ASC DESC", "metrics.m > 1", "attributes.none", "", "dataset.name", "start_time, start_time",
        "attributes.end_time", "attributes.run_name desc", "attributes.user_id DESC, start_time", "parameter.n", "param.n", "metric.m", "tags.mlflow.runName DESC",
        "attributes.lifecycle_stage", "experiment_id", "status, metrics.m, params.n DESC", "metrics.m, metrics.m DESC", "dataset.name DESC", "tags.`mlflow.user`, params.n",
    ]  # fmt: skip
    for order in orders:
        steps(order or "(empty)", _names, steps.client, experiment, order_by=order.split(", "))


def views(steps):
    experiment = _six_runs(steps, "views")
    for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL, 9):
        steps(f"view {view}", _names, steps.client, experiment, run_view_type=view)
    gone = _six_runs(steps, "views of a deleted one")
    steps.client.delete_experiment(gone)
    for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL):
        steps(f"in a deleted one {view}", _names, steps.client, gone, run_view_type=view)


def places(steps):
    client = steps.client
    one, other = _six_runs(steps, "place 1"), _six_runs(steps, "place 2")
    order = ["params.n", "start_time"]
    steps("in both", lambda: len(client.search_runs([one, other], order_by=order)))
    steps("in one twice", lambda: len(client.search_runs([one, one], order_by=order)))
    steps("in none", lambda: len(client.search_runs([])))
    steps("in one that is not there", lambda: len(client.search_runs(["987654321"])))
    steps("in a word", lambda: len(client.search_runs(["no-such"])))
    steps("as a whole", lambda: steps.plain(client.search_runs([one], order_by=order)))


def pages(steps):
    client = steps.client
    experiment = _six_runs(steps, "pages")
    for number in (0, -1, 1, 2, 5, 50_000, 50_001):
        steps(f"{number} a page", lambda: _page(client, experiment, number))
    first = client.search_runs([experiment], max_results=2)
    steps("the second", _names, client, experiment, max_results=2, page_token=first.token)
    steps("a token of nobody", _names, client, experiment, page_token="nonsense")
    steps("the end", lambda: client.search_runs([experiment], max_results=5).token is None)


def _page(client, experiment, number):
    found = client.search_runs([experiment], max_results=number)
    return [[run.info.run_name for run in found], bool(found.token)]


def pandas(steps):
    experiment = _six_runs(steps, "pandas")
    mlflow.set_experiment("pandas")
    found = steps("all", mlflow.search_runs, [experiment], order_by=["start_time"])
    steps("types", lambda: {name: str(kind) for name, kind in found.dtypes.items()})
    steps("by name", mlflow.search_runs, experiment_names=["pandas"], filter_string="tags.group = 'odd'", max_results=1)
    steps("of the active one", lambda: len(mlflow.search_runs()))
    steps("as a list", mlflow.search_runs, [experiment], output_format="list", max_results=2)
    steps("everywhere", lambda: len(mlflow.search_runs(search_all_experiments=True, filter_string="params.n = '1'", max_results=9)) > 0)
    steps("of no such name", lambda: len(mlflow.search_runs(experiment_names=["no such name"])))


def many(steps):
    """They are there already: see many_runs.py."""
    client = steps.client
    found = client.get_experiment_by_name("many runs")
    tenth = int(os.environ["SPEARMINT_MANY_RUNS"]) // 10
    for size, order, filter in (
        (2 * tenth, None, ""),
        (2 * tenth - 1, ["metrics.m DESC", "params.n"], ""),
        (2 * tenth + 1, ["attributes.end_time ASC"], "params.n != '5'"),
        (tenth, ["params.n"], "metrics.m > 2"),
    ):
        seen, token = [], None
        while True:
            page = client.search_runs([found.experiment_id], filter, order_by=order, max_results=size, page_token=token)
            seen += [run.info.run_id for run in page]
            token = page.token
            if not token:
                break
        # The ids are the same at both: they are compared as they are.
        steps(f"{order} where {filter!r} by {size}", lambda: [len(seen), len(set(seen)), [int(id[4:], 16) for id in seen]])
