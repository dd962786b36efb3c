"""Known answers for sparse regression on polynomial libraries: the lasso from scikit-learn and sequentially
thresholded least squares from PySINDy, on columns scaled to mean 0 and deviation 1.

Inputs and targets are multiples of 1/1024, so that the file holds them exactly.

    python -B libraries.py
"""

import itertools

import numpy as np
import pysindy
from fixture_json import write
from sklearn.linear_model import Lasso

DEGREE, ROWS = 3, 240


def monomials(inputs):
    return [term for d in range(DEGREE + 1) for term in itertools.combinations_with_replacement(range(inputs), d)]


def main():
    rng = np.random.default_rng(20250115)
    x = np.round(rng.standard_normal((ROWS, 3)) * 1024) / 1024
    y = np.stack([
        1.5 * x[:, 0] - 0.7 * x[:, 0] * x[:, 1] + 0.05 * x[:, 2] ** 3 + 0.3 * rng.standard_normal(ROWS),
        0.5 - x[:, 1] ** 2 + 0.4 * x[:, 0] * x[:, 1] * x[:, 2] + 0.1 * rng.standard_normal(ROWS),
    ], axis=1)
    y = np.round(y * 1024) / 1024
    terms = monomials(3)
    columns = np.stack([np.prod(x[:, list(t)], axis=1) for t in terms[1:]], axis=1)
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    answers = []
    for target in range(2):
        goal = (y[:, target] - y[:, target].mean()) / y[:, target].std()
        largest = np.max(np.abs(scaled.T @ goal)) / ROWS
        for step in (3, 10, 18, 27):
            strength = largest * 10 ** (-step / 10)
            fit = Lasso(alpha=strength, fit_intercept=False, tol=1e-14, max_iter=1_000_000).fit(scaled, goal)
            answers.append({"method": "lasso", "target": target, "step": step, "strength": strength,
                            "coefficients": [0.0, *fit.coef_.tolist()]})
        for threshold in (0.02, 0.08, 0.3):
            fit = pysindy.STLSQ(threshold=threshold, alpha=0, max_iter=100).fit(scaled, goal)
            w = fit.coef_[0]
            c = w * y[:, target].std() / columns.std(axis=0)
            answers.append({"method": "stlsq", "target": target, "strength": threshold, "step": 0,
                            "coefficients": [y[:, target].mean() - c @ columns.mean(axis=0), *c.tolist()]})
        print(target, [int(np.sum(np.array(a["coefficients"][1:]) != 0)) for a in answers if a["target"] == target])
    write("networks/libraries.json", {
        "degree": DEGREE, "terms": [list(t) for t in terms], "inputs": x.tolist(), "targets": y.tolist(),
        "answers": answers})


if __name__ == "__main__":
    main()
