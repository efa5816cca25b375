"""Traces: made by decorators and by hand, read, searched, tagged, judged, deleted."""

import json

import mlflow
from mlflow.entities import AssessmentError, AssessmentSource, Feedback, SpanEvent


def _traced(steps, name):
    """An experiment with three traces: one that went well, one that failed, a deep one."""
    experiment = mlflow.set_experiment(f"traces, {name}")

    @mlflow.trace(span_type="TOOL")
    def inner(x):
        return x + 1

    @mlflow.trace(name="outer", span_type="CHAIN", attributes={"model": "small", "size": 3})
    def outer(x, y="žluť 🌿"):
        with mlflow.start_span("middle", attributes={"list": [1, 2.5, None, {"a": True}]}) as span:
            span.set_inputs({"x": x})
            span.add_event(SpanEvent("noticed", attributes={"what": "something"}))
            return {"result": inner(x), "y": y}

    @mlflow.trace
    def broken():
        raise ValueError("it broke")

    ids = []
    for call in (lambda: outer(1), broken, lambda: outer(x=2, y=None)):
        try:
            call()
        except ValueError:
            pass
        ids.append(mlflow.get_last_active_trace_id())
    return experiment.experiment_id, ids


def _said(trace):
    """What of a trace two processes can agree on."""
    info = trace.info
    own = ("mlflow.source", "mlflow.user", "mlflow.trace.size", "mlflow.artifactLocation")
    metadata = {k: v for k, v in info.trace_metadata.items() if not k.startswith(own)}
    spans = sorted(trace.data.spans, key=lambda span: span.start_time_ns)
    names = {span.span_id: span.name for span in spans}
    return {
        "state": info.state,
        "tags": {k: v for k, v in info.tags.items() if not k.startswith(own)},
        "metadata": metadata,
        "previews": [info.request_preview, info.response_preview],
        "client request": info.client_request_id,
        "has a duration": info.execution_duration is not None,
        "assessments": [one.name for one in info.assessments],
        "spans": [
            {
                "name": span.name,
                "type": span.span_type,
                "parent": names.get(span.parent_id),
                "inputs": span.inputs,
                "outputs": span.outputs,
                "status": [span.status.status_code.name, span.status.description],
                "attributes": {k: v for k, v in span.attributes.items() if k != "mlflow.traceRequestId"},
                "events": [[one.name, sorted(one.attributes)] for one in span.events],
                "ended": span.end_time_ns >= span.start_time_ns,
            }
            for span in spans
        ],
    }


def made_and_read(steps):
    _, ids = _traced(steps, "made")
    for name, id in zip(("well", "broken", "deep"), ids):
        steps(name, lambda: _said(mlflow.get_trace(id)))
        steps(f"{name}, info", lambda: steps.client.get_trace(id).info.state)
    steps("none", steps.client.get_trace, "tr-" + "0" * 32)
    steps("no id", steps.client.get_trace, "nothing")
    steps("none, fluently", mlflow.get_trace, "tr-" + "0" * 32)


def by_hand(steps):
    client = steps.client
    experiment = client.create_experiment("traces, by hand")
    root = client.start_trace("root", inputs={"q": 1}, attributes={"a": "b"}, tags={"t": "1"}, experiment_id=experiment)
    child = client.start_span("child", trace_id=root.trace_id, parent_id=root.span_id, inputs=[1])
    client.end_span(child.trace_id, child.span_id, outputs="done", status="ERROR")
    client.end_trace(root.trace_id, outputs={"r": [1, 2]}, status="OK")
    steps("read", lambda: _said(client.get_trace(root.trace_id)))
    steps("found", lambda: [_said(one) for one in client.search_traces(locations=[experiment])])
    lone = mlflow.start_span_no_context("lone", experiment_id=experiment, tags={"a": "é"}, metadata={"m": "1"})
    lone.end(outputs=3)
    steps("lone", lambda: _said(client.get_trace(lone.trace_id)))
    steps("in no experiment", lambda: client.start_trace("x", experiment_id="987654").end())


def updated(steps):
    experiment = mlflow.set_experiment("traces, updated").experiment_id

    @mlflow.trace
    def work():
        mlflow.update_current_trace(
            tags={"fruit": "pear"}, metadata={"mlflow.trace.session": "s1", "k": "v"}, client_request_id="c-1",
            request_preview="asked", response_preview="said", state="OK",
        )
        return 1

    work()
    steps("read", lambda: _said(mlflow.get_trace(mlflow.get_last_active_trace_id())))
    with mlflow.context(tags={"team": "a"}, metadata={"k": "w"}, session_id="s2", user="u"):
        with mlflow.start_span("within"):
            pass
    steps("in a context", lambda: _said(mlflow.get_trace(mlflow.get_last_active_trace_id())))
    for filter in ("client_request_id = 'c-1'", "metadata.k = 'v'", "metadata.`mlflow.trace.session` = 's1'", "tags.fruit = 'pear'", "metadata.k IS NULL"):
        steps(filter, lambda: len(mlflow.search_traces(locations=[experiment], filter_string=filter, return_type="list")))


