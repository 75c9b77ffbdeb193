"""Fitting the scene factor of a trained cascade (`deepir.models.cascade.scene`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from deepir.errors import DeepirError
from deepir.models.cascade import Cascade
from deepir.structures import Sample

RIDGE = 3.0
"""Strength of the penalty on squared weights (of standardised inputs): few frames, many inputs."""

Floats = NDArray[np.float64]


def fit_scene(network: Cascade, frames: Sequence[Sample], *, floor: float, start: float) -> None:
    """Set the scene factor of ``network`` from whole frames with and without real targets.

    Ridge logistic regression on the frames' feature summaries; both kinds of frame weigh the same
    in sum. ``floor`` in (0, 1] is the smallest factor; 1 switches it off. Scores up to ``start``,
    the operating threshold, stay as they are.

    Raises:
        DeepirError: all frames are of one kind, so there is nothing to tell apart.
    """
    holds = np.array([len(sample.boxes) > 0 for sample in frames])
    if holds.all() or not holds.any():
        kind = "all" if holds.all() else "none"
        raise DeepirError(
            f"{kind} of the {len(frames)} training frames hold targets: the scene factor needs both"
            " kinds; switch it off with scene_floor=1"
        )
    inputs = np.stack([network.scene_summary(sample.image) for sample in frames])
    weight, bias = logistic_regression(inputs, holds, ridge=RIDGE)
    network.scene.weight.copy_(torch.from_numpy(weight))
    network.scene.bias.fill_(bias)
    network.scene.floor.fill_(floor)
    network.scene.start.fill_(start)


def forget_scene(network: Cascade) -> None:
    """Switch the scene factor off as in a new network: what other frames taught it is void."""
    for buffer in (network.scene.weight, network.scene.bias, network.scene.start):
        buffer.zero_()
    network.scene.floor.fill_(1.0)


def logistic_regression(
    inputs: Floats, positive: NDArray[np.bool_], *, ridge: float
) -> tuple[Floats, float]:
    """Weights (D,) and bias for ``inputs`` (N, D); classes are balanced, inputs standardised."""
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > 1e-6, spread, np.inf)  # a constant input says nothing
    unit = (inputs - centre) / spread
    sign = np.where(positive, 1.0, -1.0)
    share = np.where(positive, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))

    def loss(theta: Floats) -> tuple[float, Floats]:
        margin = sign * (unit @ theta[:-1] + theta[-1])
        slope = -share * sign * expit(-margin)
        value = (share * np.logaddexp(0.0, -margin)).sum() + ridge / 2 * (theta[:-1] ** 2).sum()
        return float(value), np.append(unit.T @ slope + ridge * theta[:-1], slope.sum())

    found = minimize(loss, np.zeros(inputs.shape[1] + 1), jac=True, method="L-BFGS-B")
    weight: Floats = found.x[:-1] / spread
    return weight, float(found.x[-1] - weight @ centre)
