"""How sure a figure is: intervals from resampled frames, and the paired difference of two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.metrics.noco_ap import NocoHits, RankedHits

DRAWS = 1000
Floats = NDArray[np.float64]
_NUMBERS = 4_000_000  # held at a time while draws are made and scored


@dataclass(frozen=True)
class Interval:
    """95 % percentile interval of a figure over resampled frames."""

    low: float
    high: float


def resample(frames: int, *, draws: int = DRAWS, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """How often each draw of ``frames`` frames with replacement takes each frame.

    Yields blocks (B, F) of the ``draws`` rows, small enough that memory does not grow with them.
    The same arguments give the same draws, which is what pairs two detectors. No frames: no rows.

    >>> [block.sum(axis=1).tolist() for block in resample(3, draws=2, seed=0)]
    [[3, 3]]
    """
    generator = np.random.default_rng(seed)
    step = max(1, _NUMBERS // max(frames, 1))
    for start in range(0, draws if frames else 0, step):
        size = min(step, draws - start)
        yield generator.multinomial(frames, np.full(frames, 1 / frames), size=size)


def percentile_interval(values: ArrayLike) -> Interval:
    """Percentiles 2.5 and 97.5 of the draws.

    >>> percentile_interval([0.5, 0.5])
    Interval(low=0.5, high=0.5)
    """
    low, high = np.percentile(np.asarray(values, dtype=np.float64), [2.5, 97.5])
    return Interval(float(low), float(high))


def mnocoap_draws(hits: NocoHits, *, draws: int = DRAWS, seed: int = 0) -> Floats:
    """Score every draw by mNoCoAP: (draws,).

    A frame taken k times counts its detections and targets k times; a draw without targets scores
    0.0; no frame at all gives zeros.
    """
    ranked = hits.ranked()
    step = max(1, _NUMBERS // max(len(ranked.frames), 1))
    parts = [
        weighted_mnocoap(ranked, counts[start : start + step])
        for counts in resample(len(ranked.targets), draws=draws, seed=seed)
        for start in range(0, len(counts), step)
    ]
    return np.concatenate(parts) if parts else np.zeros(draws)


def weighted_mnocoap(ranked: RankedHits, counts: NDArray[np.int64]) -> Floats:
    """Score sets in which frame f counts ``counts[k, f]`` times: (K,) from counts (K, F)."""
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
    return percentile_interval(mnocoap_draws(hits, draws=draws, seed=seed))


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
    scores = [mnocoap_draws(one, draws=draws, seed=seed) for one in (a, b)]
    differences = scores[0] - scores[1]
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
    blocks = [
        np.stack([counts @ above, counts @ below])
        for counts in resample(len(above), draws=draws, seed=seed)
    ]
    part, whole = np.concatenate(blocks, axis=1) if blocks else np.zeros((2, 1))
    return percentile_interval(np.where(whole == 0, 0, part) / np.where(whole == 0, 1, whole))
