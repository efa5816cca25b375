"""Prints the traces of an experiment, with their spans, as MLflow's client reads them."""

import json
import sys

import mlflow

experiment = mlflow.MlflowClient().get_experiment_by_name(sys.argv[1])
traces = experiment and mlflow.search_traces(
    locations=[experiment.experiment_id], max_results=5_000, return_type="list"
)
json.dump(
    [
        {
            "id": trace.info.trace_id,
            "state": trace.info.state,
            "start_ms": trace.info.request_time,
            "duration_ms": trace.info.execution_duration,
            "request_preview": trace.info.request_preview,
            "response_preview": trace.info.response_preview,
            "tags": trace.info.tags,
            "metadata": trace.info.trace_metadata,
            "spans": [
                {
                    "id": span.span_id,
                    "parent": span.parent_id,
                    "name": span.name,
                    "type": span.span_type,
                    "start_ns": span.start_time_ns,
                    "end_ns": span.end_time_ns,
                    "status": span.status.status_code.value,
                    "message": span.status.description,
                    "inputs": span.inputs,
                    "outputs": span.outputs,
                    "attributes": span.attributes,
                    "events": [
                        [event.name, event.timestamp, event.attributes] for event in span.events
                    ],
                }
                for span in trace.data.spans
            ],
        }
        for trace in traces or []
    ],
    sys.stdout,
)
