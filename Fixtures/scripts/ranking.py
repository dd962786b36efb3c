"""Rank agreement and precision over thresholds by scipy and scikit-learn."""
import numpy as np
from scipy.stats import friedmanchisquare, rankdata, spearmanr
from sklearn.metrics import average_precision_score, precision_recall_curve

from fixture_json import write

rng = np.random.default_rng(20261123)


def concordance(ratings):
    """Kendall's W from Friedman's statistic, which corrects for ties: W = chi2/(M (n - 1))."""
    raters, items = ratings.shape
    return friedmanchisquare(*ratings.T).statistic / (raters * (items - 1))


cases = []
for raters, items, levels in [(3, 8, None), (10, 104, None), (5, 12, 4), (4, 30, 3)]:
    common = rng.normal(size=items)
    ratings = common + rng.normal(size=(raters, items)) * 0.7
    if levels:
        ratings = np.floor((ratings - ratings.min()) / np.ptp(ratings) * (levels - 1e-9))
    cases.append({
        "ratings": ratings.tolist(),
        "ranksOfFirst": rankdata(ratings[0]).tolist(),
        "concordance": concordance(ratings),
        "correlationOfFirstTwo": spearmanr(ratings[0], ratings[1]).statistic,
    })

curves = []
for count, levels in [(40, None), (104, 12)]:
    real = rng.uniform(size=count) < 0.4
    scores = real * 0.5 + rng.normal(size=count) * 0.5
    if levels:
        scores = np.round(scores * levels) / levels
    precision, recall, thresholds = precision_recall_curve(real, scores)
    curves.append({
        "scores": scores.tolist(), "isReal": [bool(r) for r in real],
        "averagePrecision": average_precision_score(real, scores),
        # By falling threshold; scikit-learn goes up and ends with a point without a threshold.
        "thresholds": thresholds[::-1].tolist(),
        "precision": precision[:-1][::-1].tolist(), "recall": recall[:-1][::-1].tolist(),
    })

write("agreement/ranking.json", {"cases": cases, "curves": curves})
