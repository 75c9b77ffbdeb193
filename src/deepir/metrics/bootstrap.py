"""How sure a figure is: intervals from resampled frames, and the paired difference of two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.metrics.noco_ap import NocoHits, RankedHits

DRAWS = 1000
Floats = NDArray[np.float64]
_ROWS = 4_000_000  # numbers held at a time while draws are scored


@dataclass(frozen=True)
class Interval:
    """95 % percentile interval of a figure over resampled frames."""

    low: float
    high: float


def resample(frames: int, *, draws: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """How often each draw of ``frames`` frames with replacement takes each frame: (draws, F).

    The same arguments give the same draws, which is what pairs two detectors.

    >>> resample(3, draws=2, seed=0).sum(axis=1).tolist()
    [3, 3]
    """
    generator = np.random.default_rng(seed)
    chosen = generator.integers(0, max(frames, 1), size=(draws, frames))
    return np.stack([np.bincount(row, minlength=frames) for row in chosen])


def percentile_interval(values: ArrayLike) -> Interval:
    """Percentiles 2.5 and 97.5 of the draws.

    >>> percentile_interval([0.5, 0.5])
    Interval(low=0.5, high=0.5)
    """
    low, high = np.percentile(np.asarray(values, dtype=np.float64), [2.5, 97.5])
    return Interval(float(low), float(high))


def mnocoap_draws(hits: NocoHits, counts: NDArray[np.int64]) -> Floats:
    """Score every draw by mNoCoAP: (draws,).

    ``counts`` (draws, F) from `resample`. A frame taken k times counts its detections and targets
    k times; a draw without targets scores 0.0.
    """
    ranked = hits.ranked()
    step = max(1, _ROWS // max(len(ranked.frames), 1))
    parts = [
        _mean_precision(ranked, counts[start : start + step])
        for start in range(0, len(counts), step)
    ]
    return np.concatenate(parts)


def _mean_precision(ranked: RankedHits, counts: NDArray[np.int64]) -> Floats:
    targets = counts @ ranked.targets
    listed = np.cumsum(counts[:, ranked.frames], axis=1, dtype=np.int32)  # detections so far
    total = np.zeros(len(counts))
    for ranks, weights in _hits_by_level(ranked, counts):
        found = np.cumsum(weights, axis=1)
        precision = found / np.maximum(listed[:, ranks], 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        total += (envelope * weights).sum(axis=1) / np.maximum(targets, 1)
    return total / ranked.levels


def _hits_by_level(
    ranked: RankedHits, counts: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    for level in range(ranked.levels):
        ranks = ranked.hit_ranks(level)
        if len(ranks):
            yield ranks, counts[:, ranked.frames[ranks]]


def mnocoap_interval(hits: NocoHits, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """95 % interval of mNoCoAP over resampled frames; no frame at all gives (0, 0)."""
    if not len(hits.targets):
        return Interval(0.0, 0.0)
    return percentile_interval(
        mnocoap_draws(hits, resample(len(hits.targets), draws=draws, seed=seed))
    )


@dataclass(frozen=True)
class PairedDifference:
    """Difference a - b of two detectors on the same frames.

    ``p_value`` is the two-sided share of draws on the other side of zero (at least 1 / draws).
    """

    difference: float
    interval: Interval
    p_value: float


def paired_interval(
    a: NocoHits, b: NocoHits, *, draws: int = DRAWS, seed: int = 0
) -> PairedDifference:
    """Difference in mNoCoAP of two detectors, by the paired bootstrap over their common frames.

    Raises:
        ValueError: the two were not fed the same frames (told by their numbers of targets).
    """
    if not np.array_equal(a.targets, b.targets):
        raise ValueError(
            f"paired detectors need the same frames, got {len(a.targets)} frames with"
            f" {a.targets.sum()} targets and {len(b.targets)} with {b.targets.sum()}"
        )
    counts = resample(len(a.targets), draws=draws, seed=seed)
    differences = mnocoap_draws(a, counts) - mnocoap_draws(b, counts)
    tail = min((differences <= 0).mean(), (differences >= 0).mean())
    return PairedDifference(
        a.score().mean - b.score().mean,
        percentile_interval(differences),
        float(min(1.0, max(2 * tail, 1 / draws))),
    )


def ratio_interval(
    numerators: ArrayLike, denominators: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Interval:
    """95 % interval of sum(numerators) / sum(denominators), one pair a frame.

    Used for Pd (hits over targets) and false objects a frame (false objects over ones). Draws
    whose denominator is 0 count as 0.0; no frame gives (0, 0).
    """
    above, below = np.asarray(numerators), np.asarray(denominators)
    if not len(above):
        return Interval(0.0, 0.0)
    counts = resample(len(above), draws=draws, seed=seed)
    total = counts @ below
    return percentile_interval(
        np.where(total == 0, 0, counts @ above) / np.where(total == 0, 1, total)
    )
