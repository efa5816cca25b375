"""Logged models: made, finalized, tagged, their files, as inputs and outputs of runs; found again."""

import pathlib

import mlflow
from mlflow.entities import LoggedModelInput, LoggedModelOutput, LoggedModelStatus, Metric


def made(steps):
    client = steps.client
    experiment = client.create_experiment("logged models")
    run = client.create_run(experiment).info.run_id
    bare = steps("of nothing", client.create_logged_model, experiment)
    whole = steps("of all", client.create_logged_model, experiment, "whole", run, {"a": "1", "ключ": "🌿"}, {"p": "1", "q": "x" * 6000}, "agent")
    steps("of one name", lambda: bool(client.create_logged_model(experiment, "whole").model_id))
    steps("read", client.get_logged_model, whole.model_id)
    steps("read bare", lambda: client.get_logged_model(bare.model_id).status)
    steps("named by nothing", client.create_logged_model, experiment, "")
    for name in (" ", "a/b", "a:b", "a.b", "a%b", "a'b", "a\"b", "модель 🌿", "n" * 500, "n" * 501):
        steps(f"named {name[:20]!r} of {len(name)}", lambda: client.create_logged_model(experiment, name).name)
    steps("of a run that is not there", lambda: bool(client.create_logged_model(experiment, "orphan", "f" * 32)))
    steps("in no experiment", client.create_logged_model, "987654321")
    steps("in a word", client.create_logged_model, "no-such")
    steps("a tag too long", lambda: bool(client.create_logged_model(experiment, "t", tags={"a": "v" * 8001})))
    steps("a param too long", lambda: bool(client.create_logged_model(experiment, "p", params={"a": "v" * 6001})))
    steps("in a deleted one", lambda: (client.delete_experiment(experiment), client.create_logged_model(experiment, "late")))


def changed(steps):
    client = steps.client
    model = client.create_logged_model("0", "changed", tags={"a": "0"}, params={"p": "1"}).model_id
    for status in ("READY", "FAILED", "PENDING", "NONSENSE", LoggedModelStatus.READY, LoggedModelStatus.UNSPECIFIED):
        steps(f"finalized as {status!r}", lambda: client.finalize_logged_model(model, status).status)
    steps("tagged", client.set_logged_model_tags, model, {"a": "1", "n": 3, "e": "", "ключ": "🌿"})
    steps("tagged with nothing", client.set_logged_model_tags, model, {})
    steps("a tag too long", client.set_logged_model_tags, model, {"long": "v" * 8001})
    for key in ("", ".", "a/b", "/a", "a/../b", "a b", "a%b", "k" * 250, "k" * 251):
        steps(f"tag {key[:20]!r} of {len(key)}", client.set_logged_model_tags, model, {key: "v"})
    for key in ("a", "a/b", "a b", "a%b"):
        steps(f"untagged {key!r}", client.delete_logged_model_tag, model, key)
    steps("untagged again", client.delete_logged_model_tag, model, "a")
    steps("params", client.log_model_params, model, {"q": "2", "r": "ü"})
    steps("the same params", client.log_model_params, model, {"q": "2"})
    steps("another value", client.log_model_params, model, {"q": "3"})
    steps("no params", client.log_model_params, model, {})
    steps("many params", client.log_model_params, model, {f"many{n:03}": "v" for n in range(150)})
    steps("a param too long", client.log_model_params, model, {"long": "v" * 6001})
    steps("read", client.get_logged_model, model)
    steps("deleted", client.delete_logged_model, model)
    steps("read deleted", client.get_logged_model, model)
    steps("deleted again", client.delete_logged_model, model)
    steps("tagged deleted", client.set_logged_model_tags, model, {"late": "1"})
    steps("finalized deleted", client.finalize_logged_model, model, "READY")


def missing(steps):
    client = steps.client
    for what, model in (("none", "m-" + "f" * 32), ("no id", "not-an-id")):
        steps(f"get {what}", client.get_logged_model, model)
        steps(f"finalize {what}", client.finalize_logged_model, model, "READY")
        steps(f"delete {what}", client.delete_logged_model, model)
        steps(f"tag {what}", client.set_logged_model_tags, model, {"a": "1"})
        steps(f"untag {what}", client.delete_logged_model_tag, model, "a")
        steps(f"params {what}", client.log_model_params, model, {"a": "1"})
        steps(f"files {what}", client.list_logged_model_artifacts, model)


