"""From scores and what came true to probabilities, and how well these were kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from deepir.calibration import Bin, Platt, log_odds

BINS = 10
"""Parts of [0, 1] in which stated probabilities are held against the truth, equally wide."""

Floats = NDArray[np.float64]


def fit_platt(scores: ArrayLike, right: ArrayLike) -> Platt:
    """Most likely slope (at least 0) and offset for scores (N,) and whether each hit (N,).

    Raises:
        ValueError: no score at all, or only hits or only misses.

    >>> fit_platt([0.2, 0.2, 0.8, 0.8], [True, False, True, True]).slope > 0
    True
    """
    hit = np.asarray(right, dtype=bool)
    if not hit.any() or hit.all():
        raise ValueError(
            f"calibration needs both hits and false alarms, got {int(hit.sum())} hits among"
            f" {len(hit)} candidates"
        )
    inputs, sign = log_odds(scores), np.where(hit, 1.0, -1.0)

    def loss(theta: Floats) -> tuple[float, Floats]:
        margin = sign * (theta[0] * inputs + theta[1])
        pull = -sign * np.exp(-np.logaddexp(0.0, margin))
        return float(np.logaddexp(0.0, -margin).sum()), np.array([pull @ inputs, pull.sum()])

    limits = [(0.0, None), (None, None)]
    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=limits)
    return Platt(float(found.x[0]), float(found.x[1]))


def reliability(stated: ArrayLike, right: ArrayLike) -> tuple[Bin, ...]:
    """Stated probabilities (N,) against what came true (N,), in tenths; empty ones are left out.

    >>> reliability([0.02, 0.04, 0.9], [False, True, True])
    (Bin(stated=0.03, count=2, hit_rate=0.5), Bin(stated=0.9, count=1, hit_rate=1.0))
    """
    values, hit = np.asarray(stated, dtype=np.float64), np.asarray(right, dtype=bool)
    part = np.minimum((values * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(float(values[part == k].mean()), int((part == k).sum()), float(hit[part == k].mean()))
        for k in np.unique(part).tolist()
    )
