"""Filigree: sparse neural models of dynamical systems, and what is left of them.

Each function calls the tool of its name and gives back what it found; options of the tools that have no parameter here
are given by their names, with `_` for `-`: `filigree.train(data, learning_rate=1e-3)`. A tool's error is an exception
(`FiligreeError`) with its message and exit code, a warning a `FiligreeWarning`; what was read, assumed or left out is in
`notes`, or a frame's `attrs["notes"]`, and in the log of the name "filigree". `progress=True` shows it while a tool works.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

import pandas

from ._data import Data, as_file
from ._results import Drawing, Ensemble, Result, Study, Trajectories, _names, read_dataset, result
from ._tools import (
    DataError,
    FiligreeError,
    FiligreeWarning,
    InputMissing,
    Output,
    OutputExists,
    ProgramMissing,
    Progress,
    UsageError,
    WriteFailed,
    find,
    run,
)

if TYPE_CHECKING:
    import xarray

__all__ = [
    "Data", "DataError", "Drawing", "Ensemble", "FiligreeError", "FiligreeWarning", "InputMissing", "Model", "Output",
    "OutputExists", "ProgramMissing", "Result", "Study", "Trajectories", "UsageError", "WriteFailed", "agreement",
    "certify", "check", "connections", "draw", "explain", "find", "forecast", "forecasts", "formulas", "jacobian", "laws",
    "open_ensemble", "paths", "prepare", "relevance", "run", "sensitivity", "simulate", "study", "train", "verdicts",
    "version",
]  # fmt: skip

Model = Union[str, "os.PathLike[str]"]
"""A model (.onnx), also of another program, or an ensemble: its folder, or what `train` returned."""


def version() -> str:
    """The version of the tools."""
    return run("filigree", ["--version"]).text.strip()


# Data


def simulate(
    plant: str = "electrolysis",
    *,
    trajectories: int = 10,
    samples: int = 5000,
    seed: int = 1,
    noise: float = 0.0,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress = False,
    **options: Any,
) -> Trajectories:
    """Trajectories of a plant under an excitation (`filigree-simulate`).

    Args:
        plant: electrolysis, duffing, quadruple-tank, stirred-tank, …
        trajectories: how many; trajectory k is the same whatever else is simulated.
        samples: of each trajectory.
        seed: of all random draws.
        noise: measurement noise on the states, as a fraction of each state's standard deviation.
        output: the file (.nc or .csv); without it a temporary one, which lives as long as the value returned.
        force: replaces the file if it is there.
        progress: shows what the tool says.
        options: other options of the tool.
    """
    with _place(output, "data.nc") as (path, keeper):
        told = run("simulate", plant=plant, trajectories=trajectories, samples=samples, seed=seed, noise=noise, output=path,
                   force=force, progress=progress, **options)  # fmt: skip
        return Trajectories(path, told.notes, keeper)


def prepare(
    data: Data,
    *,
    inputs: Sequence[str] | str | None = None,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    **options: Any,
) -> Trajectories:
    """Makes trajectories of tables, and says in `notes` what was done (`filigree-data prepare`).

    Args:
        data: tables as they come: files, frames, data sets.
        inputs: variables set from outside; all others are states.
        output: the file (.nc or .csv); without it a temporary one.
        force: replaces the file if it is there.
        options: `every`, `gaps`, `units`, … as the tool has them.
    """
    with _place(output, "data.nc") as (path, keeper), as_file(data) as file:
        told = run("data", ["prepare", file], inputs=inputs, output=path, force=force, **options)
        return Trajectories(path, told.notes, keeper)


def check(data: Data, **options: Any) -> pandas.DataFrame:
    """What a table holds (`filigree-data check`): a row per variable with unit, role, range, noise, gaps.

    `attrs` has `summary`, `findings`, `proposedInputs`, `timeStep` in seconds, `trajectories` (their lengths) and `notes`.

    Args:
        data: as it comes.
        options: other options of the tool.
    """
    with as_file(data) as file:
        found = result(run("data", ["check", file], format="json", **options))
    table = pandas.DataFrame(found["check"]["variables"]).set_index("name")
    keys = ("summary", "findings", "proposedInputs", "timeStep", "trajectories")
    return _described(table, found, *keys)


# Models


def train(
    data: Data,
    *,
    members: int = 10,
    recipe: str | None = None,
    inputs: Sequence[str] | str | None = None,
    seed: int = 1,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    resume: bool = False,
    progress: Progress = False,
    **options: Any,
) -> Ensemble:
    """Trains an ensemble of sparse or dense networks (`filigree-train`): the same bits as the tool.

    Interrupted (Ctrl-C), a training with an `output` keeps its state, and goes on with `resume=True`.

    Args:
        data: trajectories to learn from.
        members: how many networks.
        recipe: where to start from (filigree, dense, linear, sindy, …); the other options change it.
        inputs: for data that do not say which variables are set from outside.
        seed: of initial weights and of the order of the samples.
        output: the folder; without it a temporary one, which lives as long as the value returned.
        force: replaces the folder if it is there.
        resume: goes on with a training that was stopped.
        progress: shows how far it is, with rate and time left.
        options: `lags`, `strength`, `hidden`, … as the tool has them.
    """
    with _place(output, "model") as (path, keeper), as_file(data) as file:
        told = run("train", [file], members=members, recipe=recipe, inputs=inputs, seed=seed, output=path, force=force,
                   resume=resume, progress=progress, **options)  # fmt: skip
        return Ensemble(path, told.notes, keeper)


def open_ensemble(path: str | os.PathLike[str]) -> Ensemble:
    """An ensemble that was trained before.

    Args:
        path: its folder.

    Raises:
        InputMissing: where no ensemble is.
    """
    if not pathlib.Path(path, "ensemble.json").is_file():
        raise InputMissing(f"{os.fspath(path)}: there is no ensemble (ensemble.json)", 66, "filigree-train")
    return Ensemble(path)


# Structure


def relevance(model: Model, data: Data, *, units: str = "standardised", **options: Any) -> pandas.DataFrame:
    """How strongly each output depends on each input: mean |J| over the data, mean of the members.

    0.0 is a true zero: no path is left. `attrs` has `explained` (R² of each output on data held out in training: what is
    said of an output of which nothing is explained says nothing), `samples`, `members`, `units` and `notes`.

    Args:
        model: a model or an ensemble.
        data: trajectories over which the Jacobians are averaged.
        units: standardised or physical.
        options: `cut`, `trajectory`, … as `filigree-sensitivity` has them; `by` and `measure` change what is printed, see
            `sensitivity`.
    """
    for name in ("by", "measure", "point", "stability"):
        if name in options:
            raise TypeError(f"relevance takes no {name}; call filigree.sensitivity(…, {name}=…)")
    found = sensitivity(model, data, units=units, **options)
    return _described(found.frame("relevance"), found, "explained", "samples", "members", "units")


def sensitivity(model: Model, data: Data | None = None, *, point: Mapping[str, float] | None = None, **options: Any) -> Result:
    """Exact Jacobians over data or at a point (`filigree-sensitivity`), as the JSON that the tool prints.

    `sensitivity(m, d, statistics=True).frame("statistics", "median")` is a table; `stability=True` gives modes.

    Args:
        model: a model or an ensemble.
        data: trajectories to average over.
        point: instead of data, values in physical units; what is not named stays at the training mean.
        options: `statistics`, `by`, `measure`, `stability`, … as the tool has them.
    """
    with _optional(data) as file:
        return result(run("sensitivity", [_path(model)], data=file, point=point, format="json", **options))


def jacobian(model: Model, data: Data, *, trajectory: int = 0, **options: Any) -> xarray.Dataset:
    """The Jacobian as a function of time, member by member (needs `filigree[xarray]`).

    Args:
        model: a model or an ensemble.
        data: trajectories.
        trajectory: along which, from 0.
        options: `units`, … as `filigree-sensitivity` has them.
    """
    with as_file(data) as file, _place(None, "jacobian.nc") as (path, _):
        run("sensitivity", [_path(model)], data=file, trajectory=trajectory, output=path, **options)
        return read_dataset(path)


def paths(model: Model, data: Data | None = None, *, strongest: int = 5, **options: Any) -> pandas.DataFrame:
    """The strongest paths of every output (`filigree-paths`): a row per member and path.

    Columns: `member`, `output`, `input`, `nodes` (from the input on), `product` of the weights; with data `activeShare` (of
    the samples) and `meanContribution`.

    Args:
        model: a model or an ensemble.
        data: trajectories over which activity and contributions are taken.
        strongest: how many per member and output.
        options: other options of the tool.
    """
    found, notes = _surviving(model, data, strongest=strongest, **options)
    rows = [
        {"member": m["member"], "output": o["output"], "input": p["nodes"][0], **p, "nodes": tuple(p["nodes"])}
        for m in found
        for o in m["outputs"]
        for p in o["strongest"]
    ]
    columns = ["member", "output", "input", "nodes", "product"]
    return _noted(pandas.DataFrame(rows, columns=None if rows else columns), notes)


def connections(model: Model, **options: Any) -> pandas.DataFrame:
    """Pairs of output and input that paths still connect (`filigree-paths`): a row per member and pair.

    Columns: how many `paths`, the sums of their `positive` and `negative` products, and a bound of the derivative that
    holds for all states (`derivativeLow`, `derivativeHigh`).

    Args:
        model: a model or an ensemble.
        options: `cut`, … as the tool has them.
    """
    found, notes = _surviving(model, None, **options)
    rows = [{"member": m["member"], **pair} for m in found for pair in m["connectedPairs"]]
    names = ["member", "output", "input", "paths", "positive", "negative", "derivativeLow", "derivativeHigh"]
    table = pandas.DataFrame(rows, columns=names)
    # Python's integers: there may be more paths than 64 bits count.
    table["paths"] = table["paths"].map(int).astype(object)
    return _noted(table, notes)


def explain(model: Model, output: str, input: str, data: Data | None = None, **options: Any) -> Result:
    """One pair in full (`filigree-paths --explain`): through what an input acts on an output, in every member.

    Args:
        model: a model or an ensemble.
        output: whose rate.
        input: what may drive it.
        data: trajectories over which slopes and activity are taken.
        options: other options of the tool.
    """
    with _optional(data) as file:
        return result(run("paths", [_path(model)], explain=(output, input), data=file, format="json", **options))


def agreement(*models: Model, data: Data | None = None, plant: str | None = None, **options: Any) -> pandas.DataFrame:
    """How far members select the same pairs (`filigree-agreement`): a row per ensemble and kind of selection.

    Columns: `stability` (Φ: 1 for perfect agreement, about 0 for chance; missing where all agree trivially) with its
    interval, `meanJaccard`, `meanPairs`, `allAgree`; with a plant `f1`, `precision`, `recall` and what they come from.
    `attrs["json"]` is all that the tool printed.

    Args:
        models: one or two ensembles.
        data: trajectories over which relevance is taken.
        plant: scores against this known plant (needs data).
        options: `threshold`, `interval`, `consensus`, … as the tool has them.
    """
    found = _agreement(models, data, plant=plant, **options)
    rows = []
    for ensemble in found["ensembles"]:
        for selection in ensemble["selections"]:
            flat = {k: v for k, v in selection.items() if not isinstance(v, (list, dict))}
            if interval := selection.get("interval"):
                flat |= {"stabilityLow": interval[0], "stabilityHigh": interval[1]}
            rows.append({"ensemble": ensemble["name"], "members": ensemble["members"], **flat, **selection.get("score", {})})
    table = pandas.DataFrame(rows)
    table.attrs["json"] = dict(found)
    return _noted(table, found.notes)


def verdicts(model: Model, **options: Any) -> pandas.DataFrame:
    """What the evidence of an ensemble says of every pair: present, weak, absent or undecided, and the effect's interval.

    Args:
        model: an ensemble that carries evidence (of the default recipe).
        options: other options of `filigree-agreement`.
    """
    found = _agreement([model], None, **options)
    ensemble = found["ensembles"][0]
    if "verdicts" not in ensemble:
        raise DataError(f"{ensemble['name']} carries no evidence; the default recipe's ensembles do", 65, "filigree-agreement")
    table = pandas.DataFrame(ensemble["verdicts"]).set_index(["output", "input"])
    table.attrs["explained"] = ensemble.get("explained")
    return _noted(table, found.notes)


# What models say


def laws(model: Model, data: Data, **options: Any) -> pandas.DataFrame:
    """The simplest formula of every output in physical units (`filigree-laws`): a row per output.

    Columns: `formula`, `sympy`, `unit`, `isAccepted` (its error is within a factor of the networks'), `error` and
    `networkError` (deviations of the output, on rows held out). `attrs["json"]` has interactions, terms with intervals, and
    what is conserved.

    Args:
        model: a model or an ensemble.
        data: trajectories over which formulas are judged.
        options: `factor`, `threshold`, … as the tool has them.
    """
    with as_file(data) as file:
        found = result(run("laws", [_path(model)], data=file, format="json", **options))
    outputs = found.get("formulas", {}).get("outputs", [])
    columns = ["output", "formula", "sympy", "unit", "isAccepted", "error", "networkError", "distance", "spread"]
    table = pandas.DataFrame(outputs).reindex(columns=columns).set_index("output")
    table.attrs["json"] = dict(found)
    return _noted(table, found.notes)


def formulas(model: Model, data: Data, *, language: str = "latex", **options: Any) -> str:
    """The formulas as code.

    Args:
        model: a model or an ensemble.
        data: trajectories over which formulas are judged.
        language: latex, sympy, c or python.
        options: other options of `filigree-laws`.
    """
    with as_file(data) as file:
        return run("laws", [_path(model)], data=file, format=language, **options).text


def certify(
    model: Model,
    data: Data | None = None,
    *,
    box: str | os.PathLike[str] | Mapping[str, float | tuple[float, float]] | None = None,
    **options: Any,
) -> pandas.DataFrame:
    """What provably holds at every point of a box (`filigree-certify`): a row per output and input.

    Columns: `claim` (none, rises, falls, one-sign), `verdict` (proved, refuted, open), the slope's proved bounds `lower`
    and `upper`, and `lowest` and `highest`, which are reached. `attrs` has `about`, `box`, `share`, `units`; `attrs["json"]`
    everything, with bounds of rates and of each member.

    Args:
        model: a model or an ensemble.
        data: the box is that of these data's quantiles.
        box: a file, or from names to a pair of limits or a fixed value, in physical units.
        options: `quantiles`, `tolerance`, `boxes`, … as the tool has them.
    """
    with _optional(data) as file, _box(box) as limits:
        found = result(run("certify", [_path(model)], data=file, box=limits, format="json", **options))
    rows = [{**{k: p.get(k) for k in ("output", "input", "claim", "verdict")}, **p.get("slope", {})} for p in found.get("pairs", [])]
    columns = ["output", "input", "claim", "verdict", "lower", "lowest", "highest", "upper", "tight", "boxes"]
    table = pandas.DataFrame(rows).reindex(columns=columns).set_index(["output", "input"])
    table.attrs["json"] = dict(found)
    return _described(table, found, "about", "box", "share", "units")


def forecast(
    *models: Model, data: Data, horizons: Sequence[int] | None = None, training: Data | None = None, **options: Any
) -> pandas.DataFrame:
    """Errors of rolling forecasts (`filigree-forecast`): a row per model, member ("all" for all of them) and horizon.

    Columns: `absolute` and `squared` (mean over forecasts that have not diverged, in deviations of the states), `diverged`
    (their share), and `rmse NAME`, `fitPercent NAME` of each state in its unit. References such as persistence are models
    too.

    Args:
        models: models or ensembles.
        data: trajectories to forecast.
        horizons: samples over which errors are taken.
        training: data for the linear reference and for the deviations.
        options: `plant`, `arx`, `split`, `plot`, … as the tool has them.
    """
    with as_file(data) as file, _optional(training) as learnt:
        found = result(run("forecast", [_path(m) for m in models], data=file, training=learnt, horizons=horizons, format="json",
                           **options))  # fmt: skip
    names = [state["name"] for state in found["states"]]
    rows = []
    for source in [*found["ensembles"], *found["references"]]:
        parts: list[tuple[Any, Any]] = [("all", source.get("horizons"))]
        if "horizons" not in source or len(source["byMember"]) > 1:
            parts += [(k, member["horizons"]) for k, member in enumerate(source["byMember"])]
        for member, horizon in ((m, h) for m, hs in parts for h in hs or []):
            row = {"model": source["name"], "member": member, "horizon": horizon["horizon"], "pairs": horizon["pairs"]}
            row |= {key: horizon["undiverged"].get(key) for key in ("absolute", "squared")}
            row["diverged"] = horizon["diverged"]
            for name, values in zip(names, horizon.get("inUnits", [])):
                row |= {f"{key} {name}": values[key] for key in ("rmse", "fitPercent")}
            rows.append(row)
    table = pandas.DataFrame(rows)
    table.attrs["json"] = dict(found)
    return _noted(table, found.notes)


def forecasts(*models: Model, data: Data, **options: Any) -> xarray.Dataset:
    """Mean forecasts and bands themselves (needs `filigree[xarray]`).

    Args:
        models: models or ensembles.
        data: trajectories to forecast.
        options: other options of `filigree-forecast`.
    """
    with as_file(data) as file, _place(None, "forecast.nc") as (path, _):
        run("forecast", [_path(m) for m in models], data=file, output=path, **options)
        return read_dataset(path)


def draw(
    *models: Model,
    kind: str | None = None,
    data: Data | None = None,
    output: str | os.PathLike[str] | None = None,
    format: str | None = None,
    force: bool = False,
    **options: Any,
) -> Drawing:
    """Draws models (`filigree-draw`); notebooks show what is returned.

    Args:
        models: a model or an ensemble, two for a difference.
        kind: network, gallery, dependency, consensus, difference, effects or heatmap.
        data: trajectories: effects instead of weights, relevance, physical units.
        output: also writes this file.
        format: svg (the default), png, pdf, dot, graphml, or html, a page to explore; by the ending of `output`, if given.
        force: replaces the file if it is there.
        options: `layout`, `focus_output`, `strongest`, `width`, … as the tool has them.
    """
    target = pathlib.Path(output) if output is not None else None
    ending = target.suffix.removeprefix(".").lower() if target else (format or "svg")
    if target and format and format != ending:
        raise ValueError(f"output ends in .{ending}, format is {format}")
    with _optional(data) as file, _place(output, f"drawing.{ending}") as (path, _):
        told = run("draw", [_path(m) for m in models], kind=kind, data=file, output=path, force=force, **options)
        return Drawing(pathlib.Path(path).read_bytes(), ending, told.notes)


def study(
    plan: str | os.PathLike[str] | Mapping[str, Any], output: str | os.PathLike[str], *, progress: Progress = False, **options: Any
) -> Study:
    """Carries out a study, or goes on with it (`filigree-study run`).

    Args:
        plan: a file (.yaml), or its content as a mapping; files that it names are then relative to the current folder.
        output: the study's folder.
        progress: shows how far it is.
        options: `threads`, `prune`.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(plan, Mapping):
            # YAML reads JSON. Beside the files that it names.
            file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".yaml", prefix=".filigree-", dir="."))
            json.dump(plan, file)
            file.flush()
            plan = file.name
        told = run("study", ["run", os.path.abspath(plan)], output=os.path.abspath(output), progress=progress, **options)
    return Study(output, told.notes)


