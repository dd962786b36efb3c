"""Known answers for Levenberg-Marquardt: small networks with some weights at zero, fitted by
scipy.optimize.least_squares (MINPACK's lmder) with Jacobians by complex step.

The targets are those of a network near the start plus noise, so that both programs run into the same
minimum; that is asserted from three other starts as well.

    python -B least_squares.py
"""

import numpy as np
from fixture_json import write
from scipy.optimize import least_squares

ACTIVATIONS = {
    "silu": lambda z: z / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


class Shape:
    """chain of `widths`, with a linear skip from the inputs to the last layer if asked for."""

    def __init__(self, widths, activation, skip):
        self.widths, self.activation, self.skip = widths, ACTIVATIONS[activation], skip
        self.shapes = []
        for below, width in zip(widths, widths[1:]):
            self.shapes += [(width, below), (width,)]
        if skip:
            self.shapes.append((widths[-1], widths[0]))

    def unpack(self, theta):
        parts, place = [], 0
        for shape in self.shapes:
            count = int(np.prod(shape))
            parts.append(theta[place:place + count].reshape(shape))
            place += count
        return parts

    def predict(self, theta, x):
        parts = self.unpack(theta)
        value = x
        layers = len(self.widths) - 1
        for layer in range(layers):
            sums = value @ parts[2 * layer].T + parts[2 * layer + 1]
            if layer < layers - 1:
                value = self.activation(sums)
        return sums + x @ parts[-1].T if self.skip else sums

    def described(self, theta):
        parts = self.unpack(theta)
        layers = [
            {"weight": parts[2 * k].tolist(), "bias": parts[2 * k + 1].tolist()}
            for k in range(len(self.widths) - 1)
        ]
        return {"layers": layers} | ({"skipWeight": parts[-1].tolist()} if self.skip else {})


def case(name, widths, activation, skip, rows, seed):
    rng = np.random.default_rng(seed)
    shape = Shape(widths, activation, skip)
    count = sum(int(np.prod(s)) for s in shape.shapes)
    is_weight = np.concatenate([np.full(int(np.prod(s)), len(s) == 2) for s in shape.shapes])
    free = ~(is_weight & (rng.random(count) < 0.3))
    truth = np.where(free, rng.standard_normal(count), 0)
    x = rng.standard_normal((rows, widths[0]))
    y = shape.predict(truth, x) + 0.05 * rng.standard_normal((rows, widths[-1]))
    start = np.where(free, truth + 0.05 * rng.standard_normal(count), 0)

    def residuals(part):
        theta = start.astype(part.dtype)
        theta[free] = part
        return (shape.predict(theta, x) - y).ravel()

    def jacobian(part):
        columns = []
        for k in range(part.size):
            moved = part.astype(complex)
            moved[k] += 1e-30j
            columns.append(residuals(moved).imag / 1e-30)
        return np.stack(columns, 1)

    def fit(part):
        return least_squares(residuals, part, jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)

    found = fit(start[free])
    for attempt in range(3):
        other = fit(truth[free] + 0.02 * rng.standard_normal(free.sum()))
        assert abs(other.cost / found.cost - 1) < 1e-10
    n = residuals(start[free]).size
    solution = start.copy()
    solution[free] = found.x
    begin = residuals(start[free])
    return {
        "name": name, "activation": activation, **shape.described(start),
        "features": x.tolist(), "targets": y.tolist(),
        "lossAtStart": float(np.mean(begin**2)),
        "largestGradientAtStart": float(np.abs(jacobian(start[free]).T @ begin / n).max()),
        "free": int(free.sum()), "loss": float(np.mean(found.fun**2)),
        "solution": shape.described(solution),
    }


write("networks/least_squares.json", {"cases": [
    case("3-5-1 silu skip", [3, 5, 1], "silu", True, 200, 1),
    case("4-6-2 tanh", [4, 6, 2], "tanh", False, 700, 4),
    case("5-4-3-2 silu", [5, 4, 3, 2], "silu", False, 300, 3),
]})
