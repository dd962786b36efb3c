"""Simulated plants with the structure that they truly have, and what filigree-train says of it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import xarray

PLANTS = [
    "quadruple-tank", "stirred-tank", "van-de-vusse", "williams-otto", "kuramoto", "lorenz96", "springs"]
# Effects above SURE count as true, at most NONE as false; those between count neither way.
SURE, NONE = 0.012, 0.001
THRESHOLD = 0.01


def run(command):
    """Standard output, and the processor seconds of the process; an error ends the script."""
    begin = os.times()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    end = os.times()
    return done.stdout, end.children_user + end.children_system - begin.children_user - begin.children_system


class World:
    """A plant's training data at a level of noise, and the effects R of its one-step map on the exact data."""

    def __init__(self, tools, folder, plant, noise, seed, trajectories, samples):
        self.tools, self.plant, self.noise, self.seed = Path(tools), plant, noise, seed
        self.folder = Path(folder) / f"{plant}-{noise}-{seed}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data, self.exact = self.folder / "train.nc", self.folder / "exact.nc"
        for path, level in [(self.data, noise), (self.exact, 0)]:
            run([self.tools / "filigree-simulate", "--plant", plant, "--trajectories", trajectories, "--samples",
                 samples, "--seed", seed, "--noise", level, "--output", path, "-q", "--force"])

    def arrays(self, path=None):
        """trajectories × samples × (states, inputs), the names, the number of states, the sampling time."""
        data = xarray.open_dataset(path or self.data, decode_times=False)
        names = [n for n, v in data.data_vars.items() if v.attrs.get("role") in ("state", "input")]
        names.sort(key=lambda n: data[n].attrs["role"] != "state")
        states = sum(data[n].attrs["role"] == "state" for n in names)
        values = np.stack([data[n].values for n in names], axis=-1)
        return values, names, states, float(data["time"][1] - data["time"][0])

    def learn(self, members, options=()):
        """What filigree-agreement says of an ensemble that filigree-train made, and seconds per member."""
        models = self.folder / "models"
        begin = time.perf_counter()
        _, seconds = run([self.tools / "filigree-train", self.data, "--members", members, "--seed", self.seed,
                          "--output", models, "--force", "-q", *options])
        wall = time.perf_counter() - begin
        text, _ = run([self.tools / "filigree-agreement", models, "--plant", self.plant, "--data", self.exact,
                       "--format", "json"])
        return json.loads(text), seconds / members, wall


def truth(report):
    return np.array(report["plant"]["relevance"])


def verdicts(report):
    """Four arrays, outputs × inputs: verdict, effect, low, high."""
    ensemble = report["ensembles"][0]
    outputs, inputs = ensemble["outputs"], ensemble["inputs"]
    shape = (len(outputs), len(inputs))
    verdict = np.full(shape, "absent", dtype=object)
    effect, low, high = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for pair in ensemble["verdicts"]:
        place = outputs.index(pair["output"]), inputs.index(pair["input"])
        verdict[place] = pair["verdict"]
        effect[place], low[place] = pair["effect"], pair["low"]
        high[place] = np.inf if pair.get("high") is None else pair["high"]
    return verdict, effect, low, high


def score(selected, true):
    """F1 and precision of a selection of pairs."""
    sure, false = true > SURE, true <= NONE
    hits, spurious = (selected & sure).sum(), (selected & false).sum()
    return {"f1": 2 * hits / max(hits + spurious + sure.sum(), 1), "precision": hits / max(hits + spurious, 1)}