def files(steps):
    client = steps.client
    model = client.create_logged_model("0", "with files")
    folder = steps.directory / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "one").write_text("one")
    (folder / "deep/two").write_text("two")
    steps("folder", client.log_model_artifacts, model.model_id, str(folder))
    steps("file", client.log_model_artifact, model.model_id, str(folder / "one"), "named")
    for path in (None, "deep", "named", "none", "one", ".."):
        steps(f"listed {path}", lambda: sorted((one.path, one.is_dir, one.file_size) for one in client.list_logged_model_artifacts(model.model_id, path)))
    steps("down", lambda: pathlib.Path(mlflow.artifacts.download_artifacts(f"{model.artifact_location}/deep/two")).read_text())
    steps("down by its uri", lambda: pathlib.Path(mlflow.artifacts.download_artifacts(f"models:/{model.model_id}/deep/two")).read_text())


def of_runs(steps):
    client = steps.client
    experiment = client.create_experiment("models of runs")
    run, other = (client.create_run(experiment).info.run_id for _ in range(2))
    model = client.create_logged_model(experiment, "made by it", run).model_id
    steps("output", client.log_outputs, run, [LoggedModelOutput(model, 3)])
    steps("output again", client.log_outputs, run, [LoggedModelOutput(model, 4)])
    steps("input", client.log_inputs, other, models=[LoggedModelInput(model)])
    steps("no outputs", client.log_outputs, run, [])
    steps("outputs of no run", client.log_outputs, "f" * 32, [LoggedModelOutput(model, 0)])
    steps("no model as output", client.log_outputs, run, [LoggedModelOutput("m-" + "f" * 32, 0)])
    steps("read the run", client.get_run, run)
    steps("read the other run", client.get_run, other)
    client.log_metric(run, "loss", 0.5, 1000, 1, model_id=model, dataset_name="data", dataset_digest="d1")
    client.log_metric(run, "loss", 0.25, 2000, 2, model_id=model, dataset_name="data", dataset_digest="d1")
    client.log_batch(run, metrics=[Metric("loss", 0.75, 3000, 1, model_id=model), Metric("f1", 1.0, 1000, 0)])
    steps("its metrics", lambda: sorted(steps.plain(client.get_logged_model(model).metrics), key=str))
    steps("the run's history", lambda: sorted(steps.plain(client.get_metric_history(run, "loss")), key=str))
    steps("a metric of no model", client.log_metric, run, "lost", 1.0, 1000, 0, model_id="m-" + "f" * 32)


def _models(steps, name):
    client = steps.client
    experiment = client.create_experiment(name)
    run = client.create_run(experiment).info.run_id
    for n in range(5):
        model = client.create_logged_model(experiment, f"model {n}", run if n < 3 else None, {"group": "even" if n % 2 == 0 else "odd"}, {"n": str(n)}, "kind" if n else None).model_id
        if n != 3:
            client.finalize_logged_model(model, "READY" if n < 3 else "FAILED")
        client.log_metric(run, "m", n * 0.5, 1000, 0, model_id=model, dataset_name="data" if n % 2 else "other", dataset_digest="d1")
        if n == 4:
            client.delete_logged_model(model)
    return experiment


