"""Values of elementary functions to 40 digits, rounded to the nearest double, by mpmath 1.3.0: writes
Fixtures/elementary/values.json. Arguments are drawn from a fixed seed, near and far from where the functions
are hard."""
import json
import math
import pathlib
import random

import mpmath

mpmath.mp.dps = 60
draw = random.Random(7)


def spread(low, high):
    return lambda: draw.choice([-1, 1]) * 10 ** draw.uniform(low, high)


def positive(low, high):
    return lambda: 10 ** draw.uniform(low, high)


FUNCTIONS = {
    "exp": (mpmath.exp, lambda: draw.choice([draw.gauss(0, 1), draw.uniform(-700, 700)])),
    "expMinusOne": (mpmath.expm1, spread(-9, 1)),
    "log": (mpmath.log, lambda: draw.choice([abs(draw.gauss(1, 0.4)) + 1e-3, 10 ** draw.uniform(-300, 300)])),
    "logOnePlus": (mpmath.log1p, positive(-9, 2)),
    "log2": (lambda x: mpmath.log(x, 2), positive(-30, 30)),
    "log10": (mpmath.log10, positive(-30, 30)),
    "sin": (mpmath.sin, spread(-3, 6)),
    "cos": (mpmath.cos, spread(-3, 6)),
    "tan": (mpmath.tan, spread(-3, 2)),
    "atan": (mpmath.atan, spread(-6, 4)),
    "tanh": (mpmath.tanh, spread(-6, 1)),
}

values = {}
for name, (function, argument) in FUNCTIONS.items():
    points = [argument() for _ in range(200)]
    values[name] = [[x, float(function(mpmath.mpf(x)))] for x in points]
powers = []
for _ in range(200):
    base = draw.choice([abs(draw.gauss(1, 0.3)) + 0.01, 10 ** draw.uniform(-20, 20)])
    exponent = draw.choice([draw.gauss(0, 3), float(draw.randint(-12, 12)), 2.2, 0.5, -1.5])
    exact = mpmath.power(mpmath.mpf(base), mpmath.mpf(exponent))
    if 1e-300 < exact < 1e300:
        powers.append([base, exponent, float(exact)])
target = pathlib.Path(__file__).parent.parent / "elementary" / "values.json"
target.write_text(json.dumps({"functions": values, "powers": powers}, indent=1) + "\n")
