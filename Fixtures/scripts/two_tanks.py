"""Two coupled tanks with a heater, as a plant's historian would export them: Fixtures/guide/two-tanks.csv, and
two-tanks-later.csv of other days. Torricelli outflow, noise of half a percent of each state's deviation."""

import sys
from pathlib import Path

import numpy as np


def rates(state, pump, valve, heater):
    h1, h2, temperature = state
    between = 0.012 * np.sign(h1 - h2) * np.sqrt(abs(h1 - h2))
    inflow = 0.02 * pump
    return np.array([
        inflow - between - 0.002 * np.sqrt(max(h1, 0.0)),
        between - 0.016 * valve * np.sqrt(max(h2, 0.0)),
        (0.05 * heater + inflow * (15.0 - temperature)) / max(h1, 0.05) - 0.0004 * (temperature - 20.0),
    ])


def trajectory(rng, samples, step=5.0, substeps=10):
    def steps(low, high, least, most):
        values = []
        while len(values) < samples:
            values += [rng.uniform(low, high)] * rng.integers(least, most)
        return np.array(values[:samples])

    pump, valve, heater = steps(0.2, 1.0, 15, 60), steps(0.2, 1.0, 15, 60), steps(0.0, 8.0, 20, 80)
    state = np.array([rng.uniform(0.3, 1.2), rng.uniform(0.2, 0.8), rng.uniform(18.0, 40.0)])
    rows = []
    for k in range(samples):
        rows.append([*state, pump[k], valve[k], heater[k]])
        for _ in range(substeps):
            state = state + step / substeps * rates(state, pump[k], valve[k], heater[k])
            state[:2] = np.maximum(state[:2], 0.01)
    return np.array(rows)


def write(path, seed, count, samples):
    rng = np.random.default_rng(seed)
    runs = [trajectory(rng, samples) for _ in range(count)]
    deviation = np.concatenate(runs)[:, :3].std(axis=0)
    with open(path, "w") as file:
        file.write("trajectory,time,level_1 [m],level_2 [m],T_1 [°C],pump [1],valve [1],heater [kW]\n")
        for number, run in enumerate(runs):
            run[:, :3] += 0.005 * deviation * rng.normal(size=(samples, 3))
            for k, row in enumerate(run):
                file.write(f"{number},{5 * k}," + ",".join(f"{value:.5g}" for value in row) + "\n")


folder = Path(sys.argv[1] if len(sys.argv) > 1 else "Fixtures/guide")
write(folder / "two-tanks.csv", 1, 6, 500)
write(folder / "two-tanks-later.csv", 2, 4, 300)
