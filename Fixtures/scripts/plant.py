"""Known answers for the aluminium electrolysis cell of Lundby, Rasheed, Halvorsen and
Gravdahl (arXiv 2209.05832) and for a forced Duffing oscillator.

Jacobians are by complex step (no subtraction, so exact to rounding) and are asserted
against central differences in 60-digit arithmetic.

    python -B plant.py
"""

import mpmath
import numpy as np
from fixture_json import write

mpmath.mp.dps = 60

# Constants of the cell
K_SL, K_WALL, X_WALL, H_BSL, H_W0, A, DH = 2.5, 6.5, 0.1, 1200.0, 25.0, 17.92, 119495.0
k0 = 2e-5
k1 = 2 * K_SL * A / DH
k2 = H_BSL * A / DH
k3, k4, k5, k6 = 1.7e-7, 0.02, 0.03, 4.43e-8
k7, k8, k9 = 1881 * k2, 1881 * k1, A
k10, k11 = 1 / H_BSL, 1 / (2 * K_SL)
k12, k13 = 1320 * k2, 1320 * k1
k14, k15 = X_WALL / (2 * K_WALL), 1 / (2 * K_SL)
k17, k19, k20 = 6e-7, 35.0, 1 / H_W0
ALPHA, BETA = 5.66e-4, 7.58e-4


def exp(z):
    return mpmath.exp(z) if isinstance(z, mpmath.mpf) else np.exp(z)


def liquidus(x):
    mass = x[1] + x[2] + x[3]
    p1, p2 = 100 * x[1] / mass, 100 * x[2] / mass
    return (991.2 + 1.12 * p2 - 0.13 * p2**2.2 + 0.061 * p2**1.5
            - 7.93 * p1 / (1 + 0.0936 * p2 - 0.0017 * p2**2 - 0.0023 * p1 * p2))


def coverage(x, u):
    p1, current = 100 * x[1] / (x[1] + x[2] + x[3]), u[1]
    return (0.531 + 6.958e-7 * current - 2.51e-12 * current**2 + 3.06e-18 * current**3
            + (0.431 - 0.1437 * (p1 - 2.2)) / (1 + 7.353 * (p1 - 2.2)))


def bath_voltage(x, u):
    c1, current = x[1] / (x[1] + x[2] + x[3]), u[1]
    conductivity = exp(2.496 - 2068.4 / (273 + x[5]) - 2.07 * c1)
    covered = coverage(x, u)
    thickness = (0.5517 + 3.8168e-6 * current) / (1 + 8.271e-6 * current)
    bubble = 3.8168e-6 * covered * thickness * current / (conductivity * (1 - covered))
    return bubble + current * u[4] / (2620 * conductivity)


def cell(x, u):
    x1, x2, x3, x4, x5, x6, x7, x8 = x
    u1, u2, u3, u4, u5 = u
    g1 = liquidus(x)
    freeze = k1 * (g1 - x7) / (k0 * x1) - k2 * (x6 - g1)
    r1 = k10 + k11 * k0 * x1
    r2 = k14 + k15 * k0 * x1
    return np.array([
        freeze,
        u1 - k3 * u2,
        u3 - k4 * u1,
        -freeze + k5 * u1,
        k6 * u2 - u4,
        ALPHA / (x2 + x3 + x4) * (
            u2 * bath_voltage(x, u) - k9 * (x6 - x7) / r1
            - (k7 * (x6 - g1)**2 - k8 * (x6 - g1) * (g1 - x7) / (k0 * x1))),
        BETA / x1 * (
            k9 * (g1 - x7) / (k15 * k0 * x1) - k9 * (x7 - x8) / r2
            - (k12 * (x6 - g1) * (g1 - x7) - k13 * (g1 - x7)**2 / (k0 * x1))),
        k17 * (k9 * (x7 - x8) / r2 - k9 * (x8 - k19) / (k14 + k20)),
    ])


def duffing(x, u):
    return np.array([x[1], -0.3 * x[1] + x[0] - x[0]**3 + u[0]])


def increment(f, dt):
    """(RK4(x, u, dt) - x) / dt, without the cancellation of that subtraction."""
    def slope(x, u):
        a = f(x, u)
        b = f(x + dt / 2 * a, u)
        c = f(x + dt / 2 * b, u)
        d = f(x + dt * c, u)
        return (a + 2 * b + 2 * c + d) / 6
    return slope


def jacobian(f, x, u):
    """d f / d (x, u), rows are outputs, by complex step."""
    z, n, columns = np.concatenate([x, u]), len(x), []
    for j in range(len(z)):
        w = z.astype(complex)
        w[j] += 1e-30j
        columns.append(f(w[:n], w[n:]).imag / 1e-30)
    return np.array(columns).T


def exact(f, x, u):
    """Value and Jacobian in 60 digits (central differences with step 1e-20)."""
    z, n, h = np.array([mpmath.mpf(float(v)) for v in (*x, *u)]), len(x), mpmath.mpf("1e-20")
    columns = []
    for j in range(len(z)):
        e = np.array([h if i == j else mpmath.mpf(0) for i in range(len(z))])
        columns.append((f((z + e)[:n], (z + e)[n:]) - f((z - e)[:n], (z - e)[n:])) / (2 * h))
    return f(z[:n], z[n:]).astype(float), np.array(columns).T.astype(float)


