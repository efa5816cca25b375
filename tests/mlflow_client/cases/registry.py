"""The model registry: registered models, their versions, tags, aliases, stages; found again."""

import mlflow

_NAMES = ["n" * 256, "n" * 257, "", " ", "a/b", "a:b", "a.b", "a b", "a%b", "a'b\"c", "модель 🌿", ".", ".."]
_KEYS = ["k" * 250, "k" * 251, "", ".", "a/b", "/a", "a/../b", "a b", "a:b", "a%b", "a'b", "🌿", "a\\b"]


def _model(steps, name, versions=0, **keywords):
    steps.client.create_registered_model(name, **keywords)
    for n in range(versions):
        steps.client.create_model_version(name, f"s3://bucket/{name}/{n + 1}")
    return name


def models(steps):
    client = steps.client
    steps("made", client.create_registered_model, "made", tags={"owner": "somebody", "ключ": "🌿"}, description="told")
    steps("made again", client.create_registered_model, "made")
    steps("in other letters", client.create_registered_model, "Made")
    steps("read", client.get_registered_model, "made")
    steps("described", client.update_registered_model, "made", "told\nanew 🌿")
    steps("described by nothing", client.update_registered_model, "made", "")
    steps("described by none", client.update_registered_model, "made")
    steps("of a deployment", client.create_registered_model, "deployed", deployment_job_id="job")
    steps("read of a deployment", client.get_registered_model, "deployed")
    steps("renamed", client.rename_registered_model, "made", "renamed")
    steps("the old name", client.get_registered_model, "made")
    steps("read renamed", client.get_registered_model, "renamed")
    steps("to a taken name", client.rename_registered_model, "renamed", "Made")
    steps("to its own", client.rename_registered_model, "renamed", "renamed")
    steps("to nothing", client.rename_registered_model, "renamed", "")
    steps("to blanks", client.rename_registered_model, "renamed", "  ")
    steps("deleted", client.delete_registered_model, "renamed")
    steps("deleted again", client.delete_registered_model, "renamed")
    steps("read deleted", client.get_registered_model, "renamed")
    steps("made where one was", client.create_registered_model, "renamed")
    for call in (client.update_registered_model, client.get_registered_model, client.get_latest_versions):
        steps(f"{call.__name__} of none", call, "no such model")
    steps("renamed none", client.rename_registered_model, "no such model", "other")
    for name in _NAMES:
        steps(f"named {name[:20]!r} of {len(name)}", lambda: client.create_registered_model(name).name)
        steps(f"read {name[:20]!r} of {len(name)}", lambda: client.get_registered_model(name).name)


def versions(steps):
    client = steps.client
    name = _model(steps, "with versions")
    run = client.create_run("0").info.run_id
    source = client.get_run(run).info.artifact_uri
    steps("of a run", client.create_model_version, name, f"{source}/model", run, tags={"a": "1", "ключ": "🌿"}, description="told")
    steps("of its uri", client.create_model_version, name, f"runs:/{run}/model", run)
    steps("of a bucket", client.create_model_version, name, "s3://bucket/a", run_link="http://somewhere/run")
    for place in ("", " ", "/etc", "file:///etc", "./here", "../there", "s3://bucket/../other", "models:/none/1", "models:/with versions/3", "http://somewhere/a", "nonsense://a", "mlflow-artifacts:/0/../1", f"{source}/../../secret"):
        steps(f"of {place[:8]!r} {place[-12:]!r}", client.create_model_version, name, place)
    steps("of a run that is not there", client.create_model_version, name, "s3://bucket/a", "f" * 32)
    steps("of no run's id", client.create_model_version, name, "s3://bucket/a", "not an id")
    steps("in no model", client.create_model_version, "no such model", "s3://bucket/a")
    steps("with a tag too long", client.create_model_version, name, "s3://bucket/a", tags={"a": "v" * 100_001})
    steps("described", client.update_model_version, name, "1", "anew")
    steps("described by nothing", client.update_model_version, name, "1", "")
    steps("described by none", client.update_model_version, name, "1")
    steps("read", client.get_model_version, name, "1")
    for version in ("99", "0", "-1", "one", "1.0", "", None, 1):
        steps(f"read {version!r}", client.get_model_version, name, version)
    steps("where it is", client.get_model_version_download_uri, name, "1")
    steps("where the one of a uri is", client.get_model_version_download_uri, name, "2")
    steps("where none is", client.get_model_version_download_uri, name, "99")
    steps("deleted", client.delete_model_version, name, "3")
    steps("deleted again", client.delete_model_version, name, "3")
    steps("read deleted", client.get_model_version, name, "3")
    steps("described deleted", client.update_model_version, name, "3", "late")
    steps("where the deleted one is", client.get_model_version_download_uri, name, "3")
    steps("the next has a new number", lambda: client.create_model_version(name, "s3://bucket/next").version)
    steps("the model", client.get_registered_model, name)
    steps("renamed", client.rename_registered_model, name, "renamed with versions")
    steps("read by its new name", client.get_model_version, "renamed with versions", "1")
    steps("read by its old name", client.get_model_version, name, "1")


