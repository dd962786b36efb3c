"""Known answers for rolling forecasts: two ensembles over five trajectories, some of which diverge, by plain
loops over samples in NumPy; quantiles by scipy.

    python -B forecasts.py
"""

import numpy as np
from fixture_json import write
from scipy.stats import t as student

rng = np.random.default_rng(20261123)
STATES, CONTROLS, STEP, LIMIT = 3, 2, 0.5, 3.0
LENGTHS, HORIZONS = [60, 60, 45, 60, 60], [10, 40, 60]
SCALE = [0.7, 1.3, 0.4]
TRUTH = np.array([[0, 1, 0, 0, 0], [-1, -0.6, 0, 1, 0], [0.5, 0, -0.5, 0, 0.1]])


def single(values):
    """Numbers that a float holds, as model files do."""
    return np.asarray(values, np.float32).astype(np.float64)


def trajectory(length):
    """A damped oscillator with a lag behind it, driven by steps."""
    x = rng.normal(size=STATES)
    u = np.repeat(rng.normal(size=(length // 15 + 1, CONTROLS)), 15, axis=0)[:length]
    rows = []
    for k in range(length):
        rows.append(np.concatenate([x, u[k]]))
        x = x + STEP * 0.5 * TRUTH @ rows[-1]
    return np.array(rows)


def member(widths, activation, skip, gain):
    shape = [STATES + CONTROLS, *widths, STATES]
    layers = [
        {
            "weight": single(rng.normal(size=(n, m)) * gain / np.sqrt(m)).tolist(),
            "bias": single(0.1 * rng.normal(size=n)).tolist(),
        }
        for m, n in zip(shape, shape[1:])
    ]
    # A third of the weights is zero, as in sparse models.
    for layer in layers:
        weight = np.array(layer["weight"])
        weight[rng.random(weight.shape) < 1 / 3] = 0
        layer["weight"] = weight.tolist()
    width = STATES + CONTROLS
    deviations = [np.exp(0.2 * rng.normal(size=n)) for n in (width, STATES)]
    input_deviation, output_deviation = single(deviations[0]), single(0.3 * deviations[1])
    linear = 0.5 * TRUTH * (1 + 0.05 * rng.normal(size=TRUTH.shape))
    return {
        "activation": activation,
        "layers": layers,
        "skip": single(linear * input_deviation / output_deviation[:, None]).tolist() if skip else None,
        "inputMean": single(0.1 * rng.normal(size=width)).tolist(),
        "inputDeviation": input_deviation.tolist(),
        "outputMean": single(0.02 * rng.normal(size=STATES)).tolist(),
        "outputDeviation": output_deviation.tolist(),
    }


def rates(model, z):
    h = s = (z - np.array(model["inputMean"])) / np.array(model["inputDeviation"])
    for index, layer in enumerate(model["layers"]):
        h = np.array(layer["weight"]) @ h + np.array(layer["bias"])
        if index < len(model["layers"]) - 1:
            h = h / (1 + np.exp(-h)) if model["activation"] == "silu" else np.maximum(h, 0)
    if model["skip"] is not None:
        h = h + np.array(model["skip"]) @ s
    return np.array(model["outputMean"]) + np.array(model["outputDeviation"]) * h


def forecast(model, data):
    x, path = data[0, :STATES], []
    with np.errstate(over="ignore", invalid="ignore"):
        for row in data:
            path.append(x)
            x = x + STEP * rates(model, np.concatenate([x, row[STATES:]]))
    return np.array(path)


def judge(path, truth):
    """Means of |e| and e² by horizon and state, the first diverged sample, both kinds of divergence."""
    e = (path - truth) / SCALE
    bad = np.flatnonzero(~(np.abs(e).mean(1) <= LIMIT))
    at = int(bad[0]) if len(bad) else None
    horizons = [h for h in HORIZONS if h <= len(truth)]
    absolute = [np.abs(e[:h]).mean(0).tolist() for h in horizons]
    return {
        "divergedAt": at,
        "absolute": absolute,
        "squared": [(e[:h] ** 2).mean(0).tolist() for h in horizons],
        "divergedByTimeMean": [not all(v <= LIMIT for v in a) for a in absolute],
    }


def pooled(paths, verdicts, truth):
    """Mean, half width of the band and whether it covers, sample by sample."""
    mean, half = np.full_like(truth, np.nan), np.full_like(truth, np.nan)
    for k in range(len(truth)):
        alive = [p[k] for p, v in zip(paths, verdicts) if v["divergedAt"] is None or v["divergedAt"] > k]
        n = len(alive)
        if n > 0:
            mean[k] = np.mean(alive, axis=0)
        if n > 1:
            half[k] = student.ppf(0.975, n - 1) * np.std(alive, axis=0, ddof=1) * np.sqrt(1 + 1 / n)
    return mean, half


data = [trajectory(length) for length in LENGTHS]
ensembles = {
    "smooth": [member([6], "silu", True, 0.25) for _ in range(4)],
    "wild": [member([7, 5], "relu", False, gain) for gain in (0.7, 1.1, 2.8)],
}
results = {}
verdicts_of = {}
for name, members in ensembles.items():
    paths = [[forecast(m, d) for d in data] for m in members]
    verdicts = [[judge(p, d[:, :STATES]) for p, d in zip(member, data)] for member in paths]
    verdicts_of[name] = verdicts
    mean_verdicts, covered, band = [], np.zeros((len(HORIZONS), STATES), int), None
    total = np.zeros(len(HORIZONS), int)
    for k, d in enumerate(data):
        truth = d[:, :STATES]
        mean, half = pooled([p[k] for p in paths], [v[k] for v in verdicts], truth)
        mean_verdicts.append(judge(mean, truth))
        for index, h in enumerate(HORIZONS):
            defined = ~np.isnan(half[:h, 0])
            total[index] += defined.sum()
            covered[index] += (np.abs(truth - mean)[:h][defined] <= half[:h][defined]).sum(0)
        if k == 1:
            band = {"mean": mean[:, 0].tolist(), "half": half[:, 0].tolist()}
    results[name] = {
        "members": verdicts,
        "mean": mean_verdicts,
        "covered": covered.tolist(),
        "bandSamples": total.tolist(),
        "bandOfTrajectory1State0": {
            key: [None if np.isnan(v) else v for v in values] for key, values in band.items()
        },
    }


def average(name, horizon, counts):
    """Mean of |e| over the pairs that count, states and samples."""
    values = [
        np.mean(v["absolute"][HORIZONS.index(horizon)])
        for member, row in enumerate(verdicts_of[name])
        for k, v in enumerate(row)
        if LENGTHS[k] >= horizon and counts(member, k)
    ]
    return {"pairs": len(values), "absolute": float(np.mean(values)) if values else None}


def held(name, member, k, horizon):
    at = verdicts_of[name][member][k]["divergedAt"]
    return at is None or at >= horizon


for name in ensembles:
    results[name]["undiverged"] = [
        average(name, h, lambda m, k: held(name, m, k, h)) for h in HORIZONS
    ]
    results[name]["common"] = [
        average(name, h, lambda m, k: all(m < len(verdicts_of[o]) and held(o, m, k, h) for o in ensembles))
        for h in HORIZONS
    ]
diverged = [v["divergedAt"] for row in verdicts_of["wild"] for v in row]
assert any(diverged) and None in diverged, diverged
smooth = [v["divergedAt"] for row in verdicts_of["smooth"] for v in row]
assert smooth.count(None) > 10, smooth


def finite(value):
    """JSON knows neither infinity nor NaN."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


write(
    "forecasts/forecasts.json",
    finite(
        {
            "timeStep": STEP,
            "scale": SCALE,
            "horizons": HORIZONS,
            "data": [d.tolist() for d in data],
            "ensembles": ensembles,
            "results": results,
        }
    ),
)
print("diverged at", smooth, diverged)
