"""Runs: made, read, updated, ended, deleted, restored."""

import os
import random

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunStatus, RunTag


def made_and_read(steps):
    client = steps.client
    experiment = client.create_experiment("runs")
    plain = client.create_run(experiment)
    steps("of nothing", client.get_run, plain.info.run_id)
    steps("answered at once", lambda: plain)
    named = steps("named", client.create_run, experiment, start_time=1000, run_name="mine", tags={"a": "1", "б": "🌿"})
    steps("named, read", client.get_run, named.info.run_id)
    steps("named by a tag", client.create_run, experiment, tags={"mlflow.runName": "tagged"})
    steps("named twice alike", client.create_run, experiment, run_name="x", tags={"mlflow.runName": "x"})
    steps("named twice", client.create_run, experiment, run_name="x", tags={"mlflow.runName": "y"})
    steps("of a user", client.create_run, experiment, tags={"mlflow.user": "them", "mlflow.source.name": "s", "mlflow.source.type": "JOB"})
    steps("at time 0", client.create_run, experiment, start_time=0)
    steps("before time", client.create_run, experiment, start_time=-5)
    steps("in no experiment", client.create_run, "987654321")
    steps("in a word", client.create_run, "no-such")
    steps("in the default one", client.create_run, "0", run_name="default")
    steps("with a long tag", lambda: bool(client.create_run(experiment, tags={"t": "v" * 8000})))
    steps("with a tag too long", client.create_run, experiment, tags={"t": "v" * 8001})
    steps("with a name too long", lambda: bool(client.create_run(experiment, run_name="n" * 300)))


def missing(steps):
    client = steps.client
    for what, run in (("none", "f" * 32), ("no id", "not-an-id"), ("dashes", "a-" * 16), ("empty", "")):
        steps(f"get {what}", client.get_run, run)
        steps(f"delete {what}", client.delete_run, run)
        steps(f"restore {what}", client.restore_run, run)
        steps(f"update {what}", client.update_run, run, status="FINISHED")
        steps(f"terminate {what}", client.set_terminated, run)
        steps(f"tag {what}", client.set_tag, run, "a", "b")
        steps(f"untag {what}", client.delete_tag, run, "a")
        steps(f"param {what}", client.log_param, run, "a", "b")
        steps(f"metric {what}", client.log_metric, run, "a", 1.0)
        steps(f"batch {what}", client.log_batch, run, tags=[RunTag("a", "b")])
        steps(f"history {what}", client.get_metric_history, run, "a")
        steps(f"artifacts {what}", client.list_artifacts, run)


def updated(steps):
    client = steps.client
    run = client.create_run("0", run_name="first").info.run_id
    steps("renamed", client.update_run, run, name="second")
    steps("read renamed", client.get_run, run)
    steps("renamed by a tag", client.set_tag, run, "mlflow.runName", "third")
    steps("read renamed by a tag", client.get_run, run)
    steps("to nothing", client.update_run, run, name="")
    steps("nothing at all", client.update_run, run)
    for status in [RunStatus.to_string(one) for one in RunStatus.all_status()] + ["NONSENSE"]:
        steps(f"status {status}", client.update_run, run, status=status)
        steps(f"read {status}", client.get_run, run)
    steps("ended", client.set_terminated, run, end_time=5000)
    steps("read ended", client.get_run, run)
    steps("ended as failed", client.set_terminated, run, "FAILED", 6000)
    steps("read failed", client.get_run, run)
    steps("running again", client.update_run, run, status="RUNNING")
    steps("read running", client.get_run, run)