def copied(steps):
    client = steps.client
    name = _model(steps, "copied from", 2)
    client.set_model_version_tag(name, "1", "a", "1")
    client.set_registered_model_alias(name, "best", "2")
    steps("to a new model", client.copy_model_version, f"models:/{name}/1", "copied to")
    steps("by its alias", client.copy_model_version, f"models:/{name}@best", "copied to")
    steps("to its own model", client.copy_model_version, f"models:/{name}/1", name)
    steps("read", client.get_model_version, "copied to", "1")
    steps("where it is", client.get_model_version_download_uri, "copied to", "1")
    steps("the copy of a copy", client.copy_model_version, "models:/copied to/1", "copied on")
    steps("of none", client.copy_model_version, f"models:/{name}/99", "copied to")
    steps("of no model", client.copy_model_version, "runs:/a/b", "copied to")
    client.delete_model_version(name, "1")
    steps("where it is when that is gone", client.get_model_version_download_uri, "copied to", "1")


def tags(steps):
    client = steps.client
    name = _model(steps, "tagged", 2)
    of = {
        "model": lambda call, *rest: getattr(client, f"{call}_registered_model_tag")(name, *rest),
        "version": lambda call, *rest: getattr(client, f"{call}_model_version_tag")(name, "1", *rest),
    }
    for what, tag in of.items():
        steps(f"{what}: set", tag, "set", "a", "1")
        steps(f"{what}: set again", tag, "set", "a", "2")
        steps(f"{what}: a number", tag, "set", "n", 3)
        steps(f"{what}: empty", tag, "set", "e", "")
        steps(f"{what}: unicode", tag, "set", "ключ", "🌿")
        steps(f"{what}: long", tag, "set", "long", "v" * 5000)
        steps(f"{what}: longer", tag, "set", "longer", "v" * 5001)
        steps(f"{what}: as long as may be", tag, "set", "longest", "v" * 100_000)
        steps(f"{what}: too long", tag, "set", "too long", "v" * 100_001)
        for key in _KEYS:
            steps(f"{what}: key {key[:20]!r} of {len(key)}", tag, "set", key, "v")
        steps(f"{what}: removed", tag, "delete", "a")
        steps(f"{what}: removed again", tag, "delete", "a")
        steps(f"{what}: removed without a key", tag, "delete", "")

    def kept(tags):
        return {key: value if len(value) < 100 else len(value) for key, value in tags.items()}

    steps("of the model", lambda: kept(client.get_registered_model(name).tags))
    steps("of the version", lambda: kept(client.get_model_version(name, "1").tags))
    steps("by stage", client.set_model_version_tag, name, key="s", value="1", stage="None")
    steps("removed by stage", client.delete_model_version_tag, name, key="s", stage="None")
    steps("by no stage of that name", client.set_model_version_tag, name, key="s", value="1", stage="Production")
    steps("by both", client.set_model_version_tag, name, "1", "s", "1", "None")
    steps("by neither", client.set_model_version_tag, name, None, "s", "1")
    steps("of no model", client.set_registered_model_tag, "no such model", "a", "1")
    steps("removed of no model", client.delete_registered_model_tag, "no such model", "a")
    steps("of no version", client.set_model_version_tag, name, "99", "a", "1")
    steps("removed of no version", client.delete_model_version_tag, name, "99", "a")


