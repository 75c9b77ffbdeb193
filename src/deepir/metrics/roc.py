"""What is found against what is falsely claimed as the threshold on a map rises (ROC).

Of pixels, and by the distance rule of targets. Maps are never kept, only counts by threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import components
from deepir.metrics.target import DistanceCounts, distance_rule

UNIT_THRESHOLDS = tuple(k / 256 for k in range(257))
"""For maps in [0, 1], such as probabilities or what the published read-out makes of a filter."""

_STEPS = tuple(2 ** (k / 8) for k in range(-32, 161))

SCORE_THRESHOLDS = (
    *(-step for step in reversed(_STEPS)),
    *UNIT_THRESHOLDS,
    *(step for step in _STEPS if step > 1),
)
"""For scores in any unit: those of maps in [0, 1], and where these end or below 0 steps of 9 %,
from 1/16 to a million on either side."""

Floats = NDArray[np.float64]

_PIXELS = 16_384  # looked at together: what is made of them stays in the processor's cache


@dataclass(frozen=True, eq=False)
class PixelRoc:
    """Shares of the pixels that exceed each of T rising thresholds; 0.0 where there are none.

    ``recall`` (T,) of the ``target_pixels``, ``false_alarm`` (T,) of the ``other_pixels``.
    """

    thresholds: Floats
    recall: Floats
    false_alarm: Floats
    target_pixels: int
    other_pixels: int

    @property
    def auc(self) -> float:
        """Area under recall over false alarms by trapezoids, from (0, 0) to (1, 1).

        It is the chance that a target pixel exceeds more thresholds than another pixel, equal ones
        counting half. 0.0 without target pixels or without others.
        """
        if not self.target_pixels or not self.other_pixels:
            return 0.0
        return float(np.trapezoid(_with_ends(self.recall), _with_ends(self.false_alarm)))

    def recall_at(self, false_alarm: float) -> float:
        """Highest recall of any of the thresholds at which at most this share is false.

        0.0 where every threshold lets more through.
        """
        kept = self.recall[self.false_alarm <= false_alarm]
        return float(kept.max(initial=0.0))


class RocCounts:
    """Pixels above each threshold over a set of frames, fed frame by frame.

    Memory does not grow with the frames.
    """

    def __init__(self, thresholds: Sequence[float] = UNIT_THRESHOLDS) -> None:
        self._levels = Levels(thresholds)
        self._everywhere, self._on_target = np.zeros((2, len(thresholds) + 1), dtype=np.int64)

    def update(self, scores: ArrayLike, truth: ArrayLike) -> None:
        """Add one frame: its map (H, W) and its true mask (H, W).

        Raises:
            ValueError: a map and a mask of different shape.
        """
        numbers, wanted = np.asarray(scores), np.asarray(truth, dtype=bool)
        _check_shapes(numbers.shape, wanted.shape)
        listed, count = wanted.ravel(), len(self._everywhere)
        for start in range(0, numbers.size, _PIXELS):
            part = slice(start, start + _PIXELS)
            levels = self._levels(numbers.ravel()[part])
            self._everywhere += np.bincount(levels, minlength=count)
            self._on_target += np.bincount(levels[listed[part]], minlength=count)

    def score(self) -> PixelRoc:
        """Shares of everything fed so far."""
        others = self._everywhere - self._on_target
        parts = [np.cumsum(part[::-1])[::-1] for part in (self._on_target, others)]
        (targets, *above), (other, *false) = (part.tolist() for part in parts)
        return PixelRoc(
            self._levels.thresholds,
            np.array(above) / max(targets, 1),
            np.array(false) / max(other, 1),
            targets,
            other,
        )


def pixel_roc(
    maps: Iterable[ArrayLike],
    masks: Iterable[ArrayLike],
    *,
    thresholds: Sequence[float] = UNIT_THRESHOLDS,
) -> PixelRoc:
    """ROC of the pixels of a set: one map (H, W) and one true mask (H, W) a frame.

    A pixel is claimed where the map strictly exceeds a threshold; NaN exceeds none. The default
    thresholds, k/256, are for maps in [0, 1]; give your own for raw maps. No frame gives shares
    of 0.0.

    Raises:
        ValueError: a map and a mask of different shape, different numbers of them, thresholds that
            do not rise or are no finite numbers.

    >>> roc = pixel_roc([[[0.9, 0.2, 0.4, 0.2]]], [[[1, 0, 0, 1]]], thresholds=(0.1, 0.3, 0.5))
    >>> roc.recall.tolist(), roc.false_alarm.tolist(), roc.auc
    ([1.0, 0.5, 0.5], [1.0, 0.5, 0.0], 0.625)
    """
    counts = RocCounts(thresholds)
    for scores, truth in zip(maps, masks, strict=True):
        counts.update(scores, truth)
    return counts.score()


class PdFaCounts:
    """Counts of the distance rule at each threshold over a set of frames, fed frame by frame."""

    def __init__(self, thresholds: Sequence[float] = UNIT_THRESHOLDS) -> None:
        self._levels = Levels(thresholds)
        self.counts = [DistanceCounts() for _ in thresholds]

    def update(self, scores: ArrayLike, truth: ArrayLike) -> None:
        """Add one frame: its map (H, W) and its true mask (H, W).

        Raises:
            ValueError: a map and a mask of different shape.
        """
        levels, wanted = self._levels(scores), components(truth)
        _check_shapes(levels.shape, wanted.labels.shape)
        changes = set(np.unique(levels).tolist())
        one = distance_rule(components(levels > 0), wanted)
        for index, total in enumerate(self.counts):
            if index in changes:  # otherwise the mask is that of the threshold before
                one = distance_rule(components(levels > index), wanted)
            self.counts[index] = total + one


def pd_fa_curve(
    maps: Iterable[ArrayLike],
    masks: Iterable[ArrayLike],
    *,
    thresholds: Sequence[float] = UNIT_THRESHOLDS,
) -> list[DistanceCounts]:
    """Pd against Fa: counts of the distance rule of ``map > threshold`` over a set, by threshold.

    Unlike pixels, targets have no short cut: every threshold that changes a frame's mask costs a
    search for components.

    Raises:
        ValueError: as `pixel_roc`.

    >>> frame, truth = [[0.9, 0, 0, 0, 0.6]], [[1, 0, 0, 0, 0]]
    >>> [(one.pd, one.fa) for one in pd_fa_curve([frame], [truth], thresholds=(0.5, 0.7))]
    [(1.0, 0.2), (1.0, 0.0)]
    """
    counts = PdFaCounts(thresholds)
    for scores, truth in zip(maps, masks, strict=True):
        counts.update(scores, truth)
    return counts.counts


class Levels:
    """Number of the rising thresholds that each value exceeds: exact, and fast for whole frames.

    The upper 16 bits of numbers in single precision are in the order of the numbers. So tables
    over these bits tell how many thresholds have lower ones; a threshold with the same bits is
    compared itself. NaN exceeds none.

    >>> Levels([0.25, 0.5])([[0.1, 0.25, 0.3, 0.9]]).tolist()
    [[0, 0, 1, 2]]
    """

    def __init__(self, thresholds: Sequence[float]) -> None:
        self.thresholds = np.asarray(thresholds, dtype=np.float64) + 0.0  # -0.0 becomes 0.0
        if self.thresholds.ndim != 1 or not self.thresholds.size:
            raise ValueError(f"at least one threshold is wanted, got {thresholds}")
        if not np.isfinite(self.thresholds).all() or (np.diff(self.thresholds) <= 0).any():
            raise ValueError(f"thresholds are finite and rise, got {thresholds}")
        bits = np.arange(1 << 16)
        order = np.where(bits < 1 << 15, bits + (1 << 15), (1 << 16) - 1 - bits)  # sign bit set
        own = _upper_bits(self.thresholds)
        self._lower = np.searchsorted(order[own], order).astype(np.intp)
        self._same = np.full(len(bits), np.inf)
        self._same[own] = self.thresholds
        crowded = np.bincount(own, minlength=len(bits)) > 1
        self._crowded = crowded if crowded.any() else None

    def __call__(self, values: ArrayLike) -> NDArray[np.intp]:
        """Levels, from 0 to the number of thresholds, in the shape of ``values``."""
        with np.errstate(invalid="ignore"):  # signalling NaN become quiet ones
            numbers = np.asarray(values, dtype=np.float64)
        bits = _upper_bits(numbers)
        levels: NDArray[np.intp] = self._lower[bits]
        levels += numbers > self._same[bits]
        if self._crowded is not None:
            crowded = self._crowded[bits]
            levels[crowded] = np.searchsorted(self.thresholds, numbers[crowded])
        levels[np.isnan(numbers)] = 0
        return levels


def _with_ends(shares: Floats) -> Floats:
    """Shares (T,) by falling threshold, between what none and what all of the pixels are."""
    return np.concatenate([[0.0], shares[::-1], [1.0]])


def _upper_bits(numbers: Floats) -> NDArray[np.intp]:
    with np.errstate(over="ignore"):  # beyond single precision is infinite, and so in order
        single = numbers.astype(np.float32)
    return (single.view(np.uint32) >> 16).astype(np.intp)


def _check_shapes(scores: tuple[int, ...], truth: tuple[int, ...]) -> None:
    if scores != truth:
        raise ValueError(f"a map and its mask need one shape, got {scores} and {truth}")
