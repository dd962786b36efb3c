"""Rates of the plants of the literature at random points, in NumPy, from the papers' equations and not from the
Swift code: writes Fixtures/plant/literature.json. Usage: python literature_plants.py FILE"""
import json
import sys

import numpy as np

r = np.random.default_rng(7)


def tanks(h, v):
    q = [0.071, 0.057, 0.071, 0.057] * np.sqrt(1962 * h)
    return np.array([q[2] - q[0] + 0.7 * 3.33 * v[0], q[3] - q[1] + 0.6 * 3.35 * v[1],
                     -q[2] + 0.4 * 3.35 * v[1], -q[3] + 0.3 * 3.33 * v[0]]) / [28, 32, 28, 32]


def stirred(x, u):
    k = 7.2e10 * np.exp(-8750 / x[1]) * x[0]
    return np.array([u[0] / 100 * (u[1] - x[0]) - k,
                     u[0] / 100 * (u[2] - x[1]) + 5e4 * k / 239 - 5e4 * (x[1] - x[2]) / 100 / 239,
                     u[3] / 5 * (285 - x[2]) + 5e4 * (x[1] - x[2]) / 5 / 4180]) / 60


def vandevusse(x, u):
    k1, k3 = 1.287e12 * np.exp(-9758.3 / x[2]), 9.043e9 * np.exp(-8560 / x[2])
    rho_c, kw = 0.9342 * 3.01, 4032 * 0.215
    heat = k1 * x[0] * 4.2 + k1 * x[1] * -11.0 + k3 * x[0] ** 2 * -41.85
    return np.array([u[0] * (u[2] - x[0]) - k1 * x[0] - k3 * x[0] ** 2, -u[0] * x[1] + k1 * (x[0] - x[1]),
                     u[0] * (u[3] - x[2]) - heat / rho_c + kw / rho_c / 10 * (x[3] - x[2]),
                     (u[1] + kw * (x[2] - x[3])) / 10]) / 3600


def otto(x, u):
    a, b, c, e, p, g = x
    t = u[2] + 273.15
    w1, w2, w3 = 1.6599e6 * np.exp(-6666.7 / t), 7.2117e8 * np.exp(-8333.3 / t), 2.6745e12 * np.exp(-11111 / t)
    f = u[0] + u[1]
    made = np.array([-w1 * a * b, -w1 * a * b - w2 * b * c, 2 * w1 * a * b - 2 * w2 * b * c - w3 * c * p,
                     2 * w2 * b * c, w2 * b * c - 0.5 * w3 * c * p, 1.5 * w3 * c * p])
    return made + (np.array([u[0], u[1], 0, 0, 0, 0]) - f * x) / 2105


def lorenz(x, u):
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8 + np.repeat(u, 5)


def kuramoto(x, u):
    k = np.zeros((10, 10))
    for a, b, s in [(0, 1, 1.3), (0, 2, 1.8), (1, 3, 1.1), (2, 4, 1.6), (2, 5, 1.2), (3, 6, 1.9), (5, 7, 1.4),
                    (5, 8, 1.7), (8, 9, 1.5), (1, 7, 1.2), (4, 9, 1.4), (3, 8, 1.1)]:
        k[a, b] = k[b, a] = s
    w = [0.31, -0.22, 0.14, -0.41, 0.27, 0.05, -0.18, 0.36, -0.09, -0.23]
    f = w + (k * np.sin(x[None, :] - x[:, None])).sum(1)
    f[[0, 5]] -= np.sin(x[[0, 5]])
    f[[1, 4, 6, 9]] += u
    return f


def springs(z, u):
    x, v = np.pad(z[:10], 1), np.pad(z[10:], 1)
    d = np.diff(x)
    force = d + d ** 3 / 2 + np.diff(v) / 5
    a = np.diff(force)
    a[[0, 4, 9]] += u
    return np.concatenate([z[10:], a])


def box(*pairs):
    return lambda: np.array([r.uniform(a, b) for a, b in pairs])


plants = {
    "quadruple-tank": (tanks, box((5, 20), (5, 20), (.5, 4), (.5, 4)), box((1.5, 5), (1.5, 5))),
    "stirred-tank": (stirred, box((.2, .35), (335, 350), (310, 325)), box((85, 115), (.42, .54), (344, 352), (5, 9))),
    "van-de-vusse": (vandevusse, box((1, 3), (.6, 1.1), (380, 410), (375, 405)),
                     box((5, 25), (-2000, 0), (4.5, 5.7), (395, 410))),
    "williams-otto": (otto, box(*[(.05, .3)] * 6), box((1.4, 2.3), (3, 6), (70, 100))),
    "lorenz96": (lorenz, lambda: r.normal(3, 3, 20), box(*[(-4, 4)] * 4)),
    "kuramoto": (kuramoto, lambda: r.normal(0, 1, 10), box(*[(-1.2, 1.2)] * 4)),
    "springs": (springs, lambda: r.normal(0, .5, 20), box(*[(-1.5, 1.5)] * 3)),
}
result = {}
for name, (f, state, controls) in plants.items():
    points = [(state(), controls()) for _ in range(5)]
    result[name] = [{"state": list(x), "controls": list(u), "rates": list(f(x, u))} for x, u in points]
json.dump(result, open(sys.argv[1], "w"), indent=1)
