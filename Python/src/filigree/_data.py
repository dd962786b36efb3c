"""Data of Python as files that the tools read."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Union

import pandas

if TYPE_CHECKING:
    import xarray

Data = Union[str, "os.PathLike[str]", pandas.DataFrame, Sequence[pandas.DataFrame], "xarray.Dataset"]
"""A file (NetCDF, CSV and what else `filigree-data` reads); a frame with a row per sample; a frame for each trajectory;
or a data set with the dimension `time`, and possibly `trajectory`."""


@contextlib.contextmanager
def as_file(data: Data) -> Iterator[str]:
    """The path of a file that holds the data; one that was written for it goes when the context ends.

    Raises:
        TypeError: for anything that is no data.
        ValueError: for a frame whose index says nothing that a column of time could hold.
    """
    # An absolute path is never taken for an option.
    if isinstance(data, (str, os.PathLike)):
        yield os.path.abspath(os.fspath(data))
        return
    with tempfile.TemporaryDirectory(prefix="filigree-") as folder:
        if hasattr(data, "to_netcdf") and hasattr(data, "data_vars"):
            path = pathlib.Path(folder, "dataset.nc")
            data.to_netcdf(path)
        else:
            path = pathlib.Path(folder, "frame.csv")
            frame = data if isinstance(data, pandas.DataFrame) else _joined(data)
            # Numbers are written so that they read back as the same bits.
            _headed(_with_time(_doubles(frame)), frame.attrs).to_csv(path, index=False)
        yield str(path)


def _joined(frames: Any) -> pandas.DataFrame:
    if not isinstance(frames, Sequence) or not frames or not all(isinstance(f, pandas.DataFrame) for f in frames):
        raise TypeError(
            f"data are a file, a pandas.DataFrame, a list of them or an xarray.Dataset, not {type(frames).__name__}"
        )
    parts = [_with_time(frame) for frame in frames]
    for number, part in enumerate(parts):
        if list(part.columns) != list(parts[0].columns):
            raise ValueError(f"trajectory {number} has other columns than the first: {list(part.columns)}")
        if "trajectory" in part.columns:
            raise ValueError("a list of frames numbers its trajectories itself; leave out the column 'trajectory'")
    numbered = [part.assign(trajectory=number) for number, part in enumerate(parts)]
    whole = pandas.concat(numbered, ignore_index=True)
    whole = whole[["trajectory", *parts[0].columns]]
    whole.attrs = dict(frames[0].attrs)
    return whole


def _headed(frame: pandas.DataFrame, attributes: dict[Any, Any]) -> pandas.DataFrame:
    """Columns headed `name [unit] (role)` as far as the frame's `attrs` say, as those of `Trajectories.frame` do."""
    units, roles = attributes.get("units") or {}, attributes.get("roles") or {}
    if not isinstance(units, dict) or not isinstance(roles, dict):
        raise TypeError("a frame's attrs['units'] and attrs['roles'] are mappings from names of columns")

    def header(name: Any) -> str:
        role = roles.get(name, "state")
        if role not in ("state", "input", "observable"):
            raise ValueError(f"{name} has the role {role}; there is state, input and observable")
        unit = f" [{units[name]}]" if units.get(name) else ""
        return f"{name}{unit}" + (f" ({role})" if role != "state" else "")

    return frame.set_axis([header(name) for name in frame.columns], axis=1)


def _doubles(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Numbers of less precision as the doubles that they are, instead of in their own shortest way."""
    narrow = [kind.kind == "f" and kind.itemsize < 8 for kind in map(_kind, frame.dtypes)]
    if not any(narrow):
        return frame
    parts = [frame.iloc[:, k].astype("float64") if is_narrow else frame.iloc[:, k] for k, is_narrow in enumerate(narrow)]
    return pandas.concat(parts, axis=1)


def _kind(kind: Any) -> Any:
    """NumPy's kind of a column's numbers, of pandas' own kinds too (Float32)."""
    return getattr(kind, "numpy_dtype", kind)


def _with_time(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The frame with its index as columns, where that says something."""
    index = frame.index
    if isinstance(index, pandas.RangeIndex) and index.name is None:
        return frame
    if isinstance(index, pandas.TimedeltaIndex):
        return _with_time(frame.set_axis(pandas.Index(index.total_seconds(), name="time"), axis=0))
    if isinstance(index, pandas.DatetimeIndex):
        return frame.rename_axis(index.name or "time").reset_index()
    if any(name is None for name in index.names):
        raise ValueError(
            "the frame's index has no name: call it 'time' (frame.rename_axis('time')) if it holds seconds, or drop it "
            "(frame.reset_index(drop=True)) and give `sampling`"
        )
    return frame.reset_index()
