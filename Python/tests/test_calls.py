"""What the functions give back is what the tools say, and their errors are exceptions."""

import hashlib
import math
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

import numpy
import pandas
import pytest

import filigree
from filigree import _tools


def digests(folder):
    files = sorted([*pathlib.Path(folder).glob("*.onnx"), pathlib.Path(folder, "ensemble.json")])
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def test_training_gives_the_bits_of_the_tool(data, model, built, tmp_path):
    words = ["--members", "2", "--steps", "300", "--output", tmp_path / "tool"]
    subprocess.run([built / "filigree-train", data, *words, "-q"], check=True)
    assert digests(model) == digests(tmp_path / "tool")
    assert len(digests(model)) == 3


def test_relevance_is_the_tools_table(data, model):
    table = filigree.relevance(model, data)
    assert list(table.index) == ["position", "velocity"]
    assert list(table.columns) == ["position", "velocity", "force"]
    # Duffing: d/dt position is the velocity alone, whose standardised slope is deviation over deviation.
    assert table.loc["position", "velocity"] == pytest.approx(0.99, abs=0.05)
    assert set(table.attrs["explained"]) == {"position", "velocity"}
    assert table.attrs["samples"] == 1600 and table.attrs["notes"]
    medians = filigree.sensitivity(model, data, statistics=True).frame("statistics", "median")
    assert medians.shape == table.shape and (medians.abs() <= table * 3).all().all()
    with pytest.raises(TypeError, match="sensitivity"):
        filigree.relevance(model, data, by="position")
    at = filigree.sensitivity(model, point={"force": 0.2}).frame("jacobian")
    assert at.loc["position", "velocity"] == pytest.approx(0.99, abs=0.05)


def test_frames_data_sets_and_files_are_the_same_data(data, model, tmp_path):
    """Values, units and roles reach the tools: members' weights are the same bits."""
    frame = data.frame()
    assert frame.attrs["roles"]["force"] == "input" and frame.attrs["units"]["velocity"] == "m/s"
    parts = [part.droplevel("trajectory") for _, part in frame.groupby(level="trajectory")]
    expected = filigree.relevance(model, data)
    for other in (data.path, str(data.path), frame, parts, data.dataset()):
        found = filigree.relevance(model, other)
        pandas.testing.assert_frame_equal(found, expected, check_exact=True, rtol=0, atol=0)
    again = filigree.train(data.dataset(), members=2, steps=300)
    assert digests(again) == digests(model)
    saved = again.save(tmp_path / "kept")
    assert digests(filigree.open_ensemble(saved)) == digests(model)
    with pytest.raises(FileExistsError):
        again.save(saved)


def test_frames_keep_their_bits(tmp_path):
    rng = numpy.random.default_rng(1)
    for kind in ("float64", "float32", "Float32"):
        values = rng.standard_normal((50, 2)) * 10.0 ** rng.integers(-9, 9, (50, 2))
        frame = pandas.DataFrame(values, columns=["a", 'b, "quoted"']).astype(kind)
        frame.index = pandas.Index(numpy.arange(50) * 0.5, name="time")
        made = filigree.prepare(frame, output=tmp_path / f"{kind}.csv", outliers="report").frame()
        assert (made.to_numpy() == frame.astype("float64").to_numpy()).all()


def test_frames_show_missing_values_and_outliers_as_they_are(tmp_path):
    noisy = filigree.simulate("duffing", trajectories=2, samples=200, missing=0.1, output=tmp_path / "missing.nc")
    frame, dataset = noisy.frame(), noisy.dataset()
    assert len(frame) == 400 and 0.05 < frame["position"].isna().mean() < 0.15
    assert numpy.array_equal(frame["position"].to_numpy(), dataset["position"].to_numpy().ravel(), equal_nan=True)


def test_frames_that_say_nothing_of_time_are_refused():
    frame = pandas.DataFrame({"x": [1.0, 2, 4]}, index=[0.0, 0.5, 1.0])
    with pytest.raises(ValueError, match="call it 'time'"):
        filigree.check(frame)
    with pytest.raises(ValueError, match="trajectory 1 has other columns"):
        filigree.check([frame.rename_axis("time"), frame.rename_axis("time").rename(columns={"x": "y"})])
    with pytest.raises(TypeError, match="not int"):
        filigree.check(3)
    frame = frame.rename_axis("time")
    frame.attrs["roles"] = {"x": "output"}
    with pytest.raises(ValueError, match="x has the role output"):
        filigree.check(frame)


