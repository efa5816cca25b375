"""MLflow's own command line: experiments, runs, artifacts."""

import re

from click.testing import CliRunner
from mlflow.cli import cli

# As a table shows it: a time, or a name that the server drew.
_DRAWN = re.compile(r"\d{4}-\d\d-\d\d[ T][\d:.]+(?: UTC)?|\b\d{13}\b")


def _command(steps, *arguments):
    """What it says, without what is as wide as an id."""
    done = CliRunner().invoke(cli, [str(one) for one in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    said = re.sub(r"-{3,}", "---", re.sub(r" {2,}", " | ", _DRAWN.sub("<time>", done.output)))
    return [done.exit_code, steps.text(said)]


def experiments(steps):
    name = "by command"
    steps("created", lambda: _command(steps, "experiments", "create", "-n", name)[0])
    steps("created again", lambda: _command(steps, "experiments", "create", "-n", name)[0])
    id = steps.client.get_experiment_by_name(name).experiment_id
    steps("got", lambda: [line.split()[0] for line in _command(steps, "experiments", "get", "-n", name)[1].splitlines() if line.strip()])
    steps("renamed", lambda: _command(steps, "experiments", "rename", "-x", id, "--new-name", "by another command")[0])
    steps("listed", lambda: "by another command" in _command(steps, "experiments", "search")[1])
    steps("deleted", lambda: _command(steps, "experiments", "delete", "-x", id)[0])
    steps("listed no more", lambda: "by another command" in _command(steps, "experiments", "search")[1])
    steps("listed as deleted", lambda: "by another command" in _command(steps, "experiments", "search", "-v", "deleted_only")[1])
    steps("restored", lambda: _command(steps, "experiments", "restore", "-x", id)[0])
    run = steps.client.create_run(id, run_name="one", start_time=1000)
    steps.client.log_metric(run.info.run_id, "m", 0.5)
    table = steps.directory / "table.csv"
    steps("as a table", lambda: [_command(steps, "experiments", "csv", "-x", id, "-o", table)[0], sorted(table.read_text().splitlines()[0].split(","))])


def runs(steps):
    client = steps.client
    experiment = client.create_experiment("runs by command")
    run = client.create_run(experiment, run_name="one", start_time=1000, tags={"a": "1"}).info.run_id
    client.log_batch(run)
    client.set_terminated(run, end_time=2000)
    steps("described", lambda: _described(steps, run))
    steps("listed", lambda: _command(steps, "runs", "list", "--experiment-id", experiment))
    steps("deleted", lambda: _command(steps, "runs", "delete", "--run-id", run)[0])
    steps("listed as deleted", lambda: _command(steps, "runs", "list", "--experiment-id", experiment, "-v", "deleted_only"))
    steps("restored", lambda: _command(steps, "runs", "restore", "--run-id", run)[0])
    steps("described none", lambda: _command(steps, "runs", "describe", "--run-id", "f" * 32)[0])


def _described(steps, run):
    code, said = _command(steps, "runs", "describe", "--run-id", run)
    return [code, re.sub(r'"mlflow-artifacts:[^"]*"', '"<place>"', re.sub(r'"experiment_id": "\d+"', "", said))]


def artifacts(steps):
    run = steps.client.create_run("0").info.run_id
    folder = steps.directory / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "one").write_text("one")
    (folder / "deep/two").write_text("two")
    steps("one up", lambda: _command(steps, "artifacts", "log-artifact", "-l", folder / "one", "-r", run, "-a", "named")[0])
    steps("all up", lambda: _command(steps, "artifacts", "log-artifacts", "-l", folder, "-r", run)[0])
    steps("listed", lambda: _command(steps, "artifacts", "list", "-r", run))
    steps("listed in a folder", lambda: _command(steps, "artifacts", "list", "-r", run, "-a", "deep"))
    down = steps.directory / "down"
    down.mkdir()
    steps("down", lambda: [_command(steps, "artifacts", "download", "-r", run, "-d", down)[0], sorted(str(one.relative_to(down)) for one in down.rglob("*"))])
