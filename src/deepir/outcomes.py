"""What became of each target and each believed detection, as rows of a table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepir.boxes import contains
from deepir.metrics.noco_ap import match_points
from deepir.metrics.target import targets_hit
from deepir.noco import noco_map
from deepir.structures import Detections, Sample

HEADS = ("id", "outcome", "target", "x", "y", "score", "noco", "distance", "x0", "y0", "x1", "y1")
"""``outcome`` is hit, missed or false; ``target`` counts the frame's boxes from 0, and ``x0`` to
``y1`` are its box. ``x``, ``y``, ``score``: the detection; of a missed target the best candidate
that lies in its box, if any. ``noco``: of that point, 0 off all targets. ``distance``: in pixels
from the point to the middle of its target's box, of a false detection to the nearest one's."""

Row = tuple[str | int | float | None, ...]


class Outcomes:
    """Rows of a whole run, frame by frame: hits and false detections best first, then misses.

    ``operating`` is the score from which a detection is believed; a point hits as in
    `deepir.metrics.point_hits`, so hits, misses and false detections add up to Pd and false
    objects.
    """

    def __init__(self, operating: float) -> None:
        self.operating = operating
        self.rows: list[Row] = []

    def update(self, sample: Sample, candidates: Detections) -> None:
        """Add one frame with all its candidates.

        Raises:
            ValueError: NaN or infinite pixels around a target, whose NoCo is then unknown.
        """
        frame = _Frame(sample, candidates)
        found = candidates.above(self.operating)
        target = targets_hit(found.points, boxes=sample.boxes)
        for index, hit in enumerate(target.tolist()):
            self.rows.append(frame.row("hit" if hit >= 0 else "false", hit, index))
        for missed in sorted(set(range(len(sample.boxes))) - set(target.tolist())):
            within = contains(sample.boxes[missed : missed + 1], candidates.points)[:, 0]
            weaker = np.flatnonzero(within & (candidates.scores < self.operating))
            best = int(weaker[0]) if len(weaker) else None
            self.rows.append(frame.row("missed", missed, best))


class _Frame:
    """What the rows of one frame are made from."""

    def __init__(self, sample: Sample, candidates: Detections) -> None:
        self._sample = sample
        self._candidates = candidates
        height, width = sample.image.shape
        points = candidates.points
        inside = np.all((points >= 0) & (points <= (width, height)), axis=1)
        truth = noco_map(sample.image, sample.boxes)
        self._noco = np.zeros(len(points))
        self._noco[inside] = match_points(points[inside], truth, sample.boxes)[0]
        self._noco[np.isneginf(self._noco)] = 0.0
        middles = (sample.boxes[:, :2] + sample.boxes[:, 2:] - 1).astype(np.float64) / 2
        self._distances: NDArray[np.float64] = np.hypot(
            *np.moveaxis(points[:, None] - middles, 2, 0)
        )

    def row(self, outcome: str, target: int, index: int | None) -> Row:
        """Row of a target (-1: none) and a candidate (None: none)."""
        named = target >= 0
        box = self._sample.boxes[target].tolist() if named else (None,) * 4
        detection: tuple[float | None, ...] = (None,) * 5
        if index is not None:
            apart = self._distances[index]
            distance = apart[target] if named else apart.min(initial=np.inf)
            point, score = self._candidates.points[index], self._candidates.scores[index]
            near = float(distance) if np.isfinite(distance) else None
            detection = (*point.tolist(), float(score), float(self._noco[index]), near)
        return (self._sample.id, outcome, target if named else None, *detection, *box)
