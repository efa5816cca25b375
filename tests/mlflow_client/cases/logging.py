"""Params, tags and metrics of a run."""

import math
from concurrent.futures import ThreadPoolExecutor

import mlflow
from mlflow.entities import Metric, Param, RunTag


def params(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    steps("logged", client.log_param, run, "a", 1)
    steps("the same again", client.log_param, run, "a", "1")
    steps("another value", client.log_param, run, "a", 2)
    steps("empty", client.log_param, run, "empty", "")
    steps("none", client.log_param, run, "none", None)
    steps("unicode", client.log_param, run, "ключ", "🌿\n\t\"'\\")
    steps("long", client.log_param, run, "long", "v" * 6000)
    steps("too long", client.log_param, run, "longer", "v" * 6001)
    steps("wide and long", client.log_param, run, "wide", "ü" * 6000)
    steps("wide and too long", client.log_param, run, "wider", "ü" * 6001)
    for key in _KEYS:
        steps(f"key {key[:20]!r} of {len(key)}", client.log_param, run, key, "v")
    steps("read", client.get_run, run)


_KEYS = ["k" * 250, "k" * 251, "", ".", "..", "/", "a/b", "a//b", "/a", "a/", "a/../b", "./a", "a b", "a-b_c.d", "a:b", "a%b", "a\tb", "a'b", "a=b", "🌿", "a\\b", "a,b"]


def tags(steps):
    client = steps.client
    run = client.create_run("0", tags={"a": "0"}).info.run_id
    steps("set", client.set_tag, run, "a", "1")
    steps("set again", client.set_tag, run, "a", "2")
    steps("a number", client.set_tag, run, "n", 3)
    steps("empty", client.set_tag, run, "empty", "")
    steps("unicode", client.set_tag, run, "ключ", "🌿")
    steps("long", client.set_tag, run, "long", "v" * 8000)
    steps("too long", client.set_tag, run, "longer", "v" * 8001)
    for key in _KEYS:
        steps(f"key {key[:20]!r} of {len(key)}", client.set_tag, run, key, "v")
    steps("removed", client.delete_tag, run, "a")
    steps("removed again", client.delete_tag, run, "a")
    steps("read", client.get_run, run)


def metrics(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    numbers = [0.0, -0.0, 1, 0.1, -1e-300, 1e300, 1.7976931348623157e308, 5e-324, math.nan, math.inf, -math.inf, 2**53 + 1]
    for index, number in enumerate(numbers):
        steps(f"{number}", client.log_metric, run, f"m{index:02}", number, timestamp=1000, step=0)
        steps(f"history of {number}", client.get_metric_history, run, f"m{index:02}")
    steps("no number", client.log_metric, run, "word", "x")
    steps("a negative step", client.log_metric, run, "negative", 1.0, timestamp=1000, step=-3)
    steps("a large step", client.log_metric, run, "large", 1.0, timestamp=1000, step=2**62)
    steps("a step beyond", client.log_metric, run, "beyond", 1.0, timestamp=1000, step=2**63)
    steps("a negative time", client.log_metric, run, "past", 1.0, timestamp=-1, step=0)
    steps("no time", client.log_metric, run, "now", 1.0)
    for key in _KEYS:
        steps(f"key {key[:20]!r} of {len(key)}", client.log_metric, run, key, 1.0, timestamp=1000)
    steps("read", client.get_run, run)


def latest_metric(steps):
    client = steps.client
    run = client.create_run("0").info.run_id

    def latest():
        return client.get_run(run).data.metrics["m"]

    for name, value, time, step in [
        ("first", 1.0, 1000, 0),
        ("a later step", 2.0, 500, 1),
        ("an earlier step", 3.0, 2000, 0),
        ("the same step, later", 4.0, 600, 1),
        ("the same step, earlier", 5.0, 100, 1),
        ("the same step and time, smaller", 3.5, 600, 1),
        ("the same step and time, larger", 4.5, 600, 1),
        ("all the same", 4.5, 600, 1),
        ("no number", math.nan, 600, 1),
        ("no number, later", math.nan, 700, 2),
        ("a number after it", 1.0, 700, 2),
        ("beyond all", math.inf, 700, 2),
    ]:
        client.log_metric(run, "m", value, timestamp=time, step=step)
        steps(name, latest)
    steps("history", lambda: sorted(steps.plain(client.get_metric_history(run, "m")), key=str))


def history(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    for start in range(0, 3000, 1000):
        client.log_batch(run, metrics=[Metric("m", n * 0.5, 1000 + n, n) for n in range(start, start + 1000)])
    steps("all", lambda: [(one.step, one.value) for one in client.get_metric_history(run, "m")][::499])
    steps("its length", lambda: len(client.get_metric_history(run, "m")))
    steps("of none", client.get_metric_history, run, "none")
    steps("of no key", client.get_metric_history, run, "")


def batches(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    steps("of all", client.log_batch, run, [Metric("m", 1.0, 1000, 0)], [Param("p", "1")], [RunTag("t", "1")])
    steps("of nothing", client.log_batch, run)
    steps("params at the limit", client.log_batch, run, params=[Param(f"p{n}", "v") for n in range(100)])
    steps("params beyond", client.log_batch, run, params=[Param(f"q{n}", "v") for n in range(101)])
    steps("tags at the limit", client.log_batch, run, tags=[RunTag(f"t{n}", "v") for n in range(100)])
    steps("tags beyond", client.log_batch, run, tags=[RunTag(f"u{n}", "v") for n in range(101)])
    steps("metrics at the limit", client.log_batch, run, metrics=[Metric(f"m{n}", n, 1000, 0) for n in range(1000)])
    steps("metrics beyond", client.log_batch, run, metrics=[Metric("x", n, 1000, n) for n in range(1001)])
    steps("more than all may be", client.log_batch, run, [Metric("z", n, 1000, n) for n in range(950)], [Param(f"z{n}", "v") for n in range(60)])
    steps("one param twice alike", client.log_batch, run, params=[Param("twice", "1"), Param("twice", "1")])
    steps("one param twice", client.log_batch, run, params=[Param("two", "1"), Param("two", "2")])
    steps("a changed param among others", client.log_batch, run, params=[Param("fresh", "1"), Param("p", "other")], tags=[RunTag("fresh", "1")])
    steps("one tag twice", client.log_batch, run, tags=[RunTag("twice", "1"), RunTag("twice", "2")])
    steps("one metric twice", client.log_batch, run, [Metric("twice", 1.0, 1000, 0), Metric("twice", 1.0, 1000, 0)])
    steps("metrics out of order", client.log_batch, run, [Metric("order", 1.0, 1000, 5), Metric("order", 2.0, 1000, 3)])
    steps("a bad key among good", client.log_batch, run, tags=[RunTag("good", "1"), RunTag("", "2")])
    steps("numbers that are none", client.log_batch, run, [Metric("nan", math.nan, 1000, 0), Metric("inf", -math.inf, 1000, 0)])
    steps("read", client.get_run, run)


def more_than_a_batch(steps):
    """The client cuts what is too much for one call into several."""
    mlflow.set_experiment("more than a batch")
    with mlflow.start_run() as run:
        mlflow.log_params({f"p{n:03}": n for n in range(250)})
        mlflow.set_tags({f"t{n:03}": n for n in range(250)})
        steps("metrics", mlflow.log_metrics, {f"m{n:04}": n for n in range(1500)}, step=1, timestamp=1000)
    found = mlflow.get_run(run.info.run_id).data
    steps("params", lambda: found.params)
    steps("tags", lambda: {name: value for name, value in found.tags.items() if name.startswith("t")})
    steps("how many metrics", lambda: len(found.metrics))


def asynchronous(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    for n in range(100):
        client.log_metric(run, "m", n, timestamp=1000 + n, step=n, synchronous=False)
    waited = [client.log_param(run, "p", "1", synchronous=False), client.set_tag(run, "t", "1", synchronous=False), client.log_batch(run, [Metric("b", 1.0, 1000, 0)], synchronous=False)]
    mlflow.flush_async_logging()
    steps("waited for", lambda: [one.wait() for one in waited])
    steps("history", lambda: [one.value for one in client.get_metric_history(run, "m")])
    steps("read", client.get_run, run)
    steps("to no run", lambda: client.log_metric("f" * 32, "m", 1.0, synchronous=False).wait())


def at_once(steps):
    """Several threads log to one run."""
    client = steps.client
    run = client.create_run("0").info.run_id

    def log(thread):
        for n in range(20):
            client.log_metric(run, f"m{thread}", n, timestamp=1000 + n, step=n)
            client.log_metric(run, "shared", n, timestamp=1000 + n, step=n)
        client.set_tag(run, f"t{thread}", "1")
        client.log_param(run, "same", "1")

    with ThreadPoolExecutor(4) as threads:
        steps("logged", lambda: list(threads.map(log, range(4))))
    steps("read", client.get_run, run)
    steps("histories", lambda: {name: len(client.get_metric_history(run, name)) for name in ("m0", "m3", "shared")})


def fluent(steps):
    mlflow.set_experiment("fluent")
    with mlflow.start_run(run_name="whole", description="told", tags={"a": "1"}) as run:
        steps("params", mlflow.log_params, {"a": 1, "b": [1, 2], "c": {"d": None}})
        steps("param", mlflow.log_param, "single", 0.5)
        steps("metrics", mlflow.log_metrics, {"x": 1.0, "y": math.nan}, step=2, timestamp=3000)
        steps("metric", mlflow.log_metric, "z", 3, step=1)
        steps("metric, later", mlflow.log_metric, "z", 4, synchronous=False)
        mlflow.flush_async_logging()
        steps("tags", mlflow.set_tags, {"t": "1", "u": 2})
        steps("tag", mlflow.set_tag, "v", None)
        steps("untagged", mlflow.delete_tag, "t")
        steps("param again", mlflow.log_param, "a", 2)
        steps("artifact uri", mlflow.get_artifact_uri, "x/y")
        with mlflow.start_run(nested=True, run_name="child") as child:
            steps("parent", lambda: mlflow.get_parent_run(child.info.run_id).info.run_id == run.info.run_id)
    def read():
        found = steps.plain(mlflow.get_run(run.info.run_id))
        found["data"]["tags"].pop("mlflow.source.git.commit", None)
        return found
    steps("read", read)
    steps("last active", lambda: mlflow.last_active_run().info.run_id == run.info.run_id)
    with mlflow.start_run(run_id=run.info.run_id):
        steps("resumed", lambda: mlflow.active_run().info.status)
    try:
        with mlflow.start_run(run_name="broken"):
            raise KeyError
    except KeyError:
        steps("broken", lambda: mlflow.last_active_run().info.status)
    steps("resumed none", mlflow.start_run, run_id="f" * 32)
    steps("experiment tags", mlflow.set_experiment_tags, {"a": "1", "b": "2"})
    steps("experiment", mlflow.get_experiment_by_name, "fluent")
    steps("experiment tag removed", mlflow.delete_experiment_tag, "a")
    steps("deleted", mlflow.delete_run, run.info.run_id)
    steps("restored", mlflow.restore_run, run.info.run_id)
