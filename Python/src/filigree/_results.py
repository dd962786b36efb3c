"""What the tools make: files with names of their own, and tables."""

from __future__ import annotations

import base64
import html
import json
import os
import pathlib
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import pandas

from ._tools import Output, run

if TYPE_CHECKING:
    import xarray


class _Made(os.PathLike[str]):
    """A file or folder of the tools; one without a place of its own lives as long as this value."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        notes: tuple[str, ...] = (),
        keeper: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        self.path = pathlib.Path(path)
        self.notes = notes
        """What the tool said while it worked: what was read, assumed, left out."""
        self._keeper = keeper

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Copies it to a place that stays.

        Raises:
            FileExistsError: where something is there already.
        """
        target = pathlib.Path(path)
        if target.exists():
            raise FileExistsError(f"{target} is there already")
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_dir():
            shutil.copytree(self.path, target)
        else:
            shutil.copy(self.path, target)
        return target


class Trajectories(_Made):
    """Trajectories in a file (NetCDF or CSV)."""

    def frame(self) -> pandas.DataFrame:
        """All samples, in physical units: a column per variable, indexed by `trajectory` and `time` in seconds.

        `attrs["units"]` and `attrs["roles"]` say of each variable in which unit it is, and whether it is a state, an
        input (set from outside) or an observable.
        """
        with tempfile.TemporaryDirectory(prefix="filigree-") as folder:
            path = pathlib.Path(folder, "frame.csv")
            run("data", ["prepare", os.path.abspath(self.path)], output=path, outliers="report", quiet=True)
            # Numbers are read from their texts, whose nearest doubles they then are in every version of pandas.
            table = pandas.read_csv(path, dtype=str).astype("float64")
            checked = run("data", ["check", path], format="json").json()["check"]["variables"]
        index = [name for name in ("trajectory", "time") if name in table.columns]
        if "trajectory" in index:
            table = table.astype({"trajectory": "int64"})
        table = table.set_index(index)
        table.columns = pandas.Index([variable["name"] for variable in checked])
        table.attrs["units"] = {v["name"]: v["unit"] for v in checked}
        table.attrs["roles"] = {v["name"]: v["role"] for v in checked}
        return table

    def dataset(self) -> xarray.Dataset:
        """The file as a data set of xarray (of NetCDF only; needs `filigree[xarray]`)."""
        return read_dataset(self.path)


class Ensemble(_Made):
    """A trained ensemble: a folder with an ONNX file for each member."""

    @property
    def record(self) -> dict[str, Any]:
        """What `ensemble.json` says: recipe, seed, digests of the members, evidence."""
        return dict(json.loads((self.path / "ensemble.json").read_text("utf-8")))

    @property
    def members(self) -> list[pathlib.Path]:
        """The members' files (.onnx), which any runtime evaluates."""
        return sorted(self.path.glob("member-*.onnx"))

    @property
    def training(self) -> pandas.DataFrame:
        """Losses per member, tower and epoch (`training.csv`)."""
        return pandas.read_csv(self.path / "training.csv")

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return f"<p>Ensemble of {len(self.members)} in <code>{html.escape(str(self.path))}</code></p><ul>{notes}</ul>"


class Study(_Made):
    """A study's folder: report, tables, models."""

    @property
    def report(self) -> pathlib.Path:
        """The report as one self-contained page."""
        return self.path / "report.html"

    @property
    def members(self) -> pandas.DataFrame:
        """A row per member, recipe and size of the training set (`members.csv`)."""
        return pandas.read_csv(self.path / "members.csv")

    @property
    def recipes(self) -> pandas.DataFrame:
        """A row per recipe and size of the training set (`recipes.csv`)."""
        return pandas.read_csv(self.path / "recipes.csv")

    def status(self) -> Any:
        """What is there and what is missing, as `filigree-study status --format json` prints it."""
        return run("study", ["status", os.path.abspath(self.path)], format="json").json()


class Drawing:
    """A drawing in one of the formats svg, png, pdf, dot, graphml or html, which notebooks show.

    Attributes:
        data: the file's bytes.
        format: which of them it is.
        notes: what the tool said.
    """

    def __init__(self, data: bytes, format: str, notes: tuple[str, ...] = ()) -> None:
        self.data = data
        self.format = format
        self.notes = notes

    def __repr__(self) -> str:
        return f"Drawing({self.format}, {len(self.data)} bytes)"

    @property
    def text(self) -> str:
        """The file's text, of all formats but png and pdf."""
        return self.data.decode("utf-8")

    def save(self, path: str | os.PathLike[str]) -> pathlib.Path:
        """Writes it to a file and returns the path."""
        target = pathlib.Path(path)
        target.write_bytes(self.data)
        return target

    def _repr_svg_(self) -> str | None:
        return self.text if self.format == "svg" else None

    def _repr_png_(self) -> str | None:
        return base64.b64encode(self.data).decode() if self.format == "png" else None

    def _repr_html_(self) -> str | None:
        """A page to explore, in a frame of its own: its scripts see nothing of the notebook."""
        if self.format != "html":
            return None
        page = html.escape(self.text, quote=True)
        return f'<iframe sandbox="allow-scripts allow-downloads" width="100%" height="720" style="border:0" srcdoc="{page}"></iframe>'


class Result(dict[str, Any]):
    """What a tool prints with `--format json`, as documented in formats.md, and `notes`, what it said beside."""

    notes: tuple[str, ...] = ()

    def frame(self, *keys: str) -> pandas.DataFrame:
        """A matrix in it, for example `frame("statistics", "median")`: outputs by inputs, with their names."""
        value: Any = self
        for key in keys:
            value = value[key]
        return pandas.DataFrame(value, index=_names(self["outputs"], "output"), columns=_names(self["inputs"], "input"))


def result(output: Output) -> Result:
    made = Result(_numbers(output.json()))
    made.notes = output.notes
    return made


# What stands under these keys is text, whatever it says.
_TEXTS = {"name", "output", "input", "inputs", "outputs", "nodes", "states", "label", "unit", "formula", "sympy", "file", "model"}


def _numbers(value: Any, key: str = "") -> Any:
    """Infinities and NaN, which JSON has only as words, as numbers."""
    if isinstance(value, dict):
        return {name: _numbers(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item, key) for item in value]
    return float(value) if value in ("inf", "-inf", "nan") and key not in _TEXTS else value


def _names(variables: list[Any], name: str) -> pandas.Index[Any]:
    return pandas.Index([v["name"] if isinstance(v, dict) else v for v in variables], name=name)


def read_dataset(path: str | os.PathLike[str]) -> xarray.Dataset:
    """A NetCDF file, wholly in memory."""
    try:
        import xarray
    except ImportError as error:
        raise ImportError("data sets need xarray and netCDF4: pip install 'filigree[xarray]'") from error
    with xarray.open_dataset(path, decode_times=False) as dataset:
        return dataset.load()