def aliases(steps):
    client = steps.client
    name = _model(steps, "known by aliases", 3)
    steps("set", client.set_registered_model_alias, name, "best", "1")
    steps("by it", client.get_model_version_by_alias, name, "best")
    steps("moved", client.set_registered_model_alias, name, "best", "2")
    steps("by it, moved", client.get_model_version_by_alias, name, "best")
    steps("another of one version", client.set_registered_model_alias, name, "also", "2")
    steps("in other letters", client.set_registered_model_alias, name, "Best", "3")
    steps("by it in other letters", lambda: client.get_model_version_by_alias(name, "BEST").version)
    for alias in ("", "v1", "V1", "version", "1", "17", "latest", "Latest", "a b", "a.b", "a-b_c", "a/b", "a:b", "ключ", "🌿", "n" * 255, "n" * 256, "-a", "_a"):
        steps(f"named {alias[:20]!r} of {len(alias)}", client.set_registered_model_alias, name, alias, "1")
    steps("of no version", client.set_registered_model_alias, name, "none", "99")
    steps("of a word", client.set_registered_model_alias, name, "word", "one")
    steps("in no model", client.set_registered_model_alias, "no such model", "a", "1")
    steps("the model", client.get_registered_model, name)
    steps("the version", client.get_model_version, name, "2")
    steps("removed", client.delete_registered_model_alias, name, "also")
    steps("removed again", client.delete_registered_model_alias, name, "also")
    steps("by a removed one", client.get_model_version_by_alias, name, "also")
    steps("by none", client.get_model_version_by_alias, name, "no-such")
    steps("in no model by one", client.get_model_version_by_alias, "no such model", "best")
    steps("removed in no model", client.delete_registered_model_alias, "no such model", "best")
    client.delete_model_version(name, "2")
    steps("of a deleted version", client.get_model_version_by_alias, name, "best")
    steps("the model at last", client.get_registered_model, name)


def stages(steps):
    client = steps.client
    name = _model(steps, "in stages", 4)
    steps("there are", client.get_model_version_stages, name, "1")
    steps("to staging", client.transition_model_version_stage, name, "1", "Staging")
    steps("in other letters", client.transition_model_version_stage, name, "2", "staging")
    steps("to production", client.transition_model_version_stage, name, "3", "Production")
    steps("another, the first archived", client.transition_model_version_stage, name, "4", "Production", True)
    steps("the first", lambda: client.get_model_version(name, "3").current_stage)
    steps("to none, archiving", client.transition_model_version_stage, name, "1", "None", True)
    steps("to archived, archiving", client.transition_model_version_stage, name, "1", "Archived", True)
    steps("to nowhere", client.transition_model_version_stage, name, "1", "Nowhere")
    steps("to nothing", client.transition_model_version_stage, name, "1", "")
    steps("of no version", client.transition_model_version_stage, name, "99", "Staging")
    steps("of no model", client.transition_model_version_stage, "no such model", "1", "Staging")

    def latest(*stages):
        return sorted((one.current_stage, one.version) for one in client.get_latest_versions(name, *stages))

    steps("the latest", latest)
    steps("the latest of some", latest, ["None", "production"])
    steps("the latest of none", latest, [])
    steps("the latest of nowhere", latest, ["Nowhere"])
    steps("the latest, whole", client.get_latest_versions, name, ["Production"])
    steps("found by stage", lambda: sorted(one.version for one in client.search_model_versions(f"name = '{name}'") if one.current_stage == "Production"))


def found_models(steps):
    client = steps.client
    for n in range(6):
        _model(steps, f"found {n}", n % 3, tags={"group": "f", "n": str(n)}, description=f"number {n}")
    _model(steps, "Found 7", tags={"group": "f"})

    def names(*arguments, **keywords):
        found = client.search_registered_models(*arguments, **keywords)
        return [[one.name for one in found], bool(found.token)]

    mine = "tags.group = 'f'"
    filters = """
name = 'found 1'
name != 'found 1'
name LIKE 'found%'
name LIKE '%nd 1'
name ILIKE 'FOUND%'
name like 'found%'
name > 'a'
name IN ('found 1')
name = 5
name IS NULL
`name` = 'found 1'
"name" = 'found 1'
attribute.name = 'found 1'
attributes.name = 'found 1'
model.name = 'found 1'
tags.n = '1'
tag.n = '1'
tags.`n` = '1'
tags."n" = '1'
tags.n != '1'
tags.n LIKE '%'
tags.n ILIKE '%'
tags.n > '1'
tags.n = 1
tags.n IS NULL
tags.n IS NOT NULL
tags.n IN ('1')
tags.none = '1'
params.n = '1'
description = 'number 1'
creation_timestamp > 0
last_updated_timestamp > 0
name = 'found 1' OR name = 'found 2'
(name = 'found 1')
name = 'found 1
name
=
"""
    for filter in filters.strip().splitlines():
        steps(f"where {filter}", names, f"{filter} AND {mine}", order_by=["name"])
    steps("where all", lambda: len(client.search_registered_models()) > 6)
    steps("where ''", lambda: len(client.search_registered_models("")) > 6)
    for order in ("name", "name ASC", "name DESC", "name asc", "timestamp, name", "last_updated_timestamp DESC, name", "creation_timestamp", "tags.n", "none", "name UP", ""):
        steps(f"ordered by {order}", names, mine, order_by=order.split(", "))
    for number in (0, -1, 1, 3, 1000, 1001):
        steps(f"{number} a page", names, mine, order_by=["name"], max_results=number)
    first = client.search_registered_models(mine, order_by=["name"], max_results=3)
    steps("the second page", names, mine, order_by=["name"], max_results=3, page_token=first.token)
    steps("a token of nobody", names, mine, page_token="nonsense")
    steps("as a whole", client.search_registered_models, mine, order_by=["name"])


