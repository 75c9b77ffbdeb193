"""Target scores: detection probability and false alarms, of masks and of points.

The widely copied script matches by the area of components and divides by a fixed frame of 256x256;
neither is reproduced here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.boxes import Components, components, contains
from deepir.structures import Detections

RADIUS_PX = 3.0
"""A centroid strictly closer than this to a target's hits it."""


@dataclass(frozen=True)
class DistanceCounts:
    """Counts of the distance rule; ``+`` adds frames."""

    hits: int = 0
    targets: int = 0
    false_pixels: int = 0
    pixels: int = 0

    def __add__(self, other: DistanceCounts) -> DistanceCounts:
        return DistanceCounts(
            self.hits + other.hits,
            self.targets + other.targets,
            self.false_pixels + other.false_pixels,
            self.pixels + other.pixels,
        )

    @property
    def pd(self) -> float:
        """Share of targets that were hit; 0.0 without targets."""
        return self.hits / self.targets if self.targets else 0.0

    @property
    def fa(self) -> float:
        """Pixels of unmatched components as a fraction of all pixels (printed in 1e-6)."""
        return self.false_pixels / self.pixels if self.pixels else 0.0


def distance_counts(predicted: ArrayLike, truth: ArrayLike) -> DistanceCounts:
    """Match the components of two masks (H, W) by the distance of their centroids.

    True components in raster order each take the first free predicted one (raster order) whose
    centroid is strictly closer than 3 px.

    Raises:
        ValueError: masks of different shape.

    >>> distance_counts([[1, 0, 0, 0, 0, 1]], [[0, 1, 0, 0, 0, 0]])
    DistanceCounts(hits=1, targets=1, false_pixels=1, pixels=6)
    """
    return distance_rule(*paired_components(predicted, truth))


def paired_components(predicted: ArrayLike, truth: ArrayLike) -> tuple[Components, Components]:
    """Components of a predicted and of a true mask (H, W), for the rules that match them.

    Raises:
        ValueError: masks of different shape.
    """
    found, wanted = components(predicted), components(truth)
    if found.labels.shape != wanted.labels.shape:
        raise ValueError(
            f"masks need one shape, got {found.labels.shape} and {wanted.labels.shape}"
        )
    return found, wanted


def distance_rule(found: Components, wanted: Components) -> DistanceCounts:
    """Count one frame by the distance rule, from its predicted and true components."""
    free = np.ones(len(found), dtype=bool)
    near = centroid_distances(wanted, found) < RADIUS_PX
    for row in near:
        candidates = np.flatnonzero(row & free)
        free[candidates[:1]] = False
    hits = int((~free).sum())
    return DistanceCounts(hits, len(wanted), int(found.areas[free].sum()), found.labels.size)


def centroid_distances(a: Components, b: Components) -> NDArray[np.float64]:
    """Euclidean distances of the centroids, (len(a), len(b)), pixels."""
    gaps = a.centroids[:, None, :] - b.centroids[None, :, :]
    distances: NDArray[np.float64] = np.sqrt((gaps**2).sum(axis=2))
    return distances


def pd_fa(predicted: Iterable[ArrayLike], truth: Iterable[ArrayLike]) -> DistanceCounts:
    """Counts of the distance rule over a set of masks; see ``.pd`` and ``.fa``."""
    total = DistanceCounts()
    for found, wanted in zip(predicted, truth, strict=True):
        total += distance_counts(found, wanted)
    return total