def found(steps):
    client = steps.client
    experiment = _models(steps, "found models")

    def names(*arguments, **keywords):
        found = client.search_logged_models([experiment], *arguments, **keywords)
        return [[one.name for one in found], bool(found.token)]

    filters = """
name = 'model 1'
name != 'model 1'
name LIKE 'model%'
name ILIKE 'MODEL%'
name IN ('model 1', 'model 2')
name NOT IN ('model 1')
name IS NULL
name > 'a'
attributes.name = 'model 1'
model_type = 'kind'
model_type != 'kind'
model_type LIKE 'k%'
status = 'READY'
status != 'READY'
status = 'PENDING'
status = 'FAILED'
status = 'NONSENSE'
status IN ('READY', 'FAILED')
source_run_id = 'nobody'
model_id = 'nobody'
model_id IN ('a')
creation_timestamp > 0
creation_timestamp < 0
creation_time > 0
creation_timestamp_ms > 0
last_updated_timestamp > 0
last_updated_timestamp_ms > 0
experiment_id = '1'
params.n = '1'
params.n != '1'
params.n LIKE '%'
params.n ILIKE '1'
params.n > '1'
params.n IN ('1')
params.`n` = '1'
params.none = '1'
tags.group = 'odd'
tags.group != 'odd'
tags.group LIKE 'o%'
tags.`group` = 'odd'
tag.group = 'odd'
tags.group IS NULL
tags.none IS NULL
metrics.m > 0.5
metrics.m = 1
metrics.m >= 0.5 AND metrics.m < 1.5
metrics.m != 1
metrics.`m` < 1
metrics.m > 'a'
metrics.none > 0
metrics.m LIKE '1'
name = 'model 1' OR name = 'model 2'
NOT name = 'model 1'
(name = 'model 1')
name = 'model 1' AND params.n = '1' AND tags.group = 'odd'
none = 'a'
none.a = 'a'
name
=
name = 'model 1
"""
    by_name = [{"field_name": "name"}]
    for filter in filters.strip().splitlines():
        steps(f"where {filter}", names, filter, order_by=by_name)
    steps("of all", names, order_by=by_name)
    for datasets in ([{"dataset_name": "data"}], [{"dataset_name": "data", "dataset_digest": "d1"}], [{"dataset_name": "data", "dataset_digest": "d2"}], [{"dataset_name": "none"}], [{"dataset_digest": "d1"}]):
        steps(f"of {datasets}", names, "metrics.m >= 0", datasets, order_by=by_name)
    for order in (
        {"field_name": "name", "ascending": False},
        {"field_name": "creation_timestamp"},
        {"field_name": "creation_timestamp", "ascending": False},
        {"field_name": "creation_time"},
        {"field_name": "last_updated_timestamp", "ascending": False},
        {"field_name": "metrics.m"},
        {"field_name": "metrics.m", "ascending": False},
        {"field_name": "metrics.m", "dataset_name": "data"},
        {"field_name": "metrics.m", "dataset_name": "data", "dataset_digest": "d1", "ascending": False},
        {"field_name": "params.n", "ascending": False},
        {"field_name": "tags.group"},
        {"field_name": "status"},
        {"field_name": "model_type"},
        {"field_name": "none"},
        {"field_name": ""},
        {},
    ):
        steps(f"ordered by {order}", names, order_by=[order])
    for number in (0, -1, 1, 2, 50, 51):
        steps(f"{number} a page", names, order_by=by_name, max_results=number)
    first = client.search_logged_models([experiment], max_results=2, order_by=by_name)
    steps("the second page", names, order_by=by_name, max_results=2, page_token=first.token)
    steps("a token of nobody", names, page_token="nonsense")
    steps("nowhere", lambda: len(client.search_logged_models([])))
    steps("as a whole", client.search_logged_models, [experiment], order_by=by_name)


def fluent(steps):
    experiment = mlflow.set_experiment("fluent models").experiment_id
    with mlflow.start_run():
        model = steps("initialized", mlflow.initialize_logged_model, "first", tags={"a": "1"}, params={"p": "1"}, model_type="kind")
        steps("params", mlflow.log_model_params, {"q": "2"}, model.model_id)
        steps("tagged", mlflow.set_logged_model_tags, model.model_id, {"b": "2"})
        steps("untagged", mlflow.delete_logged_model_tag, model.model_id, "a")
        steps("finalized", mlflow.finalize_logged_model, model.model_id, "READY")
        steps("the last one", lambda: mlflow.last_logged_model().model_id == model.model_id)
        steps("as an output", mlflow.log_outputs, [LoggedModelOutput(model.model_id, 1)])
        steps("a metric of it", mlflow.log_metric, "m", 1.0, step=1, timestamp=1000, model_id=model.model_id)
    steps("read", mlflow.get_logged_model, model.model_id)
    external = steps("external", mlflow.create_external_model, "outside", params={"p": "1"}, model_type="kind")
    steps("read external", mlflow.get_logged_model, external.model_id)
    steps("active", lambda: mlflow.set_active_model(name="active").model_id == mlflow.get_active_model_id())
    steps("active, params", mlflow.log_model_params, {"x": "1"})
    steps("none is active", lambda: (mlflow.clear_active_model(), mlflow.get_active_model_id()))
    checkpoints = steps.directory / "checkpoints"
    for name in ("one", "two"):
        (checkpoints / name).mkdir(parents=True)
        (checkpoints / name / "weights").write_text(name)
    steps("checkpoints", lambda: sorted(one.name for one in mlflow.import_checkpoints(str(checkpoints), model_prefix="c")))
    steps("found", mlflow.search_logged_models, [experiment], order_by=[{"field_name": "name"}], output_format="list")
    steps("found as a table", lambda: list(mlflow.search_logged_models([experiment], "name = 'first'").columns))
    steps("found by a metric", lambda: [one.name for one in mlflow.search_logged_models([experiment], "metrics.m > 0", output_format="list")])