def found_versions(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    for name in ("seen a", "seen b"):
        client.create_registered_model(name)
        for n in range(3):
            client.create_model_version(name, f"s3://bucket/{name}/{n}", run if n == 1 else None, tags={"group": "v", "n": str(n)})
    client.set_registered_model_alias("seen a", "best", "2")
    client.transition_model_version_stage("seen a", "2", "Staging")
    client.delete_model_version("seen b", "3")

    def versions(*arguments, **keywords):
        found = client.search_model_versions(*arguments, **keywords)
        return [[[one.name, one.version] for one in found], bool(found.token)]

    mine = "tags.group = 'v'"
    filters = """
name = 'seen a'
name != 'seen a'
name LIKE 'seen%'
name ILIKE 'SEEN%'
name IN ('seen a')
version_number = 1
version_number != 1
version_number > 1
version_number >= 2
version_number < 2
version_number <= 1
version_number = '1'
version_number = 'one'
version_number LIKE '1'
version = 1
run_id = 'nobody'
run_id IN ('a', 'b')
run_id IN ()
run_id IN ('a'
run_id NOT IN ('a')
run_id LIKE '%'
run_id != 'a'
source_path = 's3://bucket/seen a/0'
source_path LIKE 's3%'
source_path ILIKE 'S3%'
source_path != 'a'
attribute.name = 'seen a'
attributes.version_number = 1
`name` = 'seen a'
tags.n = '1'
tags.`n` = '1'
tags.n != '1'
tags.n LIKE '%'
tags.n ILIKE '%'
tags.n IS NULL
tags.n > '1'
tag.n = '1'
params.n = '1'
current_stage = 'Staging'
alias = 'best'
status = 'READY'
user_id = ''
creation_timestamp > 0
name = 'seen a' OR name = 'seen b'
(name = 'seen a')
name
=
"""
    for filter in filters.strip().splitlines():
        steps(f"where {filter}", versions, f"{filter} AND {mine}", order_by=["name ASC", "version_number ASC"])
    steps("of a run", versions, f"run_id = '{run}'", order_by=["name"])
    steps("of runs", versions, f"run_id IN ('{run}', 'nobody')", order_by=["name"])
    orders = ["name", "name DESC, version_number DESC", "version_number, name", "creation_timestamp, name, version_number", "last_updated_timestamp DESC, name", "run_id, name, version_number", "source_path", "current_stage", "tags.n", "none", "name UP", ""]
    for order in orders:
        steps(f"ordered by {order}", versions, mine, order_by=order.split(", "))
    for number in (0, -1, 1, 3, 200_000, 200_001):
        steps(f"{number} a page", versions, mine, order_by=["name", "version_number"], max_results=number)
    first = client.search_model_versions(mine, order_by=["name", "version_number"], max_results=3)
    steps("the second page", versions, mine, order_by=["name", "version_number"], max_results=3, page_token=first.token)
    steps("as a whole", client.search_model_versions, mine, order_by=["name", "version_number"])


def fluent(steps):
    mlflow.set_experiment("fluent registry")
    with mlflow.start_run() as run:
        mlflow.log_dict({"flavors": {}}, "model/MLmodel")
    steps("registered", mlflow.register_model, f"runs:/{run.info.run_id}/model", "registered", tags={"a": "1"})
    steps("registered again", lambda: mlflow.register_model(f"runs:/{run.info.run_id}/model", "registered").version)
    steps("what is not there", mlflow.register_model, f"runs:/{run.info.run_id}/none", "registered none")
    steps("of a run that is not there", mlflow.register_model, f"runs:/{'f' * 32}/model", "registered none")
    steps("tagged", mlflow.set_model_version_tag, "registered", "1", "b", "2")
    steps("models", mlflow.search_registered_models, filter_string="name = 'registered'")
    steps("versions", mlflow.search_model_versions, filter_string="name = 'registered'", order_by=["version_number"])
    steps("versions, at most", lambda: len(mlflow.search_model_versions(max_results=1, filter_string="name = 'registered'")))
