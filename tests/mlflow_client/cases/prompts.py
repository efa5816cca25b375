"""Prompts: to the server, registered models and versions with tags."""

import mlflow


def made(steps):
    client = steps.client
    steps("made", client.create_prompt, "made", "told", {"a": "1"})
    steps("made again", client.create_prompt, "made")
    steps("read", client.get_prompt, "made")
    steps("none", client.get_prompt, "no-such")
    steps("tagged", client.set_prompt_tag, "made", "b", "2")
    steps("untagged", client.delete_prompt_tag, "made", "a")
    steps("a version", client.create_prompt_version, "made", "Say {{ what }}.", "first", {"v": "1"})
    steps("a conversation", client.create_prompt_version, "made", [{"role": "user", "content": "Say {{ what }}"}], response_format={"type": "object"})
    steps("read one", client.get_prompt_version, "made", 1)
    steps("read the other", client.get_prompt_version, "made", "2")
    steps("read no version", client.get_prompt_version, "made", 9)
    steps("a tag of one", client.set_prompt_version_tag, "made", 1, "w", "2")
    steps("no tag of one", client.delete_prompt_version_tag, "made", 1, "v")
    steps("alias", client.set_prompt_alias, "made", "best", 1)
    steps("by alias", client.get_prompt_version_by_alias, "made", "best")
    steps("by no alias", client.get_prompt_version_by_alias, "made", "worst")
    steps("loaded", client.load_prompt, "prompts:/made@best")
    steps("loaded by number", client.load_prompt, "made", 2)
    steps("not loaded", client.load_prompt, "no-such", 1, allow_missing=True)
    steps("its uri", client.parse_prompt_uri, "prompts:/made/1")
    steps("versions", lambda: sorted(one.version for one in client.search_model_versions("name = 'made'")))
    steps("not a model", client.get_registered_model, "made")
    steps("not among models", client.search_registered_models, "name = 'made'")
    steps("searched versions", client.search_prompt_versions, "made")
    steps("no alias", client.delete_prompt_alias, "made", "best")
    steps("a version less", client.delete_prompt_version, "made", "1")
    steps("deleted", client.delete_prompt, "made")
    steps("a version of a deleted one", client.delete_prompt_version, "made", "2")
    steps("deleted again", client.delete_prompt, "made")
    steps("found no more", client.get_prompt, "made")


def of_runs(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    prompt = steps("registered", client.register_prompt, "linked", "Say {{ what }}.", "first", {"a": "1"})
    steps("linked", client.link_prompt_version_to_run, run, prompt)
    steps("its run", lambda: client.get_run(run).data.tags)
    steps("linked prompts", client.list_logged_prompts, run)
    steps("detached", client.detach_prompt_from_run, run, prompt.uri)
    model = client.create_logged_model("0", "prompted").model_id
    steps("linked to a model", client.link_prompt_version_to_model, "linked", "1", model)
    steps("its model", lambda: client.get_logged_model(model).tags)


def found(steps):
    client = steps.client
    for n in range(4):
        client.register_prompt(f"found-{n}", "Say {{ what }}.", tags={"group": "even" if n % 2 == 0 else "odd"})
    client.create_registered_model("found-model")

    def names(*arguments, **keywords):
        found = client.search_prompts(*arguments, **keywords)
        return [[one.name for one in found], bool(found.token)]

    for filter in (None, "", "name = 'found-1'", "name LIKE 'found%'", "name ILIKE 'FOUND%'", "tags.group = 'odd'", "none = 'a'", "name = 'found-model'"):
        steps(f"where {filter}", lambda: [one for one in names(filter, order_by=["name"])[0] if one.startswith("found")])
    steps("a page", names, "name LIKE 'found%'", 3, order_by=["name"])


def fluent(steps):
    steps("registered", mlflow.register_prompt, "fluent", "Say {{ what }}.", tags={"a": "1"})
    steps("registered again", lambda: mlflow.register_prompt("fluent", "Say {{ what }} twice.").version)
    steps("alias", mlflow.set_prompt_alias, "fluent", "best", 2)
    steps("loaded", lambda: mlflow.load_prompt("prompts:/fluent@best").format(what="it"))
    steps("no alias", mlflow.delete_prompt_alias, "fluent", "best")
    steps("found", lambda: [one.name for one in mlflow.search_prompts("name = 'fluent'")])