def relative(a, b):
    """Largest relative deviation of a from b; entries that are zero must be zero in both."""
    assert np.array_equal(a == 0, b == 0)
    return float(np.max(np.abs(a - b) / np.where(b == 0, 1, np.abs(b))))


def point(f, dt, x, u, worst):
    result = {"state": x.tolist(), "controls": u.tolist()}
    step = increment(f, dt)
    for name, g in (("derivative", f), ("increment", step)):
        value, slopes = g(x, u), jacobian(g, x, u)
        true_value, true_slopes = exact(g, x, u)
        worst[name] = max(worst[name], relative(value, true_value))
        worst[name + "Jacobian"] = max(worst[name + "Jacobian"], relative(slopes, true_slopes))
        result[name] = value.tolist()
        result[name + "Jacobian"] = slopes.tolist()
    return result


def points(f, dt, states_and_controls, tolerance):
    worst = dict.fromkeys(["derivative", "derivativeJacobian", "increment", "incrementJacobian"], 0.0)
    result = [point(f, dt, x, u, worst) for x, u in states_and_controls]
    print("largest relative deviation from 60 digits:", {k: f"{v:.1e}" for k, v in worst.items()})
    assert max(worst.values()) < tolerance
    return result


def state(m_sl, c1, c2, m_cry, m_al, t_bath, t_sl, t_wall):
    """A state from mass fractions of alumina and aluminium fluoride."""
    total = m_cry / (1 - c1 - c2)
    return np.array([m_sl, c1 * total, c2 * total, m_cry, m_al, t_bath, t_sl, t_wall])


def fed(flow, low, high):
    """A feed as the controller gives it: off below `low`, limited to `high`."""
    assert abs(flow - low) > 1e-6 and abs(flow - high) > 1e-6, "too near a switch to be a fixture"
    return 0.0 if flow < low else min(flow, high)


def controls(x, k, dt):
    """The inputs of operation mode at sample k, from the state at that sample."""
    mass = x[1] + x[2] + x[3]
    return np.array([
        fed(30000 * (0.023 - x[1] / mass), 140 / dt, 220 / dt),
        140000 + 2000 * np.sin(0.01 * k),
        fed(13000 * (0.105 - x[2] / mass), 20 / dt, 80 / dt),
        fed(300 * (x[4] - 10000), 20 / dt, 90 / dt),
        0.05 + 0.005 * np.cos(0.1 * k),
    ])


def operation(x, samples, dt=10.0, length=400):
    kept = {"initialState": x.tolist(), "sample": samples, "state": [], "controls": []}
    active = np.zeros(5, dtype=int)
    step = increment(cell, dt)
    for k in range(length):
        u = controls(x, k, dt)
        assert coverage(x, u) < 1, "outside the model's domain"
        active += u > 0
        if k in samples:
            kept["state"].append(x.tolist())
            kept["controls"].append(u.tolist())
        x = x + dt * step(x, u)
    print("samples with f_Al2O3, f_AlF3, f_tap on:", active[[0, 2, 3]])
    return kept


def electrolysis():
    rng = np.random.default_rng(20221109)
    low = [2060, 0.024, 0.09, 11500, 9750, 960, 790, 555]
    high = [4460, 0.05, 0.13, 16000, 10000, 990, 850, 610]
    drawn = [(state(*rng.uniform(low, high)),
              rng.uniform([0, 118000, 0, 0, 0.043], [5, 155000, 3, 5, 0.057])) for _ in range(24)]
    assert all(coverage(x, u) < 1 for x, u in drawn)
    listed = points(cell, 10.0, drawn, 1e-9)
    for p in listed:
        x, u = np.array(p["state"]), np.array(p["controls"])
        p["liquidus"] = float(liquidus(x))
        p["bathVoltage"] = float(bath_voltage(x, u))
    write("plant/electrolysis.json", {
        "step": 10.0,
        "states": ["m_sl", "m_Al2O3", "m_AlF3", "m_cry", "m_Al", "T_bath", "T_sl", "T_wall"],
        "inputs": ["f_Al2O3", "I_line", "f_AlF3", "f_tap", "h_acd"],
        "points": listed,
        # Quiet: no feed and no tapping happens within the 400 samples.
        "operation": operation(state(3260, 0.03, 0.11, 13750, 9875, 975, 820, 582.5),
                               [0, 1, 2, 3, 10, 50, 100, 200, 399]),
        # AlF3 is fed and metal tapped at sample 0, alumina fed at sample 47.
        "operationWithFeeding": operation(state(3260, 0.0228, 0.1048, 13750, 10000.2, 975, 820, 582.5),
                                          [0, 1, 2, 3, 46, 47, 48, 100, 200, 399]),
    })


def oscillator():
    rng = np.random.default_rng(1918)
    drawn = [(rng.uniform([-1.6, -1.2], [1.6, 1.2]), rng.uniform([-0.8], [0.8])) for _ in range(12)]
    write("plant/duffing.json", {
        "step": 0.05,
        "states": ["position", "velocity"],
        "inputs": ["control"],
        "points": points(duffing, 0.05, drawn, 1e-11),
    })


if __name__ == "__main__":
    electrolysis()
    oscillator()
