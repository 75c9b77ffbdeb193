"""Hybrid IoU with its error split.

Pang et al., "Rethinking Evaluation of Infrared Small Target Detection", NeurIPS 2025. A predicted
component P and a true one G match by overlap first, by distance where overlap leaves both alone.
Frames without predictions or targets add no phantom component (the published package counts one).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from deepir.boxes import Components
from deepir.metrics.target import RADIUS_PX, centroid_distances, paired_components

OVERLAP = 0.5
"""Pixel IoU from which two components match by overlap."""


@dataclass(frozen=True)
class HybridCounts:
    """Sums of the hybrid rule over frames; ``+`` adds frames."""

    hits: int = 0  # TP: kept pairs
    false: int = 0  # FP: predicted components left
    missed: int = 0  # FN: true components left
    iou: float = 0.0  # over kept pairs, each a fraction of the pair's union
    merge: float = 0.0
    interference: float = 0.0
    perception: float = 0.0
    lone_false: int = 0  # predicted components that could match nothing
    lone_missed: int = 0  # true components that could match nothing
    false_pixels: int = 0
    pixels: int = 0

    def __add__(self, other: HybridCounts) -> HybridCounts:
        return HybridCounts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class HybridScores:
    """Hybrid IoU and where it is lost; shares in [0, 1], 0.0 where there is nothing to divide.

    ``seg_iou`` and its merge, interference and perception errors add up to 1 where a pair was
    kept; ``loc_iou`` and its one-to-many, many-to-one, interference and perception errors add up
    to 1 where a component exists. ``fa`` is a fraction of all pixels.
    """

    hiou: float
    pd: float
    fa: float
    seg_iou: float
    seg_merge_error: float
    seg_interference_error: float
    seg_perception_error: float
    loc_iou: float
    loc_one_to_many_error: float
    loc_many_to_one_error: float
    loc_interference_error: float
    loc_perception_error: float


def hybrid_iou(
    maps: Iterable[ArrayLike], masks: Iterable[ArrayLike], *, threshold: float = 0.5
) -> HybridScores:
    """Hybrid IoU of a set: one map (H, W), cut at ``map > threshold``, and one true mask a frame.

    Raises:
        ValueError: a map and a mask of different shape, or different numbers of them.

    >>> score = hybrid_iou([[[0, 0.9, 0.8, 0]]], [[[0, 1, 1, 0]]])
    >>> score.hiou, score.pd, score.fa
    (1.0, 1.0, 0.0)
    """
    total = HybridCounts()
    for predicted, truth in zip(maps, masks, strict=True):
        total += hybrid_counts(np.asarray(predicted) > threshold, truth)
    return hybrid_scores(total)


def hybrid_counts(predicted: ArrayLike, truth: ArrayLike) -> HybridCounts:
    """Counts of one frame: predicted and true mask (H, W); empty masks are legal.

    Raises:
        ValueError: masks of different shape.
    """
    return hybrid_rule(*paired_components(predicted, truth))


def hybrid_rule(found: Components, wanted: Components) -> HybridCounts:
    """Count one frame by the hybrid rule, from its predicted and true components."""
    shared = _shared_pixels(wanted, found)
    unions = wanted.areas[:, None] + found.areas[None, :] - shared
    overlap = shared / unions
    distance = centroid_distances(wanted, found)
    pairs = _match(overlap, distance)
    parts = sum((_pair_parts(shared, found, wanted, g, p) for g, p in pairs), np.zeros(4))
    iou, merge, interference, perception = parts.tolist()
    could = (overlap >= OVERLAP) | (distance < RADIUS_PX)
    free = np.setdiff1d(np.arange(len(found)), [p for _, p in pairs])
    return HybridCounts(
        hits=len(pairs),
        false=len(found) - len(pairs),
        missed=len(wanted) - len(pairs),
        iou=iou,
        merge=merge,
        interference=interference,
        perception=perception,
        lone_false=int((~could.any(axis=0)).sum()),
        lone_missed=int((~could.any(axis=1)).sum()),
        false_pixels=int(found.areas[free].sum()),
        pixels=found.labels.size,
    )


def hybrid_scores(counts: HybridCounts) -> HybridScores:
    """Ratios of the summed counts."""
    objects = counts.hits + counts.false + counts.missed
    segmented = counts.iou / counts.hits if counts.hits else 0.0
    located = counts.hits / objects if objects else 0.0

    def by_pair(total: float) -> float:
        return total / counts.hits if counts.hits else 0.0

    def by_object(total: int) -> float:
        return total / objects if objects else 0.0

    targets = counts.hits + counts.missed
    return HybridScores(
        hiou=segmented * located,
        pd=counts.hits / targets if targets else 0.0,
        fa=counts.false_pixels / counts.pixels if counts.pixels else 0.0,
        seg_iou=segmented,
        seg_merge_error=by_pair(counts.merge),
        seg_interference_error=by_pair(counts.interference),
        seg_perception_error=by_pair(counts.perception),
        loc_iou=located,
        loc_one_to_many_error=by_object(counts.missed - counts.lone_missed),
        loc_many_to_one_error=by_object(counts.false - counts.lone_false),
        loc_interference_error=by_object(counts.lone_false),
        loc_perception_error=by_object(counts.lone_missed),
    )


def _shared_pixels(wanted: Components, found: Components) -> NDArray[np.int64]:
    """Pixels that each true and each predicted component have in common, (G, P)."""
    both = (wanted.labels > 0) & (found.labels > 0)
    cell = (wanted.labels[both] - 1).astype(np.int64) * len(found) + found.labels[both] - 1
    table: NDArray[np.int64] = np.bincount(cell, minlength=len(wanted) * len(found))
    return table.reshape(len(wanted), len(found))


def _match(overlap: NDArray[np.float64], distance: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Kept pairs (true, predicted): overlap first, then distance among those left."""
    pairs: list[tuple[int, int]] = []
    if (overlap >= OVERLAP).any():
        assigned = zip(*linear_sum_assignment(distance), strict=True)
        pairs = [(int(g), int(p)) for g, p in assigned if overlap[g, p] >= OVERLAP]
    rows = np.setdiff1d(np.arange(distance.shape[0]), [g for g, _ in pairs])
    columns = np.setdiff1d(np.arange(distance.shape[1]), [p for _, p in pairs])
    left = distance[np.ix_(rows, columns)]
    if (left < RADIUS_PX).any():
        assigned = zip(*linear_sum_assignment(left), strict=True)
        pairs += [(int(rows[g]), int(columns[p])) for g, p in assigned if left[g, p] < RADIUS_PX]
    return pairs


def _pair_parts(
    shared: NDArray[np.int64], found: Components, wanted: Components, g: int, p: int
) -> NDArray[np.float64]:
    """IoU, merge, interference and perception of one kept pair, as shares of its union."""
    both = int(shared[g, p])
    other_targets = int(shared[:, p].sum()) - both
    merge, perception = other_targets, int(wanted.areas[g]) - both
    interference = int(found.areas[p]) - both - other_targets
    union = both + merge + interference + perception
    return np.array([both, merge, interference, perception]) / union
