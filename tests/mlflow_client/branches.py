"""Branches as runs, to MLflow's client: what `spearmint demo --requests 300` recorded.

Usage: branches.py URI. Each function is one promise; those that change branches take one of their own.
"""

import logging
import os
import sys
import traceback
import warnings

warnings.filterwarnings("ignore")
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"

import mlflow  # noqa: E402
from mlflow import MlflowClient, MlflowException  # noqa: E402
from mlflow.entities import Metric, Param, RunTag, ViewType  # noqa: E402

EXPERIMENTS = {"demo-round-robin": 300, "demo-shadow": 900, "demo-multi-branch": 600}
TAGS = {
    "mlflow.runName", "mlflow.source.name", "spearmint.branch_id", "spearmint.config_id", "spearmint.experiment",
    "spearmint.request_id", "spearmint.role", "spearmint.status", "spearmint.strategy", "spearmint.trace_id",
}  # fmt: skip


def _experiment(name):
    return mlflow.get_experiment_by_name(name).experiment_id


def _refused(call, *arguments, **keywords):
    try:
        call(*arguments, **keywords)
    except MlflowException as error:
        return error.error_code
    raise AssertionError(f"{call.__name__} was not refused")


def _found(filter, name="demo-shadow", **keywords):
    return mlflow.search_runs([_experiment(name)], filter, output_format="list", **keywords)


def _one(at, name="demo-round-robin"):
    """A branch: the one at that place."""
    return _found("", name, order_by=["attributes.start_time"], max_results=at + 1)[at].info.run_id


def every_experiment_of_branches_is_one_of_mlflow(client):
    names = {one.name for one in client.search_experiments()}
    assert names == {"Default", *EXPERIMENTS}, names


def every_branch_is_a_row_with_its_config_its_times_and_its_role(client):
    table = mlflow.search_runs(experiment_names=["demo-shadow"])
    assert len(table) == 900, len(table)
    assert table["run_id"].nunique() == 900
    for column in ("params.config_id", "params.upstream", "metrics.duration_ms", *(f"tags.{name}" for name in TAGS)):
        assert column in table, (column, list(table))
        assert not table[column].isna().any(), column
    assert (table["metrics.duration_ms"] > 0).all()
    assert (table["end_time"] >= table["start_time"]).all()
    assert (table["tags.spearmint.experiment"] == "demo-shadow").all()
    of_roles = table["tags.spearmint.role"].value_counts().to_dict()
    assert of_roles == {"primary": 300, "shadow": 300, "control": 300}, of_roles
    shadows = table[table["tags.spearmint.role"] == "shadow"]
    assert set(shadows["params.config_id"]) == {"candidate"}
    assert set(table["tags.spearmint.request_id"]) == set(shadows["tags.spearmint.request_id"])
    # Nobody called with a trace: each is the request itself.
    trace = table["tags.spearmint.request_id"][0].replace("-", "")
    of_trace = _found(f"tags.`spearmint.trace_id` = '{trace}'")
    assert {run.data.tags["spearmint.request_id"].replace("-", "") for run in of_trace} == {trace}


def tables_group_as_those_of_any_experiment_do(client):
    table = mlflow.search_runs(experiment_names=["demo-multi-branch"])
    by_config = table.groupby("params.config_id")["metrics.duration_ms"]
    assert by_config.count().to_dict() == {"candidate": 300, "stable": 300}
    by_request = table.groupby("tags.spearmint.request_id")["params.config_id"].nunique()
    assert (len(by_request), by_request.min()) == (300, 2)


def branches_of_several_experiments_are_found_at_once(client):
    ids = [_experiment(name) for name in EXPERIMENTS]
    assert len(mlflow.search_runs(ids, output_format="list")) == 1800
    assert len(mlflow.search_runs(search_all_experiments=True, output_format="list")) >= 1800