def in_runs(steps):
    experiment = mlflow.set_experiment("traces, in runs").experiment_id
    with mlflow.start_run() as run:
        with mlflow.start_span("in a run"):
            pass
    inside = mlflow.get_last_active_trace_id()
    with mlflow.start_span("outside"):
        pass
    outside = mlflow.get_last_active_trace_id()
    id = run.info.run_id

    def found(**keywords):
        return [one.info.tags["mlflow.traceName"] for one in mlflow.search_traces(locations=[experiment], return_type="list", **keywords)]

    steps("of the run", lambda: found(run_id=id))
    steps("by a filter", lambda: found(filter_string=f"attribute.run_id = '{id}'"))
    steps("linked", steps.client.link_traces_to_run, [outside], id)
    steps("linked again", steps.client.link_traces_to_run, [outside, inside], id)
    steps("of the run, linked", lambda: found(run_id=id))
    steps("to no run", steps.client.link_traces_to_run, [outside], "f" * 32)
    steps("a trace that is not there", steps.client.link_traces_to_run, ["tr-" + "f" * 32], id)
    steps("too many", steps.client.link_traces_to_run, ["tr-" + "f" * 32] * 101, id)
    steps("of no run", lambda: found(run_id="f" * 32))


def tagged(steps):
    client = steps.client
    _, (id, *_) = _traced(steps, "tagged")
    tags = lambda: {k: v for k, v in client.get_trace(id).info.tags.items() if k != "mlflow.artifactLocation"}
    steps("set", client.set_trace_tag, id, "a b/c", "é")
    steps("set again", client.set_trace_tag, id, "a b/c", "other")
    steps("renamed", client.set_trace_tag, id, "mlflow.traceName", "renamed")
    steps("read", tags)
    steps("deleted", client.delete_trace_tag, id, "a b/c")
    steps("deleted again", client.delete_trace_tag, id, "a b/c")
    steps("read again", tags)
    steps("fluently", mlflow.set_trace_tag, id, "f", "1")
    steps("fluently deleted", mlflow.delete_trace_tag, id, "f")
    steps("of no trace", client.set_trace_tag, "tr-" + "0" * 32, "a", "b")
    steps("deleted of no trace", client.delete_trace_tag, "tr-" + "0" * 32, "a")
    steps("a key too long", client.set_trace_tag, id, "k" * 251, "v")
    steps("a bad key", client.set_trace_tag, id, "k$", "v")
    steps("a long value", client.set_trace_tag, id, "long", "v" * 9000)
    steps("its length", lambda: len(client.get_trace(id).info.tags["long"]))
    steps("a fixed one", client.set_trace_tag, id, "mlflow.trace.spansLocation", "x")
    steps("no value", client.set_trace_tag, id, "empty", "")
    steps("read at last", lambda: sorted(tags()))


def _judged(assessment):
    own = ("assessment_id", "create_time_ms", "last_update_time_ms", "trace_id", "run_id", "span_id", "error")
    return {k: v for k, v in vars(assessment).items() if k not in own}


