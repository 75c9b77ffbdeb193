"""From a detector's raw output, a map or boxes, to scored points: `published` and `peak`.

`published` reproduces how the published table was read; `peak` reports the pixel of highest
normalised contrast (`deepir.noco.noco_peaks`) and is our default.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import centres, components, contains
from deepir.choices import ReadOut as ReadOut
from deepir.noco import noco_peaks
from deepir.structures import Detections, as_boxes, best_first

PUBLISHED_LEVEL = 0.5
"""The published rule keeps pixels of the scaled map strictly above this."""

TOP_K = 100
"""Best candidates of a frame that a benchmark scores."""

MERGE_PX = 3.5
"""Peaks no further apart belong to one target.

Of the 318 targets of SIRST-V2's train_full none lies so close to another: the nearest two pairs of
true peaks are 3.6 px apart, the next 6; 4 px would lose two targets. No true peak lies in another
target's box.
"""

CLUTTER_RANK, CLUTTER_PX, CLUTTER_SHARE = 10, 9, 0.2
"""`clutter_ratio` takes the tenth highest of the maxima of all windows of 9 x 9 pixels, and a share
of the highest.

More than a frame has targets, and no larger than a target with its surroundings. On val_full places
from 5 to 30 and sides from 5 to 15 px differ little, and shares from 0.1 to 0.3
(`docs/experiments.md`).
"""

ROUNDING = 1e-12
"""Spread below this share of the largest value is rounding of a flat map, not signal."""

Floats = NDArray[np.float64]


def robust_z(saliency: ArrayLike) -> Floats:
    """Deviations of a signed map (H, W) from its median, in robust standard deviations.

    The scale is 1.4826 times the median absolute deviation; where that is 0 (most pixels equal),
    1.2533 times the mean absolute deviation; where that is 0 too, the map is flat and all z are 0.
    NaN and infinite values count as 0.

    >>> robust_z([[0, 1, 2, 3, 100]]).round(2).tolist()
    [[-1.35, -0.67, 0.0, 0.67, 66.1]]
    >>> robust_z([[7, 7]]).tolist()
    [[0.0, 0.0]]
    """
    values = _finite(saliency)
    centre, spread = robust_spread(values)
    return (values - centre) / spread if spread else np.zeros_like(values)


def robust_spread(values: Floats) -> tuple[float, float]:
    """Median and scale of `robust_z` for a finite map (H, W); the scale of a flat map is 0.

    >>> robust_spread(np.array([[0.0, 0.0, 0.0, 4.0]]))
    (0.0, 1.2533)
    """
    centre = float(np.median(values))
    deviation = np.abs(values - centre)
    noise = ROUNDING * float(np.abs(values).max())
    for scale in (1.4826 * float(np.median(deviation)), 1.2533 * float(deviation.mean())):
        if scale > noise:
            return centre, scale
    return centre, 0.0


def clutter_ratio(saliency: ArrayLike, *, least: float = 0.0) -> Floats:
    """A signed map (H, W) above its median, in units of the frame's own clutter.

    The unit is the tenth highest local maximum (`CLUTTER_RANK`, in windows of `CLUTTER_PX`; equal
    pixels side by side are one), or the scale of `robust_z` where that is larger or maxima are too
    few, or ``least`` (in the map's own unit), plus `CLUTTER_SHARE` of the highest maximum. So no
    score exceeds 5: what stands alone in a frame scores 4 to 5, the tenth best of its clutter at
    most 0.83. NaN and infinite values count as 0; a flat map gives zeros.

    A constant-false-alarm-rate rule by order statistics (Rohling, "Radar CFAR Thresholding in
    Clutter and Multiple Target Situations", IEEE TAES 19(4), 1983) whose window is the frame.

    >>> clutter = np.zeros((50, 50)); clutter[::10, ::10] = 2.0; clutter[5, 5] = 6.0
    >>> clutter_ratio(clutter).max().round(2)
    np.float64(1.88)
    >>> clutter_ratio([[7, 7]]).tolist()
    [[0.0, 0.0]]
    """
    values = _finite(saliency)
    above = values - np.median(values)
    maxima = _local_maxima(above)
    few = len(maxima) < CLUTTER_RANK
    tenth = 0.0 if few else float(np.partition(maxima, -CLUTTER_RANK)[-CLUTTER_RANK])
    spread = 0.0
    if not _exceeds_spread(tenth, values, above):
        spread = robust_spread(values)[1]
        if not spread:
            return np.zeros_like(values)
    highest = float(maxima.max(initial=0.0))
    above /= max(tenth, spread, least) + CLUTTER_SHARE * highest
    return above


def _exceeds_spread(level: float, values: Floats, above: Floats) -> bool:
    """Whether a level is above the scale of `robust_z`, by counting alone, which is quicker.

    False too where that is not plain: in flat and sparse maps, whose scale is another.
    """
    deviations = np.abs(above)
    within = np.count_nonzero(deviations < level / 1.4826)
    noise = ROUNDING * max(float(values.max()), -float(values.min()))
    above_noise = np.count_nonzero(deviations > noise)
    return bool(within > values.size // 2 + 1 and 2 * above_noise > values.size)


def _local_maxima(values: Floats) -> Floats:
    """Values above 0 that no pixel around exceeds, (K,); of neighbours that are equal one."""
    highest = cv2.dilate(values, np.ones((CLUTTER_PX, CLUTTER_PX), np.uint8))
    peaks = (values == highest) & (values > 0)
    count, labels = cv2.connectedComponents(peaks.astype(np.uint8), connectivity=8)
    maxima = np.zeros(count)
    maxima[labels[peaks]] = values[peaks]
    return maxima[1:]


def unit_range(saliency: ArrayLike) -> Floats:
    """Scale a raw map (H, W) as the published comparison does: clip at 0, then min-max to [0, 1].

    A constant map gives zeros. Every other frame's best pixel scores 1, also without a target.

    >>> unit_range([[-3, 1, 2]]).tolist()
    [[0.0, 0.5, 1.0]]
    """
    values = np.maximum(_finite(saliency), 0.0)
    low, high = float(values.min()), float(values.max())
    if high - low <= ROUNDING * high:
        return np.zeros_like(values)
    return (values - low) / (high - low)


def map_published(
    probability: ArrayLike, *, level: float = PUBLISHED_LEVEL, top_k: int = TOP_K
) -> Detections:
    """Read a map in [0, 1] (H, W) by the published rule, whose ``level`` is 0.5.

    8-connected components of ``map > level``; for each the first maximum, in row-major order,
    inside its bounding box. Boxes are the bounding boxes; nothing above it gives no detection.

    >>> map_published([[0.0, 0.6, 0.9], [0.0, 0.0, 0.0]]).points.tolist()
    [[2.0, 0.0]]
    """
    values = np.asarray(probability, dtype=np.float64)
    found = components(values > level)
    points, scores = [], []
    for x0, y0, x1, y1 in found.boxes.astype(int):
        part = values[y0:y1, x0:x1]
        row, column = divmod(int(part.argmax()), part.shape[1])
        points.append((x0 + column, y0 + row))
        scores.append(float(part[row, column]))
    return best_first(points, scores, found.boxes).top(top_k)


def map_peak(
    image: ArrayLike,
    scores: ArrayLike,
    *,
    floor: float,
    believed: float,
    least: float = -np.inf,
    top_k: int = TOP_K,
) -> Detections:
    """Read a score map by its components and their NoCo peaks.

    ``image`` and ``scores`` (H, W): 8-connected components of ``scores > floor``, each scored by
    its maximum and located at the NoCo peak of its bounding box; those that score at least
    ``believed`` paint for all (`deepir.noco.noco_peaks`). Nothing above the floor: no detection.
    Of components below ``least`` no peak is looked for; what the others give is the same as long
    as it is at most ``believed``.
    """
    values = np.asarray(scores, dtype=np.float64)
    found = components(values > floor)
    inside = found.labels > 0
    best = np.full(len(found), -np.inf)
    np.maximum.at(best, found.labels[inside] - 1, values[inside])
    kept = best >= least
    return boxes_peak(image, found.boxes[kept], best[kept], believed=believed, top_k=top_k)


def boxes_published(boxes: ArrayLike, scores: ArrayLike, *, top_k: int = TOP_K) -> Detections:
    """Report the centre of each box (N, 4), in edge coordinates that may end in .5.

    >>> boxes_published([[2, 2, 5, 4]], [0.7]).points.tolist()
    [[3.5, 3.0]]
    """
    return best_first(centres(boxes), scores, boxes).top(top_k)


def boxes_peak(
    image: ArrayLike,
    boxes: ArrayLike,
    scores: ArrayLike,
    *,
    believed: float,
    top_k: int = TOP_K,
) -> Detections:
    """Report the NoCo peak of each box (N, 4) with its score (N,).

    Boxes that score at least ``believed`` paint one joint map; each weaker one is judged in that
    map and its own window. N = 0 gives no detection.
    """
    kept = best_first(centres(boxes), scores, boxes).top(top_k)
    framed = as_boxes(kept.boxes if kept.boxes is not None else ())
    peaks = noco_peaks(image, framed, believed=kept.scores >= believed)
    return Detections(peaks, kept.scores, framed)


def merged_peaks(
    image: ArrayLike,
    boxes: ArrayLike,
    scores: ArrayLike,
    *,
    believed: float,
    within: float = MERGE_PX,
    top_k: int = TOP_K,
) -> Detections:
    """Report the NoCo peak of each target: `boxes_peak`, then `merge_duplicates`.

    A duplicate that goes no longer paints in the joint map, so peaks are read again from what is
    left, until nothing more goes. Reading the result's own boxes anew gives the result again.
    """
    found = boxes_peak(image, boxes, scores, believed=believed, top_k=len(as_boxes(boxes)))
    while len(kept := merge_duplicates(found, within=within)) < len(found):
        framed = () if kept.boxes is None else kept.boxes
        found = boxes_peak(image, framed, kept.scores, believed=believed, top_k=len(kept))
    return found.top(top_k)


def merge_duplicates(found: Detections, *, within: float = MERGE_PX) -> Detections:
    """Keep the best of all detections that are one target; the order stays.

    IoU cannot tell that boxes of 3x3 pixels one pixel apart are the same target. Two detections
    are where their points, pixel indices as the peak read-out gives them, are at most ``within``
    pixels apart, or where one's point lies in the other's box. Best first, each detection removes
    all weaker ones that are one target with it. So no two of the result are one target, and a
    threshold may be taken before or after. N = 0 gives no detection.

    Raises:
        ValueError: a distance that is NaN or negative.

    >>> two = Detections([[4, 4], [6, 4]], [0.9, 0.3], [[3, 3, 6, 6], [5, 3, 8, 6]])
    >>> merge_duplicates(two, within=2).points.tolist()
    [[4.0, 4.0]]
    >>> len(merge_duplicates(two, within=1))
    2
    """
    if not within >= 0:
        raise ValueError(f"a distance in pixels is 0 or more, got {within}")
    across = found.points[:, None] - found.points
    one = np.hypot(across[..., 0], across[..., 1]) <= within
    if found.boxes is not None:
        inside = contains(found.boxes, found.points + 0.5)
        one |= inside | inside.T
    kept: list[int] = []
    free = np.ones(len(found), dtype=bool)
    for index in range(len(found)):
        if free[index]:
            kept.append(index)
            free &= ~one[index]
    boxes = None if found.boxes is None else found.boxes[kept]
    return Detections(found.points[kept], found.scores[kept], boxes)


def _finite(saliency: ArrayLike) -> Floats:
    values = np.asarray(saliency, dtype=np.float64)
    return np.nan_to_num(values, copy=not np.isfinite(values).all(), posinf=0.0, neginf=0.0)
