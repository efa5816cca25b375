"""The spans of a trace, as MLflow's client reads them: by their names, as JSON."""

import json
import sys

import mlflow

trace = mlflow.MlflowClient().get_trace(sys.argv[1])
spans = [
    {
        "name": span.name,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "status": span.status.status_code.value,
        "start_ns": span.start_time_ns,
        "end_ns": span.end_time_ns,
        "attributes": dict(span.attributes),
        "events": [event.name for event in span.events],
    }
    for span in sorted(trace.data.spans, key=lambda span: span.name)
]
print(json.dumps(spans))