# Inside


def _path(model: Model) -> str:
    """An absolute path is never taken for an option."""
    return os.path.abspath(os.fspath(model))


def _surviving(model: Model, data: Data | None, **options: Any) -> tuple[list[Any], tuple[str, ...]]:
    with _optional(data) as file:
        told = run("paths", [_path(model)], data=file, format="json", **options)
    return told.json(), told.notes


def _agreement(models: Sequence[Model], data: Data | None, **options: Any) -> Result:
    with _optional(data) as file:
        return result(run("agreement", [_path(m) for m in models], data=file, format="json", **options))


@contextlib.contextmanager
def _optional(data: Data | None) -> Iterator[str | None]:
    if data is None:
        yield None
    else:
        with as_file(data) as file:
            yield file


@contextlib.contextmanager
def _box(box: Any) -> Iterator[str | None]:
    if not isinstance(box, Mapping):
        yield None if box is None else _path(box)
        return
    with tempfile.TemporaryDirectory(prefix="filigree-") as folder:
        path = pathlib.Path(folder, "box.yaml")
        path.write_text(json.dumps({k: list(v) if isinstance(v, (tuple, list)) else v for k, v in box.items()}), "utf-8")
        yield str(path)


@contextlib.contextmanager
def _place(output: str | os.PathLike[str] | None, name: str) -> Iterator[tuple[str, tempfile.TemporaryDirectory[str] | None]]:
    """Where a result goes: as asked for, or in a temporary folder, which the result then keeps."""
    if output is not None:
        yield os.path.abspath(os.fspath(output)), None
        return
    folder = tempfile.TemporaryDirectory(prefix="filigree-", ignore_cleanup_errors=True)
    try:
        yield os.path.join(folder.name, name), folder
    except BaseException:
        folder.cleanup()
        raise


def _noted(table: pandas.DataFrame, notes: tuple[str, ...]) -> pandas.DataFrame:
    table.attrs["notes"] = list(notes)
    return table


def _described(table: pandas.DataFrame, found: Result, *keys: str) -> pandas.DataFrame:
    table.attrs |= {key: found[key] for key in keys if key in found}
    if "explained" in table.attrs and "outputs" in found and not isinstance(table.attrs["explained"], dict):
        table.attrs["explained"] = dict(zip(_names(found["outputs"], "output"), table.attrs["explained"]))
    return _noted(table, found.notes)
