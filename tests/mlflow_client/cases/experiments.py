"""Experiments: made, found, renamed, tagged, deleted, restored."""

import mlflow
from mlflow.entities import ExperimentTag, ViewType


def made_and_read(steps):
    client = steps.client
    made = client.create_experiment("made", tags={"owner": "somebody", "ключ": "значение 🌿"})
    steps("read", client.get_experiment, made)
    steps("by name", client.get_experiment_by_name, "made")
    steps("the default one", client.get_experiment, "0")
    steps("with a place of its own", client.create_experiment, "placed", artifact_location="s3://bucket/a")
    steps("read the placed one", client.get_experiment_by_name, "placed")


def missing(steps):
    client = steps.client
    for call in (client.get_experiment, client.delete_experiment, client.restore_experiment):
        steps(f"{call.__name__} of a number", call, "123456789")
        steps(f"{call.__name__} of a word", call, "no-such")
    steps("by name", client.get_experiment_by_name, "no such experiment")
    steps("renamed", client.rename_experiment, "123456789", "other")
    steps("tagged", client.set_experiment_tag, "123456789", "a", "b")
    steps("untagged", client.delete_experiment_tag, "123456789", "a")


def names(steps):
    client = steps.client
    client.create_experiment("taken")
    steps("taken", client.create_experiment, "taken")
    steps("in other letters", lambda: bool(client.create_experiment("Taken")))
    steps("empty", client.create_experiment, "")
    steps("none", client.create_experiment, None)
    steps("a space", client.create_experiment, " ")
    steps("as long as may be", lambda: bool(client.create_experiment("n" * 500)))
    steps("too long", client.create_experiment, "n" * 501)
    steps("unicode", lambda: bool(client.create_experiment("опыт 🌿 / a'b\"c`d%e")))
    steps("unicode by name", client.get_experiment_by_name, "опыт 🌿 / a'b\"c`d%e")
    steps("default, again", client.create_experiment, "Default")
    steps("a number", client.create_experiment, 17)


def renamed(steps):
    client = steps.client
    made = client.create_experiment("before")
    other = client.create_experiment("other name")
    steps("renamed", client.rename_experiment, made, "after")
    steps("read", client.get_experiment, made)
    steps("the old name", client.get_experiment_by_name, "before")
    steps("to a taken one", client.rename_experiment, other, "after")
    steps("to its own", client.rename_experiment, made, "after")
    steps("to nothing", client.rename_experiment, made, "")
    client.delete_experiment(made)
    steps("a deleted one", client.rename_experiment, made, "later")


def tagged(steps):
    client = steps.client
    made = client.create_experiment("tagged")
    steps("set", client.set_experiment_tag, made, "a", "1")
    steps("set again", client.set_experiment_tag, made, "a", "2")
    steps("a number", client.set_experiment_tag, made, "n", 3)
    steps("empty", client.set_experiment_tag, made, "e", "")
    steps("unicode", client.set_experiment_tag, made, "ключ", "🌿")
    steps("long", client.set_experiment_tag, made, "long", "v" * 5000)
    steps("too long", client.set_experiment_tag, made, "longer", "v" * 5001)
    steps("a long key", client.set_experiment_tag, made, "k" * 250, "v")
    steps("a key too long", client.set_experiment_tag, made, "k" * 251, "v")
    steps("no key", client.set_experiment_tag, made, "", "v")
    steps("a key that climbs", client.set_experiment_tag, made, "a/../b", "v")
    steps("read", client.get_experiment, made)
    steps("removed", client.delete_experiment_tag, made, "a")
    steps("removed again", client.delete_experiment_tag, made, "a")
    steps("read at last", client.get_experiment, made)
    client.delete_experiment(made)
    steps("set on a deleted one", client.set_experiment_tag, made, "a", "1")
    steps("tag objects", lambda: bool(client.create_experiment("of tags", tags={t.key: t.value for t in [ExperimentTag("x", "y")]})))


def deleted_and_restored(steps):
    client = steps.client
    made = client.create_experiment("came and went")
    run = client.create_run(made)
    steps("deleted", client.delete_experiment, made)
    steps("still read", client.get_experiment, made)
    steps("still by name", client.get_experiment_by_name, "came and went")
    steps("deleted again", client.delete_experiment, made)
    steps("its name is taken", client.create_experiment, "came and went")
    steps("its run went with it", lambda: client.get_run(run.info.run_id).info.lifecycle_stage)
    steps("a run in it", client.create_run, made)
    steps("restored", client.restore_experiment, made)
    steps("restored again", client.restore_experiment, made)
    steps("read", client.get_experiment, made)
    steps("its run came with it", lambda: client.get_run(run.info.run_id).info.lifecycle_stage)
    steps("the default one goes, too", client.delete_experiment, "0")
    steps("and comes", client.restore_experiment, "0")


