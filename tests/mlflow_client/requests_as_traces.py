"""Requests that `spearmint` recorded, seen as traces by MLflow's client.

Usage: requests_as_traces.py URI. The experiment `ranker` has 30 requests to the
config `stable`, each with a shadow to `candidate`; every third shadow failed.
"""

import sys

import mlflow
from mlflow import MlflowClient

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
experiment = client.get_experiment_by_name("ranker").experiment_id

traces = mlflow.search_traces(locations=[experiment], return_type="list", order_by=["timestamp ASC"])
assert len(traces) == 30, len(traces)
for number, trace in enumerate(traces):
    assert trace.info.state == "OK", trace.info
    assert trace.info.tags["mlflow.traceName"] == "ranker"
    assert trace.info.trace_metadata["spearmint.config_id"] == "stable"
    spans = {span.name: span for span in trace.data.spans}
    root, primary, shadow = spans["ranker"], spans["stable"], spans["candidate"]
    assert root.parent_id is None and {primary.parent_id, shadow.parent_id} == {root.span_id}
    assert primary.inputs["model"] == "small" and primary.outputs == {"answer": number}
    assert primary.get_attribute("spearmint.role") == "primary"
    assert shadow.get_attribute("spearmint.role") == "shadow"
    assert shadow.status.status_code.name == ("ERROR" if number % 3 == 0 else "OK"), shadow
    if number % 3 == 0:
        assert shadow.events[0].attributes["exception.message"] == "the shadow broke"
    # The branches of a request are runs, too.
    run = client.get_run(trace.info.trace_metadata["mlflow.sourceRun"])
    assert run.data.tags["spearmint.role"] == "primary"


def found(filter):
    return mlflow.search_traces(locations=[experiment], filter_string=filter, return_type="list", include_spans=False)


assert len(found("span.name = 'candidate' AND span.status = 'ERROR'")) == 10
assert len(found("span.attributes.`spearmint.failure_message` LIKE '%broke%'")) == 10
assert len(found("status = 'ERROR'")) == 0
assert len(found("execution_time_ms < 60000 AND name = 'ranker'")) == 30

frame = mlflow.search_traces(locations=[experiment], max_results=7)
assert list(frame["state"]) == ["OK"] * 7 and len(frame["spans"][0]) == 3

first = traces[0].info.trace_id
client.set_trace_tag(first, "team", "red")
feedback = mlflow.log_feedback(trace_id=first, name="good", value=False, rationale="the shadow broke")
assert [one.info.trace_id for one in found("tags.team = 'red' AND feedback.good = 'false'")] == [first]
assert mlflow.get_trace(first).info.assessments[0].rationale == "the shadow broke"
mlflow.delete_assessment(first, feedback.assessment_id)
client.delete_trace_tag(first, "team")
assert found("tags.team = 'red'") == [] and mlflow.get_trace(first).info.assessments == []

assert client.delete_traces(experiment, trace_ids=[first]) == 1
assert len(found("")) == 29 and mlflow.get_trace(first, silent=True) is None
assert len(mlflow.search_runs([experiment])) == 60, "the branches stay"