def deleted_and_restored(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    steps("deleted", client.delete_run, run)
    steps("deleted again", client.delete_run, run)
    steps("read", client.get_run, run)
    steps("param", client.log_param, run, "a", "1")
    steps("metric", client.log_metric, run, "a", 1.0)
    steps("tag", client.set_tag, run, "a", "1")
    steps("untag", client.delete_tag, run, "a")
    steps("batch", client.log_batch, run, tags=[RunTag("a", "1")])
    steps("update", client.update_run, run, status="FINISHED")
    steps("restored", client.restore_run, run)
    steps("restored again", client.restore_run, run)
    steps("read restored", client.get_run, run)


def nested(steps):
    client = steps.client
    parent = client.create_run("0", run_name="parent")
    child = client.create_run("0", tags={"mlflow.parentRunId": parent.info.run_id})
    steps("parent", client.get_parent_run, child.info.run_id)
    steps("no parent", client.get_parent_run, parent.info.run_id)
    steps("of no run", client.get_parent_run, "f" * 32)
    orphan = client.create_run("0", tags={"mlflow.parentRunId": "e" * 32})
    steps("a parent that is not there", client.get_parent_run, orphan.info.run_id)


def inputs(steps):
    client = steps.client
    experiment = client.create_experiment("inputs")
    run = client.create_run(experiment).info.run_id
    data = Dataset("data", "digest", "local", "here", schema="{}", profile="rows")
    steps("logged", client.log_inputs, run, [DatasetInput(data, [InputTag("mlflow.data.context", "train")])])
    steps("logged again", client.log_inputs, run, [DatasetInput(data, [InputTag("mlflow.data.context", "test")])])
    bare = Dataset("bare", "d2", "local", "there")
    steps("without tags", client.log_inputs, run, [DatasetInput(bare, [])])
    steps("read", lambda: sorted(steps.plain(client.get_run(run).inputs.dataset_inputs), key=str))
    steps("none", client.log_inputs, run)
    steps("into no run", client.log_inputs, "f" * 32, [DatasetInput(bare, [])])
    steps("no name", client.log_inputs, run, [DatasetInput(Dataset("", "d", "t", "s"), [])])
    steps("a name too long", client.log_inputs, run, [DatasetInput(Dataset("n" * 501, "d", "t", "s"), [])])
    for filter in ("dataset.name = 'data'", "datasets.digest = 'd2'", "dataset.context = 'train'", "dataset.name LIKE '%a%'", "dataset.nothing = 'x'"):
        steps(f"where {filter}", lambda: [one.info.run_id for one in client.search_runs([experiment], filter)])


def fluent(steps):
    mlflow.set_experiment("fluent runs")
    outer = mlflow.start_run(run_name="outer", tags={"a": "1"})
    steps("a second one", mlflow.start_run)
    with mlflow.start_run(run_name="inner", nested=True) as inner, mlflow.start_run(run_name="innermost", nested=True) as innermost:
        steps("the active one", lambda: mlflow.active_run().info.run_name)
    mlflow.end_run("KILLED")
    steps("no active one", mlflow.active_run)
    with mlflow.start_run(parent_run_id=outer.info.run_id, run_name="later child"):
        pass
    steps("under no run", mlflow.start_run, parent_run_id="f" * 32)

    def family():
        found = mlflow.search_runs(order_by=["attributes.run_name"], output_format="list")
        names = {run.info.run_id: run.info.run_name for run in found}
        return {run.info.run_name: [run.info.status, names.get(run.data.tags.get("mlflow.parentRunId"))] for run in found}

    steps("the family", family)
    steps("its parent", lambda: mlflow.get_parent_run(innermost.info.run_id).info.run_id == inner.info.run_id)
    steps("the last one", lambda: mlflow.last_active_run().info.run_name)
    steps("children", lambda: len(mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{outer.info.run_id}'")))
    steps("deleted", mlflow.delete_run, inner.info.run_id)
    steps("resumed deleted", mlflow.start_run, run_id=inner.info.run_id)
    steps("restored", mlflow.restore_run, inner.info.run_id)

    def own(found):
        return {name: value for name, value in found.data.tags.items() if name.startswith("mlflow.") and "git" not in name}

    steps("tags of the system", lambda: own(mlflow.get_run(inner.info.run_id)))
    steps("a tag of the system, changed", lambda: steps.client.set_tag(inner.info.run_id, "mlflow.user", "another"))
    steps("told", lambda: steps.client.set_tag(inner.info.run_id, "mlflow.note.content", "told"))
    steps("its user", lambda: [mlflow.get_run(inner.info.run_id).info.user_id, own(mlflow.get_run(inner.info.run_id))])


def drawn(steps):
    """Calls that were drawn: the same at every start, unless SPEARMINT_SEED says otherwise."""
    client = steps.client
    chance = random.Random(int(os.environ.get("SPEARMINT_SEED", "1")))
    experiment = client.create_experiment("drawn")
    runs = [client.create_run(experiment, run_name=f"run {n}").info.run_id for n in range(3)]

    def key():
        return chance.choice("abc")

    def metric():
        return Metric(key(), chance.choice([0.0, 1.0, -1.0, float("nan"), float("inf")]), chance.randint(1000, 1003), chance.randint(0, 2))

    calls = {
        "metric": lambda run: client.log_metric(run, key(), chance.random(), chance.randint(1000, 1002), chance.randint(0, 2)),
        "param": lambda run: client.log_param(run, key(), chance.randint(0, 1)),
        "tag": lambda run: client.set_tag(run, key(), chance.randint(0, 9)),
        "untag": lambda run: client.delete_tag(run, key()),
        "batch": lambda run: client.log_batch(run, [metric() for _ in range(chance.randint(0, 4))], [Param(key(), str(chance.randint(0, 1))) for _ in range(chance.randint(0, 2))], [RunTag(key(), "t")]),
        "end": lambda run: client.set_terminated(run, chance.choice(["FINISHED", "FAILED", "KILLED"]), chance.randint(5000, 6000)),
        "update": lambda run: client.update_run(run, chance.choice([None, "RUNNING", "SCHEDULED"]), chance.choice([None, "renamed"])),
        "delete": client.delete_run,
        "restore": client.restore_run,
    }
    for n in range(90):
        name, run = chance.choice(list(calls)), chance.choice(runs)
        if name in ("delete", "restore") and chance.random() < 0.5:
            name = "metric"
        steps(f"{n}: {name} of {runs.index(run)}", calls[name], run)
    for number, run in enumerate(runs):
        steps(f"run {number}", client.get_run, run)
        steps(f"histories of {number}", lambda: {name: sorted(steps.plain(client.get_metric_history(run, name)), key=str) for name in "abc"})