def assessed(steps):
    _, (id, other, _) = _traced(steps, "assessed")
    person = AssessmentSource("HUMAN", "ann@example.com")
    span = mlflow.get_trace(id).data.spans[1].span_id
    judged = steps("feedback", lambda: mlflow.log_feedback(trace_id=id, name="good", value=True, source=person, rationale="it is", metadata={"m": "1"}))
    steps("on a span", lambda: mlflow.log_feedback(trace_id=id, name="score", value=0.5, span_id=span).span_id == span)
    for name, value in (("number", 3), ("word", "yes"), ("list", [1, "a"]), ("map", {"a": 1}), ("none", None)):
        steps(f"feedback of {name}", lambda: _judged(mlflow.log_feedback(trace_id=id, name=name, value=value)))
    steps("an error", lambda: _judged(mlflow.log_feedback(trace_id=id, name="failed", error=AssessmentError("CODE", "message"))))
    for name, value in (("text", "this"), ("number", 5), ("list", [1, 2]), ("map", {"x": [None]})):
        steps(f"expectation of {name}", lambda: _judged(mlflow.log_expectation(trace_id=id, name=f"e {name}", value=value, source=person)))
    steps("read", lambda: _judged(mlflow.get_assessment(id, judged.assessment_id)))
    steps("all of them", lambda: [_judged(one) for one in mlflow.get_trace(id).info.assessments])
    steps("updated", lambda: _judged(mlflow.update_assessment(id, judged.assessment_id, Feedback(name="better", value=False, rationale="no", metadata={"n": "2"}))))
    steps("read updated", lambda: _judged(mlflow.get_assessment(id, judged.assessment_id)))
    expected = mlflow.log_expectation(trace_id=id, name="wanted", value=1)
    steps("updated as another kind", lambda: mlflow.update_assessment(id, expected.assessment_id, Feedback(name="f", value=1)))
    over = steps("overridden", lambda: mlflow.override_feedback(trace_id=id, assessment_id=judged.assessment_id, value=0.9))
    steps("valid no more", lambda: mlflow.get_assessment(id, judged.assessment_id).valid)
    steps("overriding deleted", mlflow.delete_assessment, id, over.assessment_id)
    steps("valid again", lambda: mlflow.get_assessment(id, judged.assessment_id).valid)
    steps("deleted again", mlflow.delete_assessment, id, over.assessment_id)
    steps("read deleted", mlflow.get_assessment, id, over.assessment_id)
    steps("of another trace", mlflow.get_assessment, other, judged.assessment_id)
    steps("of no trace", mlflow.get_assessment, "tr-" + "0" * 32, judged.assessment_id)
    steps("to no trace", lambda: mlflow.log_feedback(trace_id="tr-" + "0" * 32, name="n", value=1))
    steps("of a source unknown", lambda: mlflow.log_feedback(trace_id=id, name="n", value=1, source=AssessmentSource("NOBODY", "x")))
    experiment = mlflow.get_trace(id).info.experiment_id
    for filter in (
        "feedback.score > 0.4", "feedback.score > 0.5", "feedback.score <= 0.5", "feedback.word = 'yes'",
        "feedback.better = 'false'", "feedback.better != 'false'", "feedback.word LIKE '%e%'", "feedback.nothing IS NULL",
        "feedback.score IS NOT NULL", "expectation.`e text` = 'this'", "expectation.`e number` >= 5", "feedback.score = 0.5",
    ):
        steps(filter, lambda: len(mlflow.search_traces(locations=[experiment], filter_string=filter, return_type="list")))


FILTERS = [
    "", "status = 'OK'", "status = 'ERROR'", "status != 'OK'", "attributes.status IN ('OK', 'ERROR')", "trace.status NOT IN ('OK')",
    "name = 'outer'", "name LIKE 'o%'", "name ILIKE 'B%'", "tags.`mlflow.traceName` = 'broken'", "tags.team = 'red'", "tags.team IS NULL",
    "tags.team IS NOT NULL", "tags.team != 'red'", "timestamp_ms > 0", "timestamp < 1000", "execution_time_ms >= 0",
    "execution_time > 10000000", "end_time_ms > 0", "span.name = 'middle'", "span.type = 'TOOL'", "span.status = 'ERROR'",
    "span.name = 'middle' AND span.type = 'TOOL'", "span.name LIKE 'in%' AND status = 'OK'", "span.attributes.model LIKE '%mall%'",
    "span.content LIKE '%žluť%'", "trace.text LIKE '%🌿%'", "trace.text ILIKE '%IT BROKE%'", "metadata.nothing = 'x'",
    "request_metadata.`mlflow.trace_schema.version` = '3'", "status = 'OK' AND name = 'outer' AND tags.team = 'red'",
    # What is refused.
    "nothing = 'x'", "status", "status > 'OK'", "status = OK", "timestamp_ms = 'x'", "metrics.a = 1", "span.nothing = 'x'",
    "span.content = 'x'", "tags.team IN ('red')", "name IS NULL", "status = 'OK' OR status = 'ERROR'", "status = 5", "prompt LIKE 'x'",
    "prompt = 'a/1'", "issue.id = 'x'", "issue.name = 'x'", "tags.team RLIKE 'r.d'",
]
ORDERS = [
    [], ["timestamp_ms"], ["timestamp DESC"], ["status", "timestamp_ms ASC"], ["name DESC", "timestamp_ms"], ["tags.team"], ["tags.team DESC", "timestamp_ms"],
    ["request_id"], ["metadata.nothing", "timestamp_ms ASC"], ["experiment_id", "timestamp ASC"], ["span.name"], ["nothing"], ["status", "status"], ["timestamp_ms SIDEWAYS"],
]


