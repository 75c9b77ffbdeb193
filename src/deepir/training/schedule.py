"""Learning rate of each iteration."""

from __future__ import annotations

import math

from deepir.training.settings import Settings

PUBLISHED_START = 1e-6
"""First rate of the published rise, as a share of the rate that it leads to."""


def rate_of(settings: Settings, iteration: int) -> float:
    """Learning rate of an iteration, which counts from 0, of a run with these settings."""
    if settings.schedule == "epochs":
        return epoch_rate(
            iteration,
            settings.iterations,
            peak=settings.lr,
            warm_up=settings.warm_up,
            epoch=settings.epoch,
        )
    return learning_rate(
        iteration,
        settings.iterations,
        peak=settings.lr,
        warm_up=settings.warm_up,
        final=settings.final_lr,
    )


def learning_rate(
    iteration: int, iterations: int, *, peak: float, warm_up: float, final: float
) -> float:
    """Linear rise over the share ``warm_up``, then a cosine down to ``final * peak``.

    ``iteration`` counts from 0; past the end the last rate holds.

    >>> [round(learning_rate(i, 10, peak=1, warm_up=0.2, final=0.1), 2) for i in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.55, 0.1]
    """
    rising = max(1, round(warm_up * iterations))
    if iteration < rising:
        return peak * (iteration + 1) / rising
    progress = min(1.0, (iteration - rising) / max(1, iterations - rising))
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress)))


def epoch_rate(
    iteration: int, iterations: int, *, peak: float, warm_up: float, epoch: int
) -> float:
    """Published schedule: falls linearly towards 0, once an ``epoch`` of iterations.

    Over the share ``warm_up`` the rate of the running epoch is multiplied by a linear rise from
    1e-6, as the published framework does. With 12 epochs of 577 iterations and a rise over 1000:

    >>> rates = [epoch_rate(i, 12 * 577, peak=2e-3, warm_up=1000 / 6924, epoch=577)
    ...          for i in (0, 500, 577, 1000, 6923)]
    >>> [f"{rate:.3g}" for rate in rates]
    ['2e-09', '0.001', '0.00106', '0.00183', '0.000167']
    """
    epochs = max(1, math.ceil(iterations / epoch))
    rate = peak * max(0.0, 1 - (iteration // epoch) / epochs)
    rising = round(warm_up * iterations)
    if iteration < rising:
        rate *= 1 - (1 - iteration / rising) * (1 - PUBLISHED_START)
    return rate