def searched(steps):
    client = steps.client
    ids = [client.create_experiment(f"s {n}", tags={"group": "s", "n": str(n)}) for n in range(6)]
    client.create_experiment("S 7", tags={"group": "s"})
    client.delete_experiment(ids[5])

    def names(*arguments, **keywords):
        found = client.search_experiments(*arguments, **keywords)
        return [[one.name for one in found], bool(found.token)]

    mine = "tags.group = 's'"
    orders = ["name", "name ASC", "name DESC", "experiment_id", "creation_time DESC, name", "last_update_time ASC", "nothing", "name UP", "tags.n"]
    for order in orders:
        steps(f"ordered by {order}", names, filter_string=mine, order_by=order.split(", "))
    steps("in no order", names, filter_string=mine)
    for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL):
        steps(f"view {view}", names, view, filter_string=mine, order_by=["name"])
    filters = [
        "name = 's 1'",
        "name != 's 1'",
        "name LIKE 's %'",
        "name ILIKE 's %'",
        "name LIKE '%1'",
        "attribute.name = 's 1'",
        "attributes.name = 's 1'",
        "attr.name = 's 1'",
        "`name` = 's 1'",
        "\"name\" = 's 1'",
        "tags.n = '1'",
        "tag.n = '1'",
        "tags.`n` = '1'",
        "tags.\"n\" = '1'",
        "tags.n != '1'",
        "tags.n LIKE '%'",
        "tags.n ILIKE '%'",
        "tags.n IS NULL",
        "tags.n IS NOT NULL",
        "creation_time > 0",
        "creation_time < 0",
        "last_update_time >= 1",
        "creation_time = 'x'",
        "name = 5",
        "name > 's'",
        "name IN ('s 1')",
        "name = 's 1' OR name = 's 2'",
        "name",
        "=",
        "params.a = '1'",
        "name = 's 1",
        "lifecycle_stage = 'active'",
        "experiment_id = '1'",
    ]
    for filter in filters:
        steps(f"where {filter}", names, filter_string=f"{filter} AND {mine}", order_by=["name"])
    steps("page 1", names, filter_string=mine, order_by=["name"], max_results=2)
    first = client.search_experiments(filter_string=mine, order_by=["name"], max_results=2)
    steps("page 2", names, filter_string=mine, order_by=["name"], max_results=2, page_token=first.token)
    for number in (0, -1, 1, 50_000, 50_001):
        steps(f"{number} a page", lambda: len(client.search_experiments(filter_string=mine, max_results=number)))
    steps("a token of nobody", names, page_token="nonsense")


def fluent(steps):
    made = mlflow.create_experiment("fluent", tags={"a": "1"})
    steps("read", mlflow.get_experiment, made)
    steps("made active", mlflow.set_experiment, "fluent")
    steps("made active by id", mlflow.set_experiment, experiment_id=made)
    steps("made active, anew", lambda: mlflow.set_experiment("fluent, anew").name)
    steps("tagged", mlflow.set_experiment_tag, "b", "2")
    steps("found", mlflow.search_experiments, filter_string="name LIKE 'fluent%'", order_by=["name"])
    steps("found, at most", lambda: len(mlflow.search_experiments(max_results=1)))
    steps("deleted", mlflow.delete_experiment, made)
    steps("found deleted", lambda: [one.name for one in mlflow.search_experiments(ViewType.DELETED_ONLY, filter_string="name = 'fluent'")])
    steps("a deleted one, active", mlflow.set_experiment, "fluent")
    steps("restored", mlflow.restore_experiment, made)
    steps("none, active", mlflow.set_experiment, experiment_id="123456789")
    steps("where the server is", lambda: [mlflow.is_tracking_uri_set(), mlflow.get_tracking_uri() == mlflow.get_registry_uri()])
    uri = mlflow.get_tracking_uri()

    def elsewhere():
        mlflow.set_tracking_uri(uri + "/")
        mlflow.set_registry_uri(uri + "/")
        return [mlflow.get_tracking_uri() == uri + "/", mlflow.get_experiment(made).name]

    steps("with a slash at its end", elsewhere)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