def searched(steps):
    client = steps.client
    experiment, ids = _traced(steps, "searched")
    client.set_trace_tag(ids[0], "team", "red")
    client.set_trace_tag(ids[1], "team", "blue")
    number = {id: index for index, id in enumerate(ids)}

    def found(**keywords):
        return [number[one.info.trace_id] for one in client.search_traces(locations=[experiment], include_spans=False, **keywords)]

    for filter in FILTERS:
        steps(f"where {filter!r}", lambda: found(filter_string=filter))
    for order in ORDERS:
        # (Ids are drawn at random.)
        steps(f"by {order}", lambda: len(found(order_by=order)) if order == ["request_id"] else found(order_by=order))
    steps("by an id", lambda: found(filter_string=f"request_id = '{ids[1]}'"))
    steps("by ids", lambda: found(filter_string=f"trace.request_id IN ('{ids[2]}', 'x')"))
    steps("in no experiment", lambda: client.search_traces(locations=["987654"]))
    steps("in a word", lambda: client.search_traces(locations=["word"]))
    steps("nowhere", lambda: client.search_traces(locations=[]))
    for size in (0, -1, 501, 2):
        steps(f"{size} at most", lambda: found(max_results=size))
    first = client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp_ms"])
    steps("a page", lambda: [number[one.info.trace_id] for one in first])
    steps("the next page", lambda: [number[one.info.trace_id] for one in client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp_ms"], page_token=first.token)])
    steps("a token of nobody", lambda: client.search_traces(locations=[experiment], page_token="nonsense"))
    steps("whole", lambda: [_said(one) for one in mlflow.search_traces(locations=[experiment], return_type="list")])
    steps("as pandas", lambda: sorted(mlflow.search_traces(locations=[experiment]).columns))


def deleted(steps):
    client = steps.client
    experiment, ids = _traced(steps, "deleted")
    left = lambda: len(client.search_traces(locations=[experiment], include_spans=False))
    steps("by an id", client.delete_traces, experiment, trace_ids=[ids[0], "tr-" + "0" * 32])
    steps("read", client.get_trace, ids[0])
    steps("left", left)
    steps("of another experiment", client.delete_traces, "0", trace_ids=[ids[1]])
    steps("before time", client.delete_traces, experiment, max_timestamp_millis=1)
    steps("one of the oldest", client.delete_traces, experiment, max_timestamp_millis=9_999_999_999_999, max_traces=1)
    steps("left then", lambda: [one.info.trace_id == ids[2] for one in client.search_traces(locations=[experiment], include_spans=False)])
    steps("all", client.delete_traces, experiment, max_timestamp_millis=9_999_999_999_999)
    steps("left at last", left)
    steps("in a word", client.delete_traces, "word", max_timestamp_millis=1)


def sent_by_others(steps):
    """Spans of OpenTelemetry, as its own exporters send them."""
    import gzip

    import requests
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    uri = mlflow.get_tracking_uri()
    experiment = steps.client.create_experiment("traces, sent by others")

    def request(trace, count=1):
        sent = ExportTraceServiceRequest()
        resource = sent.resource_spans.add()
        for key, value in (("service.name", "shop"), ("telemetry.sdk.name", "x"), ("mlflow.trace.spansLocation", "x")):
            pair = resource.resource.attributes.add()
            pair.key, pair.value.string_value = key, value
        spans = resource.scope_spans.add().spans
        for index in range(count):
            span = spans.add(name=f"span {index}", trace_id=bytes([trace] * 16), span_id=bytes([index + 1] * 8), start_time_unix_nano=10**18 + index, end_time_unix_nano=10**18 + 5 * 10**6)
            if index:
                span.parent_span_id = bytes([1] * 8)
            else:
                pair = span.attributes.add()
                pair.key, pair.value.string_value = "mlflow.traceTag.color", "red"
                pair = span.attributes.add()
                pair.key, pair.value.string_value = "session.id", "s-1"
                pair = span.attributes.add()
                pair.key, pair.value.string_value = "mlflow.spanInputs", json.dumps({"x": 3})
        return sent.SerializeToString()

    def send(body, **headers):
        headers = {"content-type": "application/x-protobuf", "x-mlflow-experiment-id": experiment, **headers}
        return requests.post(f"{uri}/v1/traces", data=body, headers={k.replace("_", "-"): v for k, v in headers.items() if v}).status_code

    steps("sent", send, request(1, 3))
    steps("read", lambda: _said(steps.client.get_trace("tr-" + "01" * 16)))
    steps("the time", lambda: [steps.client.get_trace("tr-" + "01" * 16).info.request_time, steps.client.get_trace("tr-" + "01" * 16).info.execution_duration])
    steps("packed", send, gzip.compress(request(2)), content_encoding="gzip")
    steps("not packed at all", lambda: send(request(3), content_encoding="gzip") >= 400)
    steps("of no experiment", send, request(4), x_mlflow_experiment_id="987654")
    steps("of no type", send, request(5), content_type="text/plain")
    steps("nothing", send, b"")
    steps("no message", send, b"\xff\xff\xff")
    text = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "06" * 16, "spanId": "07" * 8, "name": "JSON", "startTimeUnixNano": "1000000000000000000", "endTimeUnixNano": 1000000000005000000, "attributes": [{"key": "n", "value": {"intValue": "5"}}], "status": {"code": 2, "message": "bad"}}]}]}]}
    steps("JSON", send, json.dumps(text), content_type="application/json")
    steps("JSON, read", lambda: _said(steps.client.get_trace("tr-" + "06" * 16)))
    steps("found", lambda: len(steps.client.search_traces(locations=[experiment], filter_string="tags.`service.name` = 'shop'", include_spans=False)))


