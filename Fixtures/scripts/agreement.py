"""Known answers for the agreement of selections (Nogueira, Sechidis and Brown, JMLR 2018) and
for the paths of sparse networks.

The statistics are computed in rational numbers and rounded once; only square roots and the
quantiles are floating point. Paths are found by enumerating every tuple of nodes. Weights are
multiples of 1/64, so all products and sums are exact, and ties are exact ties.

    python -B agreement.py
"""

from fractions import Fraction
from functools import reduce
from itertools import combinations, product
from math import isclose, sqrt

import numpy as np
from fixture_json import write
from scipy.stats import norm, t


def mean(values):
    values = list(values)
    return sum(values, Fraction(0)) / len(values)


def frequencies(z):
    return [mean(map(Fraction, column)) for column in zip(*z)]


def phi(z):
    """Nogueira's measure; None where everything or nothing is selected."""
    m, d, p = len(z), len(z[0]), frequencies(z)
    share = sum(p) / d
    if share in (0, 1):
        return None
    return 1 - Fraction(m, m - 1) * mean(v * (1 - v) for v in p) / (share * (1 - share))


def variance(z):
    """Asymptotic variance of phi, from the same paper."""
    m, d, p, value = len(z), len(z[0]), frequencies(z), phi(z)
    if value is None:
        return None
    k = sum(p)
    terms = []
    for row in z:
        ki = sum(row)
        joint = mean(a * b for a, b in zip(row, p))
        terms.append((joint - ki * k / d**2 + value / 2 * (2 * ki * k / d**2 - Fraction(ki, d) - k / d + 1))
                     / (k / d * (1 - k / d)))
    return Fraction(4, m**2) * sum((v - mean(terms)) ** 2 for v in terms)


def jackknife(z):
    """Over members: interval around the mean of the pseudo-values with t of M - 1 degrees of freedom."""
    m, whole = len(z), phi(z)
    if m < 3 or whole is None:
        return None
    without = [phi(z[:i] + z[i + 1:]) for i in range(m)]
    if None in without:
        return None
    pseudo = [m * whole - (m - 1) * v for v in without]
    estimate = mean(pseudo)
    error = sqrt(sum((v - estimate) ** 2 for v in pseudo) / (m * (m - 1)))
    quantile = float(t.ppf(0.975, m - 1))
    return {
        "leaveOneOut": [float(v) for v in without],
        "pseudoValues": [float(v) for v in pseudo],
        "estimate": float(estimate),
        "standardError": error,
        "quantile": quantile,
        "lower": float(estimate) - quantile * error,
        "upper": min(1.0, float(estimate) + quantile * error),
    }


def jaccard(a, b):
    union = sum(x | y for x, y in zip(a, b))
    return Fraction(sum(x & y for x, y in zip(a, b)), union) if union else Fraction(1)


def fleiss(z):
    """Fleiss' kappa of two categories, from its own definition; equal to phi."""
    m, counts = len(z), [sum(column) for column in zip(*z)]
    observed = mean(Fraction(n * (n - 1) + (m - n) * (m - n - 1), m * (m - 1)) for n in counts)
    share = mean(Fraction(n, m) for n in counts)
    chance = share**2 + (1 - share) ** 2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def check_variance(z):
    """For many members the formula is (1/M^2) sum of squared influences of each member on phi."""
    z = np.array(z * 50, dtype=float)
    m, d = z.shape

    def weighted(w):
        p = w @ z / w.sum()
        return 1 - np.mean(p * (1 - p)) / (np.mean(p) * (1 - np.mean(p)))
    influence = np.array([m * weighted(np.ones(m) + 1e-30j * np.eye(m)[i]).imag / 1e-30 for i in range(m)])
    assert isclose(np.sum(influence**2) / m**2, variance(z.astype(int).tolist()), rel_tol=2e-2)


def optional(value):
    return None if value is None else float(value)


def selection_case(name, z):
    assert phi(z) == fleiss(z)
    return {
        "name": name, "members": len(z), "pairs": len(z[0]), "selected": z,
        "phi": optional(phi(z)),
        "asymptoticVariance": optional(variance(z)),
        "jackknife": jackknife(z),
        "meanJaccard": float(mean(jaccard(a, b) for a, b in combinations(z, 2))),
        "frequency": [float(v) for v in frequencies(z)],
    }


def statistic(first, second):
    """T of two ensembles; None if a phi is undefined or all members agree in both."""
    if phi(first) is None or phi(second) is None or variance(first) + variance(second) == 0:
        return None
    return float(phi(second) - phi(first)) / sqrt(variance(first) + variance(second))


def jackknife_difference(first, second):
    """Welch's interval for the difference of the jackknife estimates, degrees of freedom rounded down."""
    one, other = jackknife(first), jackknife(second)
    if one is None or other is None:
        return None
    a, b = one["standardError"] ** 2, other["standardError"] ** 2
    if a + b < 1e-15:
        return None
    degrees = int((a + b) ** 2 / (a ** 2 / (len(first) - 1) + b ** 2 / (len(second) - 1)))
    change, reach = other["estimate"] - one["estimate"], float(t.ppf(0.975, max(1, degrees))) * sqrt(a + b)
    return {"change": change, "lower": change - reach, "upper": change + reach}


def drawn(rng, m, d, share, flip):
    """m copies of one random selection, each entry redrawn with probability flip."""
    truth = rng.random(d) < share
    redrawn = rng.random((m, d)) < flip
    return np.where(redrawn, rng.random((m, d)) < share, truth).astype(int).tolist()


