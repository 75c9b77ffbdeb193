"""Every metric of a set of frames at once, fed frame by frame."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import ArrayLike

from deepir.errors import FrameError
from deepir.metrics.bootstrap import DRAWS, Interval, mnocoap_interval, ratio_interval
from deepir.metrics.hybrid import HybridCounts, hybrid_rule, hybrid_scores
from deepir.metrics.noco_ap import NocoHits
from deepir.metrics.pixel import PixelCounts
from deepir.metrics.target import DistanceCounts, PointCurve, distance_rule, paired_components
from deepir.noco import noco_map
from deepir.structures import Detections, Mask, Sample

BUDGETS = (0.01, 0.1, 1.0)
"""False objects a frame at which Pd is read off the curve."""

Figures = dict[str, object]


class Scorer:
    """Counts of all metrics over the frames fed so far; memory grows by their detections only.

    ``operating`` is the score from which a detection is believed: Pd, false objects and the mask
    scores are taken there, average precision and ``pd_at`` from all candidates.
    """

    def __init__(self, operating: float) -> None:
        self.operating = operating
        self.hits = NocoHits()
        self.curve = PointCurve()
        self._pixels = PixelCounts()
        self._distance = DistanceCounts()
        self._hybrid = HybridCounts()
        self._masks = 0

    @property
    def frames(self) -> int:
        """Frames fed so far."""
        return self.curve.frames

    def update(self, sample: Sample, candidates: Detections, mask: Mask | None) -> None:
        """Add one frame: its truth, all candidates, and the pixels believed to be target.

        Raises:
            FrameError: NaN or infinite pixels around a target, whose NoCo is then unknown.
        """
        rows = np.column_stack([candidates.points, candidates.scores])
        try:
            truth = noco_map(sample.image, sample.boxes)
        except ValueError as error:
            raise FrameError(f"no NoCo map of {sample.id!r}: {error}") from None
        self.hits.update(rows, truth, sample.boxes)
        self.curve.update(candidates, sample.image.shape, boxes=sample.boxes)
        if mask is not None and sample.mask is not None:
            self._masks += 1
            self._pixels.update(mask, sample.mask)
            found, wanted = paired_components(mask, sample.mask)
            self._distance += distance_rule(found, wanted)
            self._hybrid += hybrid_rule(found, wanted)

    def figures(self, *, draws: int = DRAWS, seed: int = 0) -> Figures:
        """All figures as plain values, with 95 % intervals over frames.

        Mask scores are None unless every frame had a true and a predicted mask.
        """
        ap, points = self.hits.score(), self.curve.at(self.operating)
        ones = np.ones(self.frames)

        def share(numerators: ArrayLike, denominators: ArrayLike) -> list[float]:
            return _pair(ratio_interval(numerators, denominators, draws=draws, seed=seed))

        return {
            "mnocoap": ap.mean,
            "mnocoap_interval": _pair(mnocoap_interval(self.hits, draws=draws, seed=seed)),
            "nocoap": _keyed(ap.by_threshold),
            "recall_cap": ap.recall_cap,
            "recall": _keyed(ap.recall_by_threshold),
            "pd": points.pd,
            "pd_interval": share(points.hits, points.targets),
            "false_objects_per_frame": points.false_objects_per_frame,
            "false_objects_per_frame_interval": share(points.false_objects, ones),
            "false_objects_per_megapixel": points.false_objects_per_megapixel,
            "pd_at": {f"{budget:g}": self.curve.pd_at(budget) for budget in BUDGETS},
            **self._mask_figures(),
        }

    def _mask_figures(self) -> Figures:
        if not self._masks or self._masks < self.frames:
            return {"pixel": None, "target": None, "hybrid": None}
        return {
            "pixel": asdict(self._pixels.score()),
            "target": {"pd": self._distance.pd, "fa": self._distance.fa},
            "hybrid": asdict(hybrid_scores(self._hybrid)),
        }


def _pair(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _keyed(values: dict[float, float]) -> dict[str, float]:
    return {f"{threshold:g}": value for threshold, value in values.items()}
