"""ARX models of several orders, judged like the models of filigree-forecast: what history is worth.

    python arx.py train.nc test.nc --trajectories 40 --orders 1 2 3

x(k+1) - x(k) = A_1 x(k) + B_1 u(k) + ... + A_n x(k-n+1) + B_n u(k-n+1) + c by least squares (numpy.linalg.lstsq)
on standardised variables. A forecast is given the first n samples and the inputs. Errors are means of |forecast -
truth|/sigma over states and samples within the horizon, over the trajectories that have not diverged (mean over the
states above 3 at some sample); sigma is that of the training data. Order 1 is `--recipe linear`.
"""

import argparse

import numpy as np
import xarray


def read(path, count=None):
    data = xarray.open_dataset(path)
    names = [n for n, v in data.data_vars.items() if v.attrs.get("role") in ("state", "input")]
    names.sort(key=lambda n: data[n].attrs["role"] != "state")
    states = [n for n in names if data[n].attrs["role"] == "state"]
    inputs = [n for n in names if data[n].attrs["role"] == "input"]
    stack = lambda chosen: np.stack([data[n].values for n in chosen], axis=-1)[:count]
    return stack(states), stack(inputs)


def features(x, u, order):
    """Rows for k = order-1 ... N-2 of one trajectory."""
    steps = range(order)
    last = len(x) - 1
    past = [x[order - 1 - lag:last - lag] for lag in steps] + [u[order - 1 - lag:last - lag] for lag in steps]
    return np.hstack(past + [np.ones((last - order + 1, 1))])


def fit(x, u, order):
    rows = np.vstack([features(a, b, order) for a, b in zip(x, u)])
    targets = np.vstack([a[order:] - a[order - 1:-1] for a in x])
    return np.linalg.lstsq(rows, targets, rcond=1e-12)[0]


def forecast(weights, x, u, order):
    path = x.copy()
    alive = np.ones(len(x), bool)
    for k in range(order - 1, x.shape[1] - 1):
        past = [path[:, k - lag] for lag in range(order)] + [u[:, k - lag] for lag in range(order)]
        row = np.hstack(past + [np.ones((len(x), 1))])
        path[:, k + 1] = path[:, k] + row @ weights
        path[:, k + 1] = np.where(np.abs(path[:, k + 1]) < 1e6, path[:, k + 1], 1e6)
    return path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--trajectories", type=int)
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--horizons", type=int, nargs="+", default=[100, 1000, 2500, 5000])
    options = parser.parse_args()
    x, u = read(options.train, options.trajectories)
    y, v = read(options.test)
    centre, spread = x.mean((0, 1)), x.std((0, 1))
    control_centre, control_spread = u.mean((0, 1)), u.std((0, 1))
    x, y = (x - centre) / spread, (y - centre) / spread
    u, v = (u - control_centre) / control_spread, (v - control_centre) / control_spread
    for order in options.orders:
        error = np.abs(forecast(fit(x, u, order), y, v, order) - y)
        strays = error.mean(-1) > 3
        cells = []
        for horizon in options.horizons:
            diverged = strays[:, :horizon].any(1)
            kept = error[~diverged, :horizon]
            cells.append(f"{kept.mean():.3f} ({100 * diverged.mean():.1f} %)" if len(kept) else "- (100 %)")
        print(f"ARX({order})", *cells, sep="  ")


if __name__ == "__main__":
    main()