def all_the_rest(steps):
    client = steps.client
    experiment = mlflow.set_experiment("traces, all the rest").experiment_id
    logged = mlflow.log_trace(name="logged", request={"q": 1}, response="a", attributes={"k": "v"}, tags={"t": "1"}, start_time_ms=1000, execution_time_ms=500)
    steps("logged at once", lambda: _said(mlflow.get_trace(logged)))
    steps("its time", lambda: [mlflow.get_trace(logged).info.request_time, mlflow.get_trace(logged).info.execution_duration])
    with mlflow.start_span("outer") as span:
        steps("the active one", lambda: [mlflow.get_active_trace_id() == span.trace_id, mlflow.get_current_active_span().name])
        mlflow.add_trace(mlflow.get_trace(logged))
    steps("with another added", lambda: _said(mlflow.get_trace(span.trace_id)))
    for session, number in (("one", 1), ("one", 2), ("two", 3)):
        with mlflow.start_span(f"span {number}"):
            mlflow.update_current_trace(metadata={"mlflow.trace.session": session})
    steps("sessions", lambda: sorted([one.id, sorted(trace.data.spans[0].name for trace in one)] for one in mlflow.search_sessions(locations=[experiment])))
    steps("sessions as traces", lambda: len(mlflow.search_sessions(locations=[experiment], include_spans=False)))
    judged = Feedback(name="whole", value={"a": [1]}, source=AssessmentSource("LLM_JUDGE", "j"))
    steps("an assessment", lambda: _judged(mlflow.log_assessment(logged, judged)))
    issue = steps("an issue", lambda: mlflow.log_issue(trace_id=logged, issue_id="iss-1", issue_name="slow"))
    if issue:
        steps("the issue, read", lambda: _judged(mlflow.get_assessment(logged, issue.assessment_id)))
        steps("found by it", lambda: len(client.search_traces(locations=[experiment], filter_string="issue.id = 'iss-1'", include_spans=False)))
    steps("unlinked", client.unlink_traces_from_run, [logged], "f" * 32)
    client.register_prompt("greeting", "hello")
    prompt = client.get_prompt_version("greeting", 1)
    steps("a prompt linked", client.link_prompt_versions_to_trace, [prompt], logged)
    steps("found by the prompt", lambda: len(client.search_traces(locations=[experiment], filter_string="prompt = 'greeting/1'", include_spans=False)))
    steps("flushed", mlflow.flush_trace_async_logging)


def as_a_file(steps):
    """Spans that a client keeps as an artifact, as those do that cannot send them."""
    from mlflow.entities import TraceInfo, TraceState
    from mlflow.tracing.client import TracingClient

    client = TracingClient()
    _, (id, *_) = _traced(steps, "as a file")
    trace = mlflow.get_trace(id)
    own = "tr-" + "ab" * 16
    info = TraceInfo(
        trace_id=own, trace_location=trace.info.trace_location, request_time=1000, execution_duration=5, state=TraceState.OK,
        tags={"mlflow.traceName": "a file"}, trace_metadata={"mlflow.trace_schema.version": "3"},
    )
    told = client.start_trace(info)
    steps("before", mlflow.get_trace, own)
    steps("uploaded", client._upload_trace_data, told, trace.data)
    steps("read", lambda: _said(mlflow.get_trace(own)))
    steps("found", lambda: len(client.search_traces(locations=[told.experiment_id], filter_string="name = 'a file'")))
    steps("deleted", client.delete_traces, told.experiment_id, trace_ids=[own])
    steps("read deleted", mlflow.get_trace, own)
