"""Artifacts: files, folders, texts, figures, tables, images; up, listed, down."""

import pathlib

import mlflow


def _listed(client, run, path=None):
    return sorted((one.path, one.is_dir, one.file_size) for one in client.list_artifacts(run, path))


def files(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    plain = steps.directory / "plain.txt"
    plain.write_bytes(b"hello\n")
    empty = steps.directory / "empty"
    empty.write_bytes(b"")
    odd = steps.directory / "имя с 🌿 %20+#?.bin"
    odd.write_bytes(bytes(range(256)) * 40)
    steps("one", client.log_artifact, run, str(plain))
    steps("in a folder", client.log_artifact, run, str(plain), "a/b")
    steps("empty", client.log_artifact, run, str(empty))
    steps("an odd name", client.log_artifact, run, str(odd), "odd")
    steps("over another", client.log_artifact, run, str(plain))
    steps("one that is not there", client.log_artifact, run, str(steps.directory / "none"))
    steps("upwards", client.log_artifact, run, str(plain), "../up")
    steps("from the root", client.log_artifact, run, str(plain), "/root")
    for path in (None, "a", "a/b", "a/b/plain.txt", "odd", "none", "..", "/", "a/../a", ""):
        steps(f"listed {path!r}", _listed, client, run, path)
    for path in ("plain.txt", "a/b/plain.txt", "empty", "odd/имя с 🌿 %20+#?.bin"):
        steps(f"down {path}", lambda: pathlib.Path(client.download_artifacts(run, path)).read_bytes())
    for path in ("none", "a/none", "../plain.txt"):
        steps(f"down {path}", client.download_artifacts, run, path)

    def everything(path):
        found = pathlib.Path(client.download_artifacts(run, path))
        return sorted([str(one.relative_to(found)), one.stat().st_size] for one in found.rglob("*") if one.is_file())

    steps("down, all", everything, "")
    steps("down, a folder", everything, "a")
    client.delete_run(run)
    steps("listed of a deleted run", _listed, client, run)
    steps("to a deleted run", client.log_artifact, run, str(plain), "late")


def folders(steps):
    client = steps.client
    run = client.create_run("0").info.run_id
    folder = steps.directory / "folder"
    (folder / "deep/er").mkdir(parents=True)
    (folder / "nothing").mkdir()
    for name in ("one", "deep/two", "deep/er/three"):
        (folder / name).write_text(name)
    steps("whole", client.log_artifacts, run, str(folder))
    steps("under a name", client.log_artifacts, run, str(folder), "named")
    for path in (None, "deep", "deep/er", "named", "named/deep", "nothing"):
        steps(f"listed {path}", _listed, client, run, path)


def made_here(steps):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plot
    import numpy
    import pandas
    from PIL import Image

    client = steps.client
    run = client.create_run("0").info.run_id
    steps("text", client.log_text, run, "žluť\n", "texts/a.txt")
    steps("dict as JSON", client.log_dict, run, {"a": [1, None, "ü"]}, "a.json")
    steps("dict as YAML", client.log_dict, run, {"a": [1, None, "ü"]}, "a.yaml")
    steps("dict without an ending", client.log_dict, run, {"a": 1}, "plain")
    steps("figure", client.log_figure, run, plot.figure(), "figures/f.png")
    steps("image", client.log_image, run, numpy.zeros((4, 4, 3), dtype=numpy.uint8), "i.png")
    steps("image of PIL", client.log_image, run, Image.new("L", (3, 3)), "pil.png")
    steps("image of a step", client.log_image, run, Image.new("RGB", (3, 3)), key="seen", step=2, timestamp=1000, synchronous=True)
    steps("table", client.log_table, run, pandas.DataFrame({"a": [1, 2], "b": ["x", "ü"]}), "table.json")
    steps("table, longer", client.log_table, run, {"a": [3], "b": ["z"]}, "table.json")
    steps("table back", lambda: mlflow.load_table("table.json", run_ids=[run]))
    steps("table back of all", client.load_table, "0", "table.json", [run], ["run_id"])
    steps("table that is none", client.load_table, "0", "none.json", [run])
    steps("stream", client.log_stream, run, __import__("io").BytesIO(b"streamed"), "stream.bin")
    for path in ("texts/a.txt", "a.json", "a.yaml", "plain", "stream.bin"):
        steps(f"down {path}", lambda: pathlib.Path(client.download_artifacts(run, path)).read_bytes())
    steps("listed", lambda: [one[:2] for one in _listed(client, run)])
    steps("tags", lambda: client.get_run(run).data.tags)


def fluent(steps):
    import io

    import matplotlib.pyplot as plot
    from PIL import Image

    mlflow.set_experiment("fluent artifacts")
    with mlflow.start_run() as run:
        steps("text", mlflow.log_text, "a", "a.txt")
        steps("dict", mlflow.log_dict, {"a": 1}, "a.json")
        file = steps.directory / "f"
        file.write_text("f")
        steps("file", mlflow.log_artifact, str(file))
        steps("folder", mlflow.log_artifacts, str(steps.directory), "all")
        steps("figure", mlflow.log_figure, plot.figure(), "figure.png", save_kwargs={"dpi": 20})
        steps("image", mlflow.log_image, Image.new("RGB", (3, 2)), "image.png")
        steps("image of a step", mlflow.log_image, Image.new("RGB", (3, 2)), key="seen", step=1, synchronous=False)
        mlflow.flush_artifact_async_logging()
        steps("table", mlflow.log_table, {"a": [1, 2], "b": ["x", None]}, "table.json")
        steps("stream", mlflow.log_stream, io.BytesIO(b"streamed" * 9000), "deep/er/stream.bin")
        steps("uri", mlflow.get_artifact_uri, "a.txt")
    id = run.info.run_id
    steps("to an ended run", mlflow.log_text, "late", "late.txt", run_id=id)

    def listed(uri):
        return sorted(one.path for one in mlflow.artifacts.list_artifacts(uri))

    steps("listed", lambda: sorted(one.path for one in mlflow.artifacts.list_artifacts(run_id=id)))
    steps("listed in a folder", lambda: sorted(one.path for one in mlflow.artifacts.list_artifacts(run_id=id, artifact_path="deep")))
    steps("listed by uri", listed, f"runs:/{id}/all")
    steps("listed by the whole uri", listed, run.info.artifact_uri + "/deep")
    steps("images of steps", lambda: [len(mlflow.artifacts.list_artifacts(f"runs:/{id}/images")), {one.rsplit(".")[-1] for one in listed(f"runs:/{id}/images")}])
    steps("listed of no run", mlflow.artifacts.list_artifacts, f"runs:/{'f' * 32}/a")
    steps("text back", lambda: mlflow.artifacts.load_text(run.info.artifact_uri + "/a.txt"))
    steps("dict back", lambda: mlflow.artifacts.load_dict(run.info.artifact_uri + "/a.json"))
    steps("image back", lambda: mlflow.artifacts.load_image(run.info.artifact_uri + "/image.png").size)
    steps("figure back", lambda: mlflow.artifacts.load_image(run.info.artifact_uri + "/figure.png").size)
    steps("table back", mlflow.load_table, "table.json", run_ids=[id], extra_columns=["run_id"])
    steps("text back that is none", mlflow.artifacts.load_text, run.info.artifact_uri + "/none.txt")
    steps("stream back", lambda: len(pathlib.Path(mlflow.artifacts.download_artifacts(f"runs:/{id}/deep/er/stream.bin")).read_bytes()))
    steps("down", lambda: pathlib.Path(mlflow.artifacts.download_artifacts(f"runs:/{id}/f")).read_text())
    steps("down to a place", lambda: sorted(one.name for one in pathlib.Path(mlflow.artifacts.download_artifacts(run_id=id, artifact_path="all", dst_path=str(steps.directory / "down"))).iterdir()))
