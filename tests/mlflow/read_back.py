"""Prints every run of an experiment, as MLflow's own client sees it, as one JSON value."""

import json
import sys
import tempfile

from mlflow.tracking import MlflowClient

client = MlflowClient()
experiment = client.get_experiment_by_name(sys.argv[1])
if experiment is None:
    raise SystemExit(f"no experiment {sys.argv[1]!r}")


def artifacts(run):
    """Only failed runs have any; asking for each of the others would take long."""
    texts = {}
    if run.info.status == "FAILED":
        with tempfile.TemporaryDirectory() as directory:
            for artifact in client.list_artifacts(run.info.run_id):
                path = client.download_artifacts(run.info.run_id, artifact.path, directory)
                with open(path, encoding="utf-8") as file:
                    texts[artifact.path] = file.read()
    return texts


runs, token = [], None
while True:
    page = client.search_runs([experiment.experiment_id], max_results=1000, page_token=token)
    runs.extend(page)
    token = page.token
    if not token:
        break

json.dump(
    [
        {
            "name": run.info.run_name,
            "status": run.info.status,
            "start_ms": run.info.start_time,
            "end_ms": run.info.end_time,
            "params": run.data.params,
            "tags": run.data.tags,
            "metrics": run.data.metrics,
            "artifacts": artifacts(run),
        }
        for run in runs
    ],
    sys.stdout,
)
