"""Prints the runs of an experiment that are summaries, with the whole history of their metrics."""

import json
import sys

from mlflow.tracking import MlflowClient

client = MlflowClient()
experiment = client.get_experiment_by_name(sys.argv[1])
runs = client.search_runs([experiment.experiment_id], max_results=1000)
json.dump(
    [
        {
            "tags": run.data.tags,
            "params": run.data.params,
            "status": run.info.status,
            "metrics": {
                key: sorted(
                    (point.step, point.timestamp, point.value)
                    for point in client.get_metric_history(run.info.run_id, key)
                )
                for key in run.data.metrics
            },
        }
        for run in runs
        if "spearmint.summary" in run.data.tags
    ],
    sys.stdout,
)
