"""What MLflow's client offers, and which of it the cases call: calls.toml is held against both."""

import fnmatch
import functools
import inspect
import pathlib
import sys
import tomllib

import mlflow

LIST = pathlib.Path(__file__).parent / "calls.toml"
PLACES = {"MlflowClient": mlflow.MlflowClient, "mlflow": mlflow, "mlflow.artifacts": mlflow.artifacts}


def offered(place):
    """The names of the public calls in one of the places."""
    owner = PLACES[place]
    if inspect.isclass(owner):
        return {name for name, call in inspect.getmembers(owner, callable) if not name.startswith("_")}
    calls = inspect.getmembers(owner, inspect.isfunction)
    if hasattr(owner, "__all__"):
        return {name for name, _ in calls if name in owner.__all__}
    return {name for name, call in calls if not name.startswith("_") and call.__module__ == owner.__name__}


class Watched:
    """Notes every call that a case makes by itself; what the client calls within is not counted."""

    def __init__(self):
        self._seen = set()
        for place, owner in PLACES.items():
            for name in offered(place):
                if not isinstance(inspect.getattr_static(owner, name), (staticmethod, classmethod)):
                    setattr(owner, name, self._watch(f"{place}.{name}", getattr(owner, name)))

    def _watch(self, name, call):
        @functools.wraps(call)
        def watched(*arguments, **keywords):
            caller = sys._getframe(1).f_globals.get("__name__", "")
            if caller == "steps" or caller.startswith("cases."):
                self._seen.add(name)
            return call(*arguments, **keywords)

        return watched

    def taken(self):
        """What was called since this was asked before."""
        seen, self._seen = self._seen, set()
        return sorted(seen)


def lies(called):
    """What calls.toml says that is not so, given what each case called."""
    listed = tomllib.loads(LIST.read_text())
    left_out, together = listed.pop("left_out"), listed.pop("together")
    for place in PLACES:
        asked = {name: [cases] if isinstance(cases, str) else cases for name, cases in listed[place].items()}
        for group in together:
            asked |= {name: [group["cases"]] for name in group.get(place, [])}
        optional = {group["cases"] for group in together if not any(fnmatch.fnmatchcase(case, group["cases"]) for case in called)}
        for name, patterns in asked.items():
            calling = [case for case, seen in called.items() if f"{place}.{name}" in seen]
            for pattern in patterns:
                if pattern not in optional and not fnmatch.filter(calling, pattern):
                    yield f"{place}.{name} is listed as called by {pattern}, which does not"
        others = {name: group["reason"] for group in left_out for name in group.get(place, [])}
        for name, reason in others.items():
            if name in asked:
                yield f"{place}.{name} is both asked for and left out"
            if any(f"{place}.{name}" in seen for seen in called.values()):
                yield f"{place}.{name} is left out ({reason}), but called"
        known = asked.keys() | others.keys()
        for name in sorted(offered(place) - known):
            yield f"{place}.{name} is offered by the client, and not listed"
        for name in sorted(known - offered(place)):
            yield f"{place}.{name} is listed, and not offered by the client"