def filters_find_the_branches_that_a_table_of_all_would(client):
    for name, size in (("demo-round-robin", 300), ("demo-shadow", 900)):
        table = mlflow.search_runs(experiment_names=[name])
        middle = table["metrics.duration_ms"].median()
        tag, duration = table["tags.spearmint.role"], table["metrics.duration_ms"]
        wanted = {
            "": table["run_id"] != "",
            "params.config_id = 'candidate'": table["params.config_id"] == "candidate",
            "params.config_id != 'candidate'": table["params.config_id"] != "candidate",
            "params.config_id LIKE 'cand%'": table["params.config_id"] == "candidate",
            "tags.spearmint.role = 'primary'": tag == "primary",
            "tags.spearmint.role ILIKE 'PRIM%'": tag == "primary",
            "tags.`spearmint.role` != 'primary'": tag != "primary",
            "tags.spearmint.status = 'failed'": table["tags.spearmint.status"] == "failed",
            "attributes.status = 'FINISHED'": table["status"] == "FINISHED",
            "attributes.status != 'FINISHED'": table["status"] != "FINISHED",
            f"metrics.duration_ms > {middle:.6f}": duration > float(f"{middle:.6f}"),
            f"metrics.duration_ms <= {middle:.6f}": duration <= float(f"{middle:.6f}"),
            f"metrics.duration_ms > {middle:.6f} AND params.config_id = 'stable'": (duration > float(f"{middle:.6f}")) & (table["params.config_id"] == "stable"),
            "params.none = 'a'": table["run_id"] == "",
        }
        for filter, rows in wanted.items():
            found = {run.info.run_id for run in _found(filter, name)}
            assert found == set(table[rows]["run_id"]), f"{name}: {filter}: {len(found)}, not {rows.sum()}"
            if filter == "":
                assert len(found) == size


def failures_say_what_failed(client):
    failed = _found("tags.spearmint.status = 'failed'")
    assert failed, "the demo's candidate fails now and then"
    for run in failed:
        assert run.info.status == "FAILED"
        assert run.data.tags["spearmint.failure_kind"]
    kinds = {run.data.tags["spearmint.failure_kind"] for run in failed}
    for kind in kinds:
        of_kind = _found(f"tags.spearmint.failure_kind = '{kind}'")
        assert len(of_kind) == sum(run.data.tags["spearmint.failure_kind"] == kind for run in failed)


def pages_go_through_1800_branches_once_each(client):
    ids = [_experiment(name) for name in EXPERIMENTS]
    for size, order in ((99, None), (1000, ["metrics.duration_ms DESC"]), (450, ["params.config_id", "tags.spearmint.role DESC", "tags.spearmint.none"])):
        seen, token = [], None
        while True:
            page = client.search_runs(ids, order_by=order, max_results=size, page_token=token)
            seen += [run.info.run_id for run in page]
            token = page.token
            if not token:
                break
        assert len(seen) == len(set(seen)) == 1800, f"{order} by {size}: {len(seen)}, {len(set(seen))} of them different"


def branches_stand_in_the_order_that_was_asked_for(client):
    durations = [run.data.metrics["duration_ms"] for run in _found("", order_by=["metrics.duration_ms DESC"])]
    assert durations == sorted(durations, reverse=True)
    starts = [run.info.start_time for run in _found("", order_by=["attributes.start_time ASC"])]
    assert starts == sorted(starts)
    configs = [run.data.params["config_id"] for run in _found("", order_by=["params.config_id DESC"])]
    assert configs == sorted(configs, reverse=True)


def a_metric_of_a_branch_has_a_history_of_one_value(client):
    run = client.get_run(_one(0))
    [value] = client.get_metric_history(run.info.run_id, "duration_ms")
    assert value.value == run.data.metrics["duration_ms"]
    assert (value.step, value.timestamp) == (0, run.info.end_time)


def a_value_that_is_logged_to_a_branch_joins_its_history(client):
    id = _one(1)
    recorded = client.get_run(id).data.metrics["duration_ms"]
    client.log_metric(id, "duration_ms", 5.0, step=1)
    assert [one.value for one in client.get_metric_history(id, "duration_ms")] == [recorded, 5.0]
    assert client.get_run(id).data.metrics["duration_ms"] == 5.0
    client.log_batch(id, [Metric("score", n / 10, 1000 + n, n) for n in range(10)], [Param("label", "good")], [RunTag("by", "hand")])
    assert len(client.get_metric_history(id, "score")) == 10
    found = client.get_run(id).data
    assert (found.metrics["score"], found.params["label"], found.tags["by"]) == (0.9, "good", "hand")
    for filter in ("metrics.score > 0.8", "params.label = 'good'", "tags.by = 'hand'", "metrics.score > 0 AND params.config_id LIKE '%'"):
        assert [run.info.run_id for run in _found(filter, "demo-round-robin")] == [id], filter


