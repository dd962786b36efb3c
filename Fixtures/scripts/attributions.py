"""Known answers for what inputs contribute, and for eigenvalues.

Integrated gradients by PyTorch's automatic derivatives at 200,000 midpoints of the straight way, gradient times
input by the same derivatives, permutation importance by scikit-learn with its own shufflings, which are written
out, and the eigenvalues of random matrices by NumPy. Run from this folder:

    python -B attributions.py
"""

import numpy as np
import torch
from fixture_json import write
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.utils import check_random_state

torch.set_default_dtype(torch.float64)
MIDPOINTS = 200_000


def network(rng, sizes, skip):
    weights = [rng.normal(size=(o, i)) * (rng.random((o, i)) < 0.7) for i, o in zip(sizes, sizes[1:])]
    biases = [rng.normal(size=o) for o in sizes[1:]]
    return weights, biases, rng.normal(size=(sizes[-1], sizes[0])) if skip else None


def function(weights, biases, skip, activation):
    phi = {"relu": torch.relu, "silu": torch.nn.functional.silu, "tanh": torch.tanh}[activation]

    def f(x):
        h = x
        for number, (w, b) in enumerate(zip(weights, biases)):
            h = h @ torch.tensor(w).T + torch.tensor(b)
            if number < len(weights) - 1:
                h = phi(h)
        return h if skip is None else h + x @ torch.tensor(skip).T

    return f


def slopes(f, points, outputs):
    points = points.clone().requires_grad_(True)
    values = f(points)
    return torch.stack(
        [torch.autograd.grad(values[:, o].sum(), points, retain_graph=True)[0] for o in range(outputs)], dim=1)


class Predictor(RegressorMixin, BaseEstimator):
    def __init__(self, f=None, output=0):
        self.f, self.output = f, output

    def fit(self, x, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, x):
        with torch.no_grad():
            return self.f(torch.tensor(x))[:, self.output].numpy()


def shuffling(seed, rows):
    """What permutation_importance does for one repeat, for every column alike."""
    order = np.arange(rows)
    check_random_state(check_random_state(seed).randint(np.iinfo(np.int32).max + 1)).shuffle(order)
    return order


def case(name, seed, sizes, skip, activation):
    rng = np.random.default_rng(seed)
    weights, biases, extra = network(rng, sizes, skip)
    f = function(weights, biases, extra, activation)
    outputs = sizes[-1]
    samples = rng.normal(size=(6, sizes[0]))
    t = (torch.arange(MIDPOINTS) + 0.5) / MIDPOINTS
    integrated = []
    for z in samples:
        mean = slopes(f, t[:, None] * torch.tensor(z)[None, :], outputs).mean(dim=0)
        found = mean * torch.tensor(z)[None, :]
        ends = f(torch.tensor(np.stack([z, np.zeros_like(z)])))
        assert torch.allclose(found.sum(dim=1), ends[0] - ends[1], atol=2e-4), name
        integrated.append(np.abs(found.numpy()))
    gradient = np.abs(slopes(f, torch.tensor(samples), outputs).numpy() * samples[:, None, :])

    many = rng.normal(size=(40, sizes[0]))
    with torch.no_grad():
        targets = f(torch.tensor(many)).numpy() + 0.3 * rng.normal(size=(40, outputs))
    orders = [shuffling(s, 40).tolist() for s in (1, 2, 3)]
    scorer = make_scorer(mean_squared_error, greater_is_better=False)
    importance = np.mean([
        [permutation_importance(Predictor(f, o), many, targets[:, o], scoring=scorer, n_repeats=1, random_state=s)
         .importances[:, 0] for o in range(outputs)]
        for s in (1, 2, 3)], axis=0)
    # The shufflings are those that scikit-learn took.
    mine = np.zeros_like(importance)
    for order in orders:
        for column in range(sizes[0]):
            shuffled = many.copy()
            shuffled[:, column] = many[order, column]
            for o in range(outputs):
                p = Predictor(f, o)
                mine[o, column] += (np.mean((p.predict(shuffled) - targets[:, o]) ** 2)
                                    - np.mean((p.predict(many) - targets[:, o]) ** 2)) / len(orders)
    assert np.allclose(mine, importance, rtol=1e-12, atol=1e-12), name
    return {
        "name": name, "activation": activation, "inputs": sizes[0],
        "weights": [w.tolist() for w in weights], "biases": [b.tolist() for b in biases],
        "skipWeight": None if extra is None else extra.tolist(), "samples": samples.tolist(),
        "integratedGradients": np.mean(integrated, axis=0).tolist(),
        "gradientInput": gradient.mean(axis=0).tolist(),
        "data": many.tolist(), "targets": targets.tolist(), "orders": orders,
        "permutation": importance.tolist(),
    }


def spectrum(seed, size):
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    values = sorted(np.linalg.eigvals(matrix), key=lambda v: (-round(abs(v), 12), -round(v.real, 12), -v.imag))
    return {"matrix": matrix.tolist(), "real": [v.real for v in values], "imaginary": [v.imag for v in values]}


write("agreement/attributions.json", {
    "cases": [
        case("relu", 1, [4, 7, 6, 2], False, "relu"),
        case("relu with skip", 2, [3, 8, 2], True, "relu"),
        case("silu with skip", 3, [4, 6, 2], True, "silu"),
        case("tanh", 4, [3, 5, 5, 1], False, "tanh"),
    ],
    "spectra": [spectrum(5, 8), spectrum(6, 3), spectrum(7, 1)],
})