def test_dates_are_read():
    index = pandas.date_range("2024-03-01", periods=60, freq="5s")
    frame = pandas.DataFrame({"level": numpy.sin(numpy.arange(60) / 5), "pump": numpy.arange(60) // 10 % 2}, index=index)
    checked = filigree.check(frame)
    assert checked.attrs["timeStep"] == 5 and checked.loc["level", "role"] == "state"
    spans = frame.set_axis(index - index[0], axis=0)
    assert filigree.check(spans).attrs["timeStep"] == 5


def test_paths_connections_and_one_pair(data, model):
    table = filigree.paths(model, data, strongest=2)
    assert {"member", "output", "input", "nodes", "product", "activeShare"} <= set(table.columns)
    assert (table.groupby(["member", "output"]).size() <= 2).all()
    assert all(row.nodes[0] == row.input for row in table.itertuples())
    pairs = filigree.connections(model)
    assert ((pairs["derivativeLow"] <= pairs["derivativeHigh"]) & (pairs["paths"] > 0)).all()
    one = filigree.explain(model, "velocity", "force", data)
    assert one["output"] == "velocity" and len(one["members"]) == 2


def test_agreement_and_verdicts(data, model):
    table = filigree.agreement(model, data=data, plant="duffing")
    assert list(table["kind"]) == ["structural", "relevant"]
    assert table["f1"].between(0, 1).all() and "ensembles" in table.attrs["json"]
    assert set(filigree.verdicts(model)["verdict"]) <= {"present", "weak", "absent", "undecided"}
    assert len(filigree.agreement(model, model)) == 2
    plain = filigree.train(data, members=1, recipe="dense", steps=20)
    with pytest.raises(filigree.DataError, match="no evidence"):
        filigree.verdicts(plain)


def test_forecasts_laws_and_certificates(data, model):
    with pytest.warns(filigree.FiligreeWarning, match="samples of"):
        table = filigree.forecast(model, data=data, training=data, horizons=[50, 100])
    assert list(table["model"].unique()) == ["model", "persistence", "linear"]
    errors = table[table["member"] == "all"].pivot(index="horizon", columns="model", values="absolute")
    assert list(errors.index) == [50, 100] and (errors["model"] < errors["persistence"]).all()
    assert {"rmse position", "fitPercent velocity"} <= set(table.columns)

    formulas = filigree.laws(model, data)
    assert formulas.loc["position", "sympy"] == "1.0*velocity" and formulas.loc["position", "isAccepted"]
    assert "position" in filigree.formulas(model, data, language="python")

    box = {"position": (-1, 1), "velocity": 0.5, "force": (-1, 1)}
    proved = filigree.certify(model, box=box).loc[("position", "velocity")]
    assert proved["claim"] == "rises" and proved["verdict"] == "proved"
    assert proved["lower"] <= proved["lowest"] <= proved["highest"] <= proved["upper"]
    by_data = filigree.certify(model, data)
    assert by_data.attrs["box"] and by_data.attrs["share"] > 0.9


def test_drawings_are_shown(data, model, tmp_path):
    drawing = filigree.draw(model, data=data, focus_output=["velocity"])
    assert ElementTree.fromstring(drawing._repr_svg_()).tag.endswith("svg")
    assert drawing._repr_html_() is None and drawing._repr_png_() is None
    page = filigree.draw(model, data=data, format="html")
    assert "sandbox=" in page._repr_html_() and "<script" not in page._repr_html_() and page._repr_svg_() is None
    kept = filigree.draw(model, output=tmp_path / "drawing.dot")
    assert kept.format == "dot" and kept.text == (tmp_path / "drawing.dot").read_text()
    with pytest.raises(filigree.OutputExists) as caught:
        filigree.draw(model, output=tmp_path / "drawing.dot")
    assert caught.value.exit_code == 73
    filigree.draw(model, output=tmp_path / "drawing.dot", force=True)
    with pytest.raises(ValueError, match="ends in"):
        filigree.draw(model, output="x.svg", format="png")
    assert filigree.draw(model, data=data).save(tmp_path / "a.svg").read_bytes() == filigree.draw(model, data=data).data


def test_jacobian_and_forecasts_are_data_sets(data, model):
    along = filigree.jacobian(model, data, trajectory=1)
    assert dict(along.sizes) == {"member": 2, "time": 400, "output": 2, "input": 3}
    mean = filigree.forecasts(model, data=data)
    assert "position_mean" in mean and mean.sizes["trajectory"] == 4


def test_errors_carry_code_and_message(data, model, tmp_path):
    with pytest.raises(filigree.InputMissing, match="there is no such file") as caught:
        filigree.train("none.nc")
    assert caught.value.exit_code == 66 and caught.value.tool == "filigree-train"
    with pytest.raises(filigree.UsageError, match="there is no option --stengths") as caught:
        filigree.train(data, stengths=3)
    assert caught.value.exit_code == 64 and "usage" not in caught.value.message
    bad = tmp_path / "bad.csv"
    bad.write_text("time,x\n0,1\n1,2\n2\n")
    with pytest.raises(filigree.DataError, match="bad.csv") as caught:
        filigree.train(bad)
    assert caught.value.exit_code == 65
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is filigree.DataError and copy.message == caught.value.message and copy.exit_code == 65
    with pytest.raises(filigree.InputMissing, match="no ensemble"):
        filigree.open_ensemble(tmp_path)


def test_a_name_that_looks_like_an_option_is_a_name(data, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    odd = "--force 'a b'\n;$(touch x)"
    data.save(f"{odd}.nc")
    table = filigree.relevance(model, f"{odd}.nc")
    assert table.shape == (2, 3)
    assert not pathlib.Path("x").exists()


def test_options_are_spelled_as_the_tools_read_them():
    options = {"final_learning_rate": 1e-4, "skip": False, "statistics": False, "bootstrap": True, "output": None,
               "exclude": ["a", "b"], "hidden": (20, 10), "delay": {"pump": -1}, "explain": ("T", "I"),
               "point": {"T": numpy.float64(0.1)}, "seed": numpy.int64(3)}  # fmt: skip
    assert _tools.words(options) == [
        "--final-learning-rate=0.0001", "--no-skip", "--bootstrap", "--exclude=a", "--exclude=b", "--hidden=20,10",
        "--delay=pump=-1", "--explain", "T", "I", "--point=T=0.1", "--seed=3",
    ]  # fmt: skip


def test_progress_is_shown_and_read(data, capsys):
    lines = []
    filigree.train(data, members=1, recipe="proximal", steps=3000, progress=lines.append)
    assert any("epochs" in line and "left" in line for line in lines), lines
    assert any("models in" in line or "model in" in line for line in lines) and not any("\x1b" in line for line in lines)
    model = filigree.train(data, members=1, recipe="linear", progress=True)
    shown = capsys.readouterr().err
    assert all(note in shown for note in model.notes)
    filigree.train(data, members=1, recipe="linear")
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_ctrl_c_keeps_the_training_and_resumes_to_the_same_bits(data, tmp_path):
    settings = {"members": 1, "recipe": "proximal", "steps": 100_000, "checkpoint_interval": 0.05}
    program = (
        # Where this runs in the background of a shell, Ctrl-C is ignored.
        "import filigree, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"try: filigree.train({str(data.path)!r}, output={str(tmp_path / 'm')!r}, **{settings!r})\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("m.training/*.state")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(60) == 130
    assert list(tmp_path.glob("m.training/*.state")) and not (tmp_path / "m").exists()
    resumed = filigree.train(data, output=tmp_path / "m", resume=True, **settings)
    whole = filigree.train(data, **settings)
    assert digests(resumed) == digests(whole)


def test_calls_from_several_threads(data, model):
    expected = filigree.relevance(model, data)
    found = [None] * 4
    def work(k): found[k] = filigree.relevance(model, data)  # fmt: skip
    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads: thread.start()  # fmt: skip
    for thread in threads: thread.join()  # fmt: skip
    assert all(table.equals(expected) for table in found)


def test_a_missing_tool_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("FILIGREE_TOOLS", str(tmp_path))
    with pytest.raises(filigree.ProgramMissing, match="FILIGREE_TOOLS") as caught:
        filigree.version()
    assert caught.value.exit_code == 69


def test_a_tool_that_crashes_is_named(monkeypatch, tmp_path):
    tool = tmp_path / "filigree-paths"
    tool.write_text("#!/bin/sh\nkill -SEGV $$\n")
    tool.chmod(0o755)
    monkeypatch.setenv("FILIGREE_TOOLS", str(tmp_path))
    with pytest.raises(filigree.FiligreeError, match="SIGSEGV") as caught:
        filigree.connections("m")
    assert caught.value.exit_code == -11


def test_numbers_that_json_lacks():
    from filigree._results import _numbers

    found = _numbers({"a": ["inf", 1, "nan"], "name": "inf", "inputs": ["nan", "x"], "nodes": ["inf"]})
    assert found["a"][0] == math.inf and math.isnan(found["a"][2])
    assert found["name"] == "inf" and found["inputs"] == ["nan", "x"] and found["nodes"] == ["inf"]


def test_a_study(tmp_path):
    plan = {
        "plant": "duffing", "train": {"trajectories": 3, "samples": 100}, "test": {"trajectories": 2, "samples": 50},
        "members": 2, "horizons": [10, 30], "recipes": {"linear": {"recipe": "linear"}},
    }  # fmt: skip
    done = filigree.study(plan, tmp_path / "study")
    assert done.report.read_text().lower().startswith("<!doctype html>")
    assert len(done.members) == 2 and list(done.recipes["recipe"]) == ["linear"]
    assert done.status()
