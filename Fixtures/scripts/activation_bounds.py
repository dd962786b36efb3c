"""Values of activations and their first two derivatives to hundreds of digits, as the doubles below and above.

Needs nothing but Python: exponentials and logarithms are those of the decimal module, correctly rounded.
"""
import json, math, pathlib, random
from decimal import Decimal, getcontext

getcontext().prec = 400
FOLDER = pathlib.Path(__file__).resolve().parent.parent / "certificates"


def sigmoid(z): return 1 / (1 + (-z).exp())


def silu(z):
    s = sigmoid(z)
    slope = s * (1 - s)
    return z * s, s + z * slope, slope * (2 + z * (1 - 2 * s))


def tanh(z):
    t = 2 * sigmoid(2 * z) - 1
    return t, 1 - t * t, -2 * t * (1 - t * t)


def logistic(z):
    s = sigmoid(z)
    return s, s * (1 - s), s * (1 - s) * (1 - 2 * s)


def softplus(z):
    s = sigmoid(z)
    return (1 + z.exp()).ln(), s, s * (1 - s)


def exponential(z): return (z.exp(),) * 3


def square(z): return z * z, 2 * z, Decimal(2)


def neighbours(value):
    """The largest double not above, the smallest not below."""
    near = float(value)
    if Decimal(near) == value: return near, near
    if Decimal(near) < value: return near, math.nextafter(near, math.inf)
    return math.nextafter(near, -math.inf), near


def main():
    random.seed(23)
    places = [0.0, 1e-9, -1e-9, 0.3, -0.3, 2.399357280515468, -2.399357280515468, 19.5, -19.5, 36.7, -36.7, 300.0, -300.0]
    places += [random.gauss(0, 3) for _ in range(30)]
    entries = []
    for name, function in [("silu", silu), ("tanh", tanh), ("sigmoid", logistic), ("softplus", softplus),
                           ("exp", exponential), ("square", square)]:
        for z in places:
            pairs = [neighbours(value) for value in function(Decimal(z))]
            entries.append({"activation": name, "z": z, "below": [a for a, _ in pairs], "above": [b for _, b in pairs]})
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "activations.json").write_text(json.dumps(entries, indent=0) + "\n")


main()