def a_tag_of_a_branch_is_set_changed_and_removed(client):
    id = _one(2)
    client.set_tag(id, "verdict", "good")
    client.set_tag(id, "verdict", "better")
    assert client.get_run(id).data.tags["verdict"] == "better"
    assert [run.info.run_id for run in _found("tags.verdict = 'better'", "demo-round-robin")] == [id]
    client.delete_tag(id, "verdict")
    assert "verdict" not in client.get_run(id).data.tags
    assert _refused(client.delete_tag, id, "verdict") == "RESOURCE_DOES_NOT_EXIST"


def what_a_branch_was_made_of_is_not_changed(client):
    id = _one(3)
    config = client.get_run(id).data.params["config_id"]
    assert _refused(client.log_param, id, "config_id", "another") == "INVALID_PARAMETER_VALUE"
    client.log_param(id, "config_id", config)
    assert client.get_run(id).data.params["config_id"] == config


def a_deleted_branch_is_gone_until_it_is_restored(client):
    id, experiment = _one(4), _experiment("demo-round-robin")
    client.delete_run(id)
    assert client.get_run(id).info.lifecycle_stage == "deleted"
    assert len(_found("", "demo-round-robin")) == 299
    assert [run.info.run_id for run in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [id]
    assert len(_found("", "demo-round-robin", run_view_type=ViewType.ALL)) == 300
    assert _refused(client.set_tag, id, "a", "1") == "INVALID_PARAMETER_VALUE"
    client.restore_run(id)
    assert client.get_run(id).info.lifecycle_stage == "active"
    assert len(_found("", "demo-round-robin")) == 300


def a_branch_is_renamed_and_found_by_its_new_name(client):
    id = _one(5)
    client.update_run(id, name="the best one")
    assert client.get_run(id).info.run_name == "the best one"
    assert [run.info.run_id for run in _found("attributes.run_name = 'the best one'", "demo-round-robin")] == [id]


def a_branch_takes_artifacts(client):
    id = _one(6)
    client.log_text(id, "what a person thinks of it", "notes/a.txt")
    client.log_dict(id, {"score": 1}, "score.json")
    assert [one.path for one in client.list_artifacts(id)] == ["notes", "score.json"]
    uri = client.get_run(id).info.artifact_uri
    assert mlflow.artifacts.load_text(f"{uri}/notes/a.txt") == "what a person thinks of it"


def a_run_is_started_again_from_a_branch(client):
    id = _one(7)
    with mlflow.start_run(run_id=id):
        mlflow.log_metric("judged", 0.5)
        mlflow.set_tag("judge", "somebody")
    found = client.get_run(id)
    assert (found.info.status, found.data.metrics["judged"], found.data.tags["judge"]) == ("FINISHED", 0.5, "somebody")
    with mlflow.start_run(experiment_id=_experiment("demo-round-robin"), run_name="parent") as parent:
        client.set_tag(id, "mlflow.parentRunId", parent.info.run_id)
    assert mlflow.get_parent_run(id).info.run_id == parent.info.run_id
    client.delete_run(parent.info.run_id)


def runs_of_clients_stand_among_branches(client):
    experiment = _experiment("demo-multi-branch")
    run = client.create_run(experiment, run_name="of a client")
    client.log_metric(run.info.run_id, "duration_ms", 1e9)
    client.log_param(run.info.run_id, "config_id", "candidate")
    found = client.search_runs([experiment], "params.config_id = 'candidate'", order_by=["metrics.duration_ms DESC"], max_results=2)
    assert [one.info.run_name == "of a client" for one in found] == [True, False]
    client.delete_run(run.info.run_id)


def an_experiment_of_branches_is_renamed_and_its_branches_stay(client):
    experiment = _experiment("demo-multi-branch")
    client.rename_experiment(experiment, "renamed")
    client.set_experiment_tag(experiment, "owner", "somebody")
    try:
        assert len(mlflow.search_runs(experiment_names=["renamed"], output_format="list")) == 600
        assert client.get_experiment(experiment).tags == {"owner": "somebody"}
    finally:
        client.rename_experiment(experiment, "demo-multi-branch")


def main(uri):
    logging.disable(logging.CRITICAL)
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    promises = [call for name, call in globals().items() if getattr(call, "__code__", None) and name[0] != "_" and call.__code__.co_varnames[:1] == ("client",)]
    broken = 0
    for promise in promises:
        try:
            promise(client)
        except Exception:
            broken += 1
            print(f"\nnot so: {promise.__name__}\n{traceback.format_exc()}")
    print(f"{len(promises)} promises, {broken} broken")
    sys.exit(broken > 0)


main(*sys.argv[1:])
