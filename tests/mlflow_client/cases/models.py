"""Models of scikit-learn: logged, loaded, registered, evaluated; and what autologging keeps of them."""

import contextlib
import os

import mlflow
import numpy
import pandas


def _data():
    chance = numpy.random.default_rng(7)
    features = pandas.DataFrame(chance.normal(size=(60, 2)), columns=["a", "b"])
    return features, (features["a"] + features["b"] > 0).astype(int)


def _fitted():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.5).fit(*_data())


def _files(uri):
    """The names of all files below, but for those of environments, which are as the machine is."""
    return sorted(_walk(uri, ""))


def _walk(uri, below):
    for one in mlflow.artifacts.list_artifacts(f"{uri}/{below}" if below else uri):
        name = one.path.rsplit("/", 1)[-1]
        path = f"{below}/{name}" if below else name
        if one.is_dir:
            yield from _walk(uri, path)
        else:
            yield path


def _run(steps, id):
    """A run, without the commit it was made at."""
    found = steps.plain(mlflow.get_run(id))
    found["data"]["tags"].pop("mlflow.source.git.commit", None)
    return found


def logged_and_loaded(steps):
    from mlflow.models import infer_signature

    mlflow.set_experiment("models")
    features, _ = _data()
    model = _fitted()
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            model,
            name="kept",
            signature=infer_signature(features, model.predict(features)),
            input_example=features[:2],
            params={"p": "1"},
            tags={"t": "1"},
            model_type="classifier",
            pip_requirements=["scikit-learn"],
        )
        mlflow.log_metric("score", 0.5, step=1, timestamp=1000, model_id=info.model_id)
    steps("its run", _run, steps, run.info.run_id)
    steps("it", lambda: _without(steps.plain(mlflow.get_logged_model(info.model_id)), "mlflow.source.git.commit"))
    for uri in (info.model_uri, f"runs:/{run.info.run_id}/kept"):
        steps(f"files of {steps.text(uri)}", _files, uri)
        steps(f"loaded from {steps.text(uri)}", lambda: mlflow.sklearn.load_model(uri).predict(features)[:9])
    steps("as a function", lambda: mlflow.pyfunc.load_model(info.model_uri).predict(features)[:9])
    steps("its signature", lambda: mlflow.models.get_model_info(info.model_uri).signature.to_dict())
    steps("its example", lambda: mlflow.models.Model.load(info.model_uri).load_input_example().shape)
    steps("one that is not there", mlflow.sklearn.load_model, f"models:/m-{'f' * 32}")
    steps("of a run that logged none", mlflow.sklearn.load_model, f"runs:/{run.info.run_id}/none")


def _without(found, tag):
    found["tags"].pop(tag, None)
    return found


def registered_and_loaded(steps):
    mlflow.set_experiment("registered models")
    features, _ = _data()
    client = steps.client
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(_fitted(), name="kept", registered_model_name="scores", pip_requirements=["scikit-learn"])
    steps("its version", client.get_model_version, "scores", "1")
    steps("registered again", mlflow.register_model, info.model_uri, "scores")
    client.set_registered_model_alias("scores", "champion", "2")
    steps("where it is", client.get_model_version_download_uri, "scores", "2")
    for uri in ("models:/scores/1", "models:/scores@champion", "models:/scores/latest"):
        steps(f"loaded from {uri}", lambda: mlflow.sklearn.load_model(uri).predict(features)[:9])
        steps(f"files of {uri}", _files, uri)
    for uri in ("models:/scores/9", "models:/scores@none", "models:/none/1", "models:/scores/Production"):
        steps(f"loaded from {uri}", mlflow.sklearn.load_model, uri)


def autologged(steps):
    # Which packages a model needs is found out in a process of its own, which takes long and asks no server.
    os.environ["MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT"] = "1"
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    mlflow.set_experiment("autologged")
    features, classes = _data()
    with _autologging(mlflow.sklearn.autolog):
        with mlflow.start_run(run_name="fitted") as run:
            model = LogisticRegression(C=0.5).fit(features, classes)
            model.score(features, classes)
        with mlflow.start_run(run_name="searched") as searched:
            GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(features, classes)
    for name, one in (("fitted", run), ("searched", searched)):
        found = _run(steps, one.info.run_id)
        found["data"]["metrics"] = sorted(name for name in found["data"]["metrics"] if not name.endswith("_time"))
        steps(f"run of {name}", lambda: found)
        steps(f"files of {name}", lambda: sorted(file.path for file in mlflow.artifacts.list_artifacts(run_id=one.info.run_id)))
        steps(f"models of {name}", lambda: len(mlflow.get_run(one.info.run_id).outputs.model_outputs))

    def children():
        found = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{searched.info.run_id}'", order_by=["params.C"])
        return {name: found[name].tolist() for name in ("params.C", "status", "tags.estimator_name")}

    steps("runs of the search", children)


def autologged_by_all(steps):
    mlflow.set_experiment("autologged by all")
    with _autologging(mlflow.autolog), mlflow.start_run() as run:
        _fitted()
    steps("its params", lambda: mlflow.get_run(run.info.run_id).data.params)
    steps("its data", lambda: sorted(one.dataset.name for one in mlflow.get_run(run.info.run_id).inputs.dataset_inputs))


@contextlib.contextmanager
def _autologging(switch):
    switch(silent=True)
    try:
        yield
    finally:
        switch(disable=True, silent=True)


def evaluated(steps):
    from mlflow.models import MetricThreshold

    mlflow.set_experiment("evaluated")
    features, classes = _data()
    table = features.assign(truth=classes, said=_fitted().predict(features))
    with mlflow.start_run() as run:
        told = mlflow.evaluate(data=table, targets="truth", predictions="said", model_type="regressor", evaluators="default")
    steps("metrics", lambda: mlflow.get_run(run.info.run_id).data.metrics)
    steps("files", lambda: sorted(file.path for file in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)))
    good = {"mean_absolute_error": MetricThreshold(threshold=1.0, greater_is_better=False)}
    steps("good enough", mlflow.validate_evaluation_results, good, told)


def of_a_function(steps):
    """A model that is code alone, with a file that it reads."""
    mlflow.set_experiment("models of functions")
    words = steps.directory / "words.txt"
    words.write_text("good")

    class Said(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            with open(context.artifacts["words"]) as file:
                self.word = file.read()

        def predict(self, context, model_input: list[str], params=None) -> list[str]:
            return [f"{self.word} {one}" for one in model_input]

    with mlflow.start_run() as run:
        info = mlflow.pyfunc.log_model(name="said", python_model=Said(), artifacts={"words": str(words)}, pip_requirements=["mlflow"])
    steps("its files", _files, info.model_uri)
    steps("asked", lambda: mlflow.pyfunc.load_model(info.model_uri).predict(["day", "night"]))
    steps("its run", lambda: len(mlflow.get_run(run.info.run_id).outputs.model_outputs))
