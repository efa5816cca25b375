"""What runs were made of: datasets that are logged, and runs that are found by them."""

import mlflow
import numpy
import pandas


def logged(steps):
    experiment = mlflow.set_experiment("datasets").experiment_id
    table = mlflow.data.from_pandas(pandas.DataFrame({"a": [1, 2], "b": ["x", "ü"]}), source="http://somewhere/table.csv", name="table", targets="b")
    array = mlflow.data.from_numpy(numpy.arange(6).reshape(2, 3), source="http://somewhere/array", name="array")
    with mlflow.start_run(run_name="one") as run:
        steps("one", mlflow.log_input, table, context="train", tags={"kept": "yes"})
        steps("again", mlflow.log_input, table, context="train")
        steps("some", mlflow.log_inputs, [table, array], ["test", None], [None, {"kept": "no"}])
        steps("a metric of one", mlflow.log_metric, "loss", 0.5, step=1, timestamp=1000, dataset=table)
        steps("metrics of one", mlflow.log_metrics, {"f1": 0.5, "auc": 1}, step=2, timestamp=1000, dataset=array)
    with mlflow.start_run(run_name="other"):
        mlflow.log_input(array, context="test")
    steps("read", lambda: sorted(steps.plain(mlflow.get_run(run.info.run_id).inputs.dataset_inputs), key=str))
    steps("its source", lambda: mlflow.data.get_source(mlflow.get_run(run.info.run_id).inputs.dataset_inputs[0]).to_dict()["url"][:17])
    steps("histories", lambda: [steps.plain(steps.client.get_metric_history(run.info.run_id, name)) for name in ("loss", "f1")])
    filters = """
dataset.name = 'table'
dataset.name != 'table'
dataset.name LIKE 'ta%'
dataset.name ILIKE 'TA%'
dataset.name IN ('table', 'array')
dataset.name NOT IN ('table')
dataset.name > 'a'
dataset.name IS NULL
datasets.name = 'array'
dataset.digest LIKE '%'
dataset.digest = 'none'
dataset.digest IN ('none')
dataset.context = 'train'
dataset.context != 'train'
dataset.context LIKE 't%'
dataset.context IN ('train', 'test')
dataset.`name` = 'table'
dataset."name" = 'table'
dataset.name = 'table' AND dataset.context = 'test'
dataset.name = 'table' AND dataset.name = 'array'
dataset.name = 'array' AND metrics.f1 > 0
dataset.source = 'a'
dataset.name = 1
"""
    for filter in filters.strip().splitlines():
        steps(f"where {filter}", lambda: [one.info.run_name for one in mlflow.search_runs([experiment], filter, order_by=["attributes.run_name"], output_format="list")])
