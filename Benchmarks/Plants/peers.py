"""What others find in the same data: a lasso over quadratics, PySINDy, and PCMCI with partial correlations.

Each returns True where it takes an input for a cause of a rate, outputs × inputs.
"""

import warnings

import numpy as np
from world import THRESHOLD

warnings.filterwarnings("ignore")


def rows(values, states):
    """Standardised features and increments, and the trajectory of each row."""
    count = values.shape[0]
    x = values[:, :-1].reshape(-1, values.shape[2])
    y = (values[:, 1:, :states] - values[:, :-1, :states]).reshape(-1, states)
    z = (x - x.mean(0)) / np.where(x.std(0) > 0, x.std(0), 1)
    t = (y - y.mean(0)) / np.where(y.std(0) > 0, y.std(0), 1)
    return z, t, np.repeat(np.arange(count), values.shape[1] - 1)


def effects(predict, z, outputs, step=1e-3):
    """mean |df/dz| of a fitted function by central differences, outputs × inputs."""
    points = z[:: max(1, len(z) // 2000)]
    found = np.zeros((outputs, z.shape[1]))
    for column in range(z.shape[1]):
        up, down = points.copy(), points.copy()
        up[:, column] += step
        down[:, column] -= step
        found[:, column] = np.abs(predict(up) - predict(down)).mean(0) / (2 * step)
    return found


def lasso(values, states, seed):
    """Lasso over all products of two features; its strength by cross-validation over trajectories."""
    from sklearn.linear_model import LassoCV
    from sklearn.model_selection import GroupKFold
    from sklearn.preprocessing import PolynomialFeatures

    z, t, groups = rows(values, states)
    library = PolynomialFeatures(2, include_bias=False).fit(z[:1])
    q = library.transform(z)
    mean, deviation = q.mean(0), q.std(0)
    folds = list(GroupKFold(min(4, groups.max() + 1)).split(q, groups=groups))
    models = [LassoCV(cv=folds, alphas=30, max_iter=3000).fit((q - mean) / deviation, t[:, i])
              for i in range(states)]
    predict = lambda p: np.stack([m.predict((library.transform(p) - mean) / deviation) for m in models], 1)
    return effects(predict, z, states) > THRESHOLD


def pysindy(values, states, seed):
    """Sequentially thresholded least squares over quadratics, of increments as discrete-time maps; the threshold is
    the one with the least error on the last quarter of the trajectories."""
    from pysindy.feature_library import PolynomialLibrary
    from pysindy.optimizers import STLSQ

    z, t, groups = rows(values, states)
    library = PolynomialLibrary(degree=2)
    q = np.asarray(library.fit_transform(z))
    held = groups >= 0.75 * (groups.max() + 1)
    best = None
    for threshold in [0.001, 0.003, 0.01, 0.03, 0.1]:
        fit = STLSQ(threshold=threshold, alpha=1e-6).fit(q[~held], t[~held])
        error = ((q[held] @ fit.coef_.T - t[held]) ** 2).mean()
        if best is None or error < best[0]:
            best = (error, fit.coef_)
    predict = lambda p: np.asarray(library.transform(p)) @ best[1].T
    return effects(predict, z, states) > THRESHOLD


def pcmci(values, states, seed):
    """Links of lag one with p < 0.01 after control of the false discovery rate. Partial correlations are tested on
    every trajectory's own samples, without overlap."""
    from tigramite import data_processing
    from tigramite.independence_tests.parcorr import ParCorr
    from tigramite.pcmci import PCMCI

    frame = data_processing.DataFrame(
        {k: v for k, v in enumerate(values)}, analysis_mode="multiple")
    search = PCMCI(dataframe=frame, cond_ind_test=ParCorr(), verbosity=0)
    count = values.shape[2]
    links = {i: {(j, -1): "-?>" for j in range(count)} if i < states else {(i, -1): "-?>"} for i in range(count)}
    found = search.run_pcmci(tau_min=1, tau_max=1, pc_alpha=0.01, link_assumptions=links, fdr_method="fdr_bh")
    # Of its own state an increment depends through the state's decay, which a test of the state cannot tell.
    return (found["p_matrix"][:, :states, 1] < 0.01).T


ALL = {"lasso, quadratics": lasso, "PySINDy, quadratics": pysindy, "PCMCI, ParCorr": pcmci}