def selection():
    rng = np.random.default_rng(2018)
    same = [drawn(rng, 1, 12, 0.4, 0)[0]] * 4
    z = {
        "four members": drawn(rng, 4, 24, 0.4, 0.3),
        "ten members, close": drawn(rng, 10, 104, 0.4, 0.15),
        "ten members, loose": drawn(rng, 10, 104, 0.3, 0.5),
        "two members": [[1, 1, 0, 0, 1, 0], [1, 0, 0, 1, 1, 0]],
        "upper bound clipped": [[1] * 6 + [0] * 6] * 3 + [[1] * 3 + [0] * 9],
        "no agreement": drawn(rng, 5, 30, 0.3, 1),
        "one member selects nothing": [[1, 1, 0, 0, 0, 1], [0] * 6, [1, 0, 0, 0, 0, 1]],
        "two members select nothing": [[1, 1, 0, 0], [0] * 4, [0] * 4],
        "all ones": [[1] * 6] * 3,
        "all zeros": [[0] * 6] * 3,
        "identical members": same,
    }
    check_variance(z["ten members, close"])
    check_variance(z["ten members, loose"])
    cases = [selection_case(name, rows) for name, rows in z.items()]
    by_name = {c["name"]: c for c in cases}
    assert by_name["upper bound clipped"]["jackknife"]["upper"] == 1
    assert by_name["two members select nothing"]["jackknife"] is None
    comparisons = []
    for first, second in [("ten members, loose", "ten members, close"), ("ten members, close", "ten members, loose"),
                          ("four members", "identical members"), ("identical members", "identical members"),
                          ("four members", "all zeros")]:
        value = statistic(z[first], z[second])
        comparisons.append({
            "first": first, "second": second, "statistic": value,
            "pValue": None if value is None else float(2 * norm.sf(abs(value))),
            "jackknife": jackknife_difference(z[first], z[second]),
        })
    write("agreement/selection.json", {"cases": cases, "comparisons": comparisons})


def paths_case(name, weights, skip=None):
    """Every path of a chain of weights (out x in), and of a skip from the inputs to the outputs."""
    sizes = [len(weights[0][0])] + [len(w) for w in weights]
    n, m = sizes[0], sizes[-1]
    found = []
    for nodes in product(*map(range, sizes)):
        value = Fraction(1)
        for w, source, target in zip(weights, nodes, nodes[1:]):
            value *= Fraction(w[target][source])
        found.append((list(nodes), value))
    if skip:
        found += [([i, o], Fraction(skip[o][i])) for i in range(n) for o in range(m)]
    first = [sum(sizes[:layer]) for layer in range(len(sizes))]

    def backwards(nodes):
        """The nodes from the output back, numbered through all layers."""
        layers = range(len(sizes)) if len(nodes) == len(sizes) else [0, len(sizes) - 1]
        return [first[layer] + node for layer, node in zip(layers, nodes)][::-1]

    found = sorted(((nodes, v) for nodes, v in found if v != 0), key=lambda p: (-abs(p[1]), backwards(p[0])))

    def matrix(of, kind):
        result = [[kind(0)] * n for _ in range(m)]
        for nodes, value in found:
            result[nodes[-1]][nodes[0]] += kind(of(value))
        return result

    count = matrix(lambda v: 1, int)
    positive, negative = matrix(lambda v: max(v, 0), float), matrix(lambda v: max(-v, 0), float)
    assert sum(map(sum, count)) == len(found)
    connection = reduce(lambda a, w: np.array(w) @ a, weights, np.eye(n)) + (0 if skip is None else np.array(skip))
    assert np.allclose(np.array(positive) - np.array(negative), connection, rtol=1e-14, atol=1e-14)
    result = {"name": name, "inputs": n, "outputs": m, "hidden": sizes[1:-1], "weights": weights}
    if skip:
        result["skipWeight"] = skip
    return result | {
        "count": count, "positive": positive, "negative": negative,
        "strongest": [{"path": nodes, "product": float(value)} for nodes, value in found[:10]],
    }


def sparse(rng, rows, columns, share=0.4, zero_rows=(), zero_columns=()):
    w = np.round(rng.standard_normal((rows, columns)) * 64) / 64 * (rng.random((rows, columns)) < share)
    w[list(zero_rows), :] = 0
    w[:, list(zero_columns)] = 0
    return (w + 0.0).tolist()  # + 0.0 turns -0.0 into 0.0


def paths():
    rng = np.random.default_rng(4543)
    signs = [[0.5, -0.5, 0.0, 1.0], [-1.0, 0.5, 0.5, 0.0], [1.0, 1.0, -0.5, 0.5]]
    write("paths/networks.json", {"cases": [
        paths_case("chain", [sparse(rng, 5, 4), sparse(rng, 4, 5), sparse(rng, 3, 4)]),
        # Input 2 unused, hidden 1 of layer 1 unreached, hidden 3 of layer 2 leads nowhere, output 0 constant.
        paths_case("chain with dead parts", [
            sparse(rng, 5, 4, 0.6, zero_rows=[1], zero_columns=[2]), sparse(rng, 4, 5, 0.6),
            sparse(rng, 3, 4, 0.6, zero_rows=[0], zero_columns=[3])]),
        # Input 3 reaches the outputs by the skip alone.
        paths_case("chain with skip", [sparse(rng, 6, 4, zero_columns=[3], share=0.5), sparse(rng, 2, 6, share=0.5)],
                   sparse(rng, 2, 4, share=0.6)),
        # Many equal products: order by the list of nodes.
        paths_case("ties", [signs, [[1.0, 0.5, -1.0], [0.5, 0.0, 1.0]]]),
        paths_case("no hidden layer", [sparse(rng, 2, 3, 0.7)]),
        paths_case("no path", [sparse(rng, 3, 2, 0.0), sparse(rng, 2, 3, 1.0)]),
    ]})


if __name__ == "__main__":
    selection()
    paths()
