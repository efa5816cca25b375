"""What a case does, step by step, and its answers in a form that two servers can agree on."""

import dataclasses
import enum
import math
import re
import time

import mlflow
import numpy
import pandas
import requests
from mlflow.entities import Trace
from mlflow.entities._mlflow_object import _MlflowObject
from mlflow.store.entities import PagedList

STARTED = time.time() - 60
ID = re.compile(r"(?:(?:m|tr|a)-)?\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
EXPERIMENT_IN_URI = re.compile(r"^(mlflow-artifacts:/+)(?:127\.0\.0\.1:\d+/)?(?!models/)[^/<]+")
ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
RANDOM_NAME = re.compile(r"^(?:[a-z]+-[a-z]+-\d+|(?:run|model)-[0-9a-f]+)$")


class Response:
    """The status of the last response, seen as the client sends its requests."""

    status = None


_send = requests.adapters.HTTPAdapter.send


def _send_and_watch(self, *arguments, **keywords):
    response = _send(self, *arguments, **keywords)
    Response.status = response.status_code
    return response


requests.adapters.HTTPAdapter.send = _send_and_watch


class Steps:
    """The steps of one case. Each is called by a name, and what came of it is kept under it."""

    def __init__(self, client, directory):
        self.client = client
        self.directory = directory
        self.kept = {}
        self._ids = {}
        self._experiments = {}

    def __call__(self, name, call, /, *arguments, **keywords):
        """What the call answered, or None if it failed."""
        if name in self.kept:
            raise ValueError(f"two steps are named {name!r}")
        Response.status = None
        try:
            answer = call(*arguments, **keywords)
        except mlflow.MlflowException as error:
            self.kept[name] = {
                "error": error.error_code,
                "status": Response.status,
                "message": self.message(error.message),
            }
            return None
        except Exception as error:  # The client itself stumbled.
            self.kept[name] = {"raised": type(error).__name__, "message": self.message(str(error))}
            return None
        self.kept[name] = {"answer": self.plain(answer)}
        return answer

    def message(self, text):
        """Without ids, of which a message may say more or fewer than another."""
        return re.sub(r"\d+", "<number>", self.text(ID.sub("<id>", text)))

    def text(self, text):
        text = ID.sub(lambda found: self.id(found.group()), ADDRESS.sub("<address>", text))
        return EXPERIMENT_IN_URI.sub(r"\1<experiment>", text)

    def id(self, value):
        return self._ids.setdefault(value, f"<id {len(self._ids) + 1}>")

    def experiment(self, value):
        if str(value) == "0":
            return "0"
        return self._experiments.setdefault(str(value), f"<experiment {len(self._experiments) + 1}>")

    def field(self, name, value):
        if name in ("experiment_id", "source_experiment_id", "mlflow.experimentId") and value:
            return self.experiment(value)
        if name == "experiment_ids" and value is not None:
            return [self.experiment(one) for one in value]
        # Names of runs and models that nobody named are drawn by the server.
        if name in ("name", "run_name", "mlflow.runName", "tags.mlflow.runName") and RANDOM_NAME.match(str(value)):
            return "<a name>"
        return self.plain(value)

    def plain(self, value):
        """As JSON has it, without what no two servers share: ids, addresses, the time."""
        if isinstance(value, (numpy.generic, numpy.ndarray)):
            value = value.tolist()
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return value.name
        if isinstance(value, int):
            return "<time>" if self.is_now(value) else value
        if isinstance(value, float):
            if self.is_now(value):
                return "<time>"
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return {"bytes": value.hex()}
        if isinstance(value, pandas.Timestamp):
            return "<time>" if value.timestamp() > STARTED else str(value)
        if isinstance(value, pandas.DataFrame):
            columns = {str(name): value[name].tolist() for name in value.columns}
            return {"type": "DataFrame", "rows": len(value), **self.fields(columns.items(), each=True)}
        if isinstance(value, PagedList):
            return {"page": [self.plain(one) for one in value], "is there more": bool(value.token)}
        if isinstance(value, dict):
            return self.fields(value.items())
        if isinstance(value, (list, tuple)):
            return [self.plain(one) for one in value]
        if isinstance(value, (set, frozenset)):
            return sorted(self.plain(one) for one in value)
        if isinstance(value, Trace):
            return {"info": self.plain(value.info), "spans": [span(one, self) for one in value.data.spans]}
        if isinstance(value, _MlflowObject):
            return {"type": type(value).__name__, **self.fields(value)}
        if dataclasses.is_dataclass(value):
            names = [field.name for field in dataclasses.fields(value)]
            return {"type": type(value).__name__, **self.fields((n, getattr(value, n)) for n in names)}
        return {"type": type(value).__name__}

    def fields(self, items, each=False):
        def made(name, value):
            return [self.field(name, one) for one in value] if each else self.field(name, value)

        return {self.text(str(name)): made(name, value) for name, value in sorted(items, key=str)}

    @staticmethod
    def is_now(value):
        """Whether this is the time, in any unit, of something that just happened."""
        return any(STARTED * unit < value < (STARTED + 3600) * unit for unit in (1, 1e3, 1e6, 1e9))


def span(span, steps):
    return {
        "name": span.name,
        "type": span.span_type,
        "status": steps.plain(span.status),
        "is root": span.parent_id is None,
        "inputs": steps.plain(span.inputs),
        "outputs": steps.plain(span.outputs),
        "attributes": sorted(span.attributes),
        "events": [event.name for event in span.events],
    }