def point_hits(
    points: ArrayLike, *, boxes: ArrayLike | None = None, centroids: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Which points hit a target, best score first, each target once: (N,).

    ``points`` (N, 2) ``x y`` in falling score. With ``boxes`` (M, 4) a point hits the first free
    box that contains it, borders included; without, the first free one of ``centroids`` (M, 2)
    that is strictly closer than 3 px. NaN points hit nothing.

    Raises:
        ValueError: neither or both kinds of truth given.

    >>> point_hits([[3, 3], [2, 2], [9, 9]], boxes=[[1, 1, 4, 4]]).tolist()
    [True, False, False]
    """
    hits: NDArray[np.bool_] = targets_hit(points, boxes=boxes, centroids=centroids) >= 0
    return hits


def targets_hit(
    points: ArrayLike, *, boxes: ArrayLike | None = None, centroids: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Number of the target that each point hits by the rule of `point_hits`, -1 for none: (N,).

    >>> targets_hit([[3, 3], [2, 2], [9, 9]], boxes=[[1, 1, 4, 4]]).tolist()
    [0, -1, -1]
    """
    if (boxes is None) == (centroids is None):
        raise ValueError("give either boxes (M, 4) or centroids (M, 2), got both or neither")
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if boxes is not None:
        reach = contains(boxes, xy)
    else:
        gaps = xy[:, None, :] - np.asarray(centroids, dtype=np.float64).reshape(-1, 2)
        reach = np.sqrt((gaps**2).sum(axis=2)) < RADIUS_PX
    hit = np.full(len(xy), -1, dtype=np.int64)
    free = np.ones(reach.shape[1], dtype=bool)
    for index in np.flatnonzero(reach.any(axis=1)):
        targets = np.flatnonzero(reach[index] & free)
        free[targets[:1]] = False
        hit[index] = targets[0] if len(targets) else -1
    return hit


class PointCurve:
    """Pd against false objects, from points; fed frame by frame.

    An object is a detection; it is false when it hits no free target.
    """

    def __init__(self) -> None:
        self._scores = array("d")
        self._hits = array("B")
        self._detections = array("q")  # by frame
        self._targets = array("q")
        self._pixels = 0

    def update(
        self,
        found: Detections,
        shape: tuple[int, ...],
        *,
        boxes: ArrayLike | None = None,
        centroids: ArrayLike | None = None,
    ) -> None:
        """Add one frame of ``shape`` (H, W) with its truth, as for `point_hits`."""
        hits = point_hits(found.points, boxes=boxes, centroids=centroids)
        self._scores.frombytes(found.scores.tobytes())
        self._hits.frombytes(hits.tobytes())
        self._detections.append(len(found))
        self._targets.append(len(np.asarray(boxes if boxes is not None else centroids)))
        self._pixels += int(np.prod(shape))

    @property
    def frames(self) -> int:
        """Frames fed so far."""
        return len(self._targets)

    @property
    def targets(self) -> NDArray[np.int64]:
        """Targets of each frame, (F,)."""
        return np.array(self._targets, dtype=np.int64)

    def at(self, threshold: float) -> PointScores:
        """Scores of the detections whose score reaches ``threshold``."""
        taken = self.columns()[0] >= threshold
        frames = np.repeat(np.arange(self.frames), np.array(self._detections, dtype=int))
        hit = self.columns()[1]
        return PointScores(
            hits=np.bincount(frames[taken & hit], minlength=self.frames),
            false_objects=np.bincount(frames[taken & ~hit], minlength=self.frames),
            targets=self.targets,
            pixels=self._pixels,
        )

    def pd_at(self, false_objects_per_frame: float) -> float:
        """Highest Pd of any threshold with at most this many false objects a frame.

        The threshold is read off the curve of this very set; detections of equal score come in or
        stay out together. 0.0 without targets or frames.
        """
        threshold = self.threshold_at(false_objects_per_frame)
        return self.at(threshold).pd if threshold < np.inf else 0.0

    def threshold_at(self, false_objects_per_frame: float) -> float:
        """Lowest threshold with at most this many false objects a frame, on this very set.

        Detections of equal score come in or stay out together. Infinite where even the best ones
        are too many, or where there is no detection.
        """
        steps = self.steps()
        allowed = steps.thresholds[steps.false_objects <= false_objects_per_frame * self.frames]
        return float(allowed[-1]) if len(allowed) else float("inf")

    def steps(self) -> PointSteps:
        """Every score as a threshold: the whole curve of hits against false objects (FROC)."""
        scores, hit = self.columns()
        order = np.argsort(-scores, kind="stable")
        ranked, hit = scores[order], hit[order]
        last = np.append(ranked[1:] < ranked[:-1], True)[: len(ranked)]  # of its equals
        hits, false = np.cumsum(hit)[last], np.cumsum(~hit)[last]
        return PointSteps(ranked[last], hits, false, int(self.targets.sum()), self.frames)

    def columns(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Score of every detection fed so far, and whether it hit a target."""
        return np.array(self._scores, dtype=np.float64), np.array(self._hits, dtype=bool)


@dataclass(frozen=True, eq=False)
class PointSteps:
    """Hits and false objects of a set at each of T thresholds, which fall."""

    thresholds: NDArray[np.float64]  # (T,)
    hits: NDArray[np.int64]  # (T,)
    false_objects: NDArray[np.int64]  # (T,)
    targets: int
    frames: int

    @property
    def pd(self) -> NDArray[np.float64]:
        """Share of targets that were hit, (T,); 0.0 without targets."""
        return self.hits / max(self.targets, 1)

    @property
    def false_objects_per_frame(self) -> NDArray[np.float64]:
        """False objects divided by frames, (T,)."""
        return self.false_objects / max(self.frames, 1)


@dataclass(frozen=True, eq=False)
class PointScores:
    """Hits and false objects of each frame at one threshold."""

    hits: NDArray[np.int64]  # (F,)
    false_objects: NDArray[np.int64]  # (F,)
    targets: NDArray[np.int64]  # (F,)
    pixels: int

    @property
    def pd(self) -> float:
        """Share of targets that were hit; 0.0 without targets."""
        targets = int(self.targets.sum())
        return float(self.hits.sum() / targets) if targets else 0.0

    @property
    def false_objects_per_frame(self) -> float:
        """False objects divided by frames; 0.0 without frames."""
        return float(self.false_objects.mean()) if len(self.false_objects) else 0.0

    @property
    def false_objects_per_megapixel(self) -> float:
        """False objects by million pixels; 0.0 without pixels."""
        return float(1e6 * self.false_objects.sum() / self.pixels) if self.pixels else 0.0
