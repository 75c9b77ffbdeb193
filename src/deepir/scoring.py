"""Every metric of a set of frames at once, fed frame by frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.data import source_of
from deepir.errors import FrameError
from deepir.metrics.bootstrap import DRAWS, Interval, mnocoap_interval, ratio_interval
from deepir.metrics.box_ap import BoxHits
from deepir.metrics.error_split import CLASSES, ErrorSplit, error_split
from deepir.metrics.hybrid import HybridCounts, hybrid_rule, hybrid_scores
from deepir.metrics.loc_ap import LocHits
from deepir.metrics.noco_ap import NocoHits
from deepir.metrics.pixel import PixelCounts
from deepir.metrics.roc import SCORE_THRESHOLDS, RocCounts
from deepir.metrics.target import (
    DistanceCounts,
    PointCurve,
    PointScores,
    distance_rule,
    paired_components,
)
from deepir.noco import noco_map
from deepir.structures import Detections, Mask, Sample

BUDGETS = (0.01, 0.1, 1.0)
"""False objects a frame at which Pd is read off the curve."""

FALSE_PIXELS = (1e-5, 1e-4, 1e-3)
"""Shares of the pixels off target at which the recall of those on target is read off the ROC."""

OPERATING_BUDGETS = (0.1, 0.5, 1.0)
"""False objects a frame of the three operating points."""

MASK_FIGURES = ("pixel", "target", "hybrid")
"""Figures that a predicted and a true mask of every frame are needed for."""

Figures = dict[str, object]


class Scorer:
    """Counts of all metrics over the frames fed so far; memory grows by their detections only.

    ``operating`` is the score from which a detection is believed: Pd, false objects and the mask
    scores are taken there, average precision and ``pd_at`` from all candidates. ``ids`` are those
    of the frames, in the order fed; ``local`` is the curve of scores without the scene's say.
    """

    def __init__(self, operating: float) -> None:
        self.operating = operating
        self.hits = NocoHits()
        self.curve = PointCurve()
        self.local = PointCurve()
        self.ids: list[str] = []
        self._absent: dict[str, str] = {}
        self._centres = LocHits()
        self._boxes = BoxHits()
        self._errors = ErrorSplit()
        self._pixels = PixelCounts()
        self._distance = DistanceCounts()
        self._hybrid = HybridCounts()
        self._roc = RocCounts(SCORE_THRESHOLDS)

    @property
    def frames(self) -> int:
        """Frames fed so far."""
        return self.curve.frames

    @property
    def absent(self) -> dict[str, str]:
        """Why figures are None, by figure."""
        return self._absent if self.frames else dict.fromkeys(MASK_FIGURES, "no frame is scored")

    def update(
        self,
        sample: Sample,
        candidates: Detections,
        mask: Mask | None,
        *,
        local: ArrayLike | None = None,
        score_map: ArrayLike | None = None,
    ) -> None:
        """Add one frame: its truth, all candidates, and the pixels believed to be target.

        ``local`` (N,) are the candidates' scores without the scene's say; None where nobody asks
        for thresholds that refer to them. ``score_map`` (H, W) are the scores of all pixels; None
        where there is no map.

        Raises:
            FrameError: NaN or infinite pixels around a target, whose NoCo is then unknown.
        """
        rows = np.column_stack([candidates.points, candidates.scores])
        try:
            truth = noco_map(sample.image, sample.boxes)
        except ValueError as error:
            raise FrameError(f"no NoCo map of {sample.id!r}: {error}") from None
        self.hits.update(rows, truth, sample.boxes)
        self._centres.update(rows, sample.boxes)
        self.curve.update(candidates, sample.image.shape, boxes=sample.boxes)
        if local is not None:
            alone = Detections(candidates.points, np.asarray(local), candidates.boxes)
            self.local.update(alone, sample.image.shape, boxes=sample.boxes)
        self.ids.append(sample.id)
        self._take_boxes(candidates, sample)
        self._errors += error_split(sample, candidates.above(self.operating).points, truth)
        self._take_mask(mask, sample)
        self._take_map(score_map, sample)

    def _take_boxes(self, candidates: Detections, sample: Sample) -> None:
        """Match boxes, until a frame has points only."""
        if candidates.boxes is None and len(candidates):
            self._lacks("box_ap", f"the detections of {sample.id!r} are points without boxes")
        if "box_ap" not in self._absent:
            boxes = () if candidates.boxes is None else candidates.boxes
            self._boxes.update(boxes, candidates.scores, sample.boxes)

    def _take_mask(self, mask: Mask | None, sample: Sample) -> None:
        """Count pixels and components, until a frame lacks one of its masks."""
        if mask is None or sample.mask is None:
            whose = "true" if sample.mask is None else "predicted"
            for name in MASK_FIGURES:
                self._lacks(name, f"{sample.id!r} has no {whose} mask")
        elif "pixel" not in self._absent:
            self._pixels.update(mask, sample.mask)
            found, wanted = paired_components(mask, sample.mask)
            self._distance += distance_rule(found, wanted)
            self._hybrid += hybrid_rule(found, wanted)

    def _take_map(self, score_map: ArrayLike | None, sample: Sample) -> None:
        """Count pixels by threshold, until a frame lacks its map or its true mask."""
        if score_map is None or sample.mask is None:
            what = "true mask" if sample.mask is None else "map of scores"
            self._lacks("pixel.auc", f"{sample.id!r} has no {what}")
        elif "pixel.auc" not in self._absent:
            self._roc.update(score_map, sample.mask)

    def _lacks(self, name: str, reason: str) -> None:
        """Keep the first reason why a figure is None."""
        self._absent.setdefault(name, reason)

    def figures(self, *, draws: int = DRAWS, seed: int = 0) -> Figures:
        """All figures as plain values, with 95 % intervals over frames.

        Mask scores are None unless every frame had a true and a predicted mask; see ``absent``.
        """
        centred = self._centres.score()
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
            "mlocap": centred.mean,
            "locap": _keyed(centred.by_threshold),
            "pd": points.pd,
            "pd_interval": share(points.hits, points.targets),
            "false_objects_per_frame": points.false_objects_per_frame,
            "false_objects_per_frame_interval": share(points.false_objects, ones),
            "false_objects_per_megapixel": points.false_objects_per_megapixel,
            "pd_at": {f"{budget:g}": self.curve.pd_at(budget) for budget in BUDGETS},
            "operating_points": at_thresholds(
                self.curve, [(one, self.curve.threshold_at(one)) for one in OPERATING_BUDGETS]
            ),
            "with_targets": self._with_targets(draws, seed),
            "sources": self._sources(points),
            "box_ap": None if "box_ap" in self._absent else _keyed(self._boxes.score()),
            "errors": _error_figures(self._errors),
            **self._mask_figures(),
        }

    def _with_targets(self, draws: int, seed: int) -> Figures:
        """MNoCoAP of the frames with targets alone: nothing is gained by quiet cameras there."""
        bearing = self.hits.only(self.hits.targets > 0)
        return {
            "frames": len(bearing.targets),
            "mnocoap": bearing.score().mean,
            "mnocoap_interval": _pair(mnocoap_interval(bearing, draws=draws, seed=seed)),
        }

    def _sources(self, points: PointScores) -> Figures:
        """Figures of the frames of each source, in alphabetical order."""
        sources = np.array([source_of(sample_id) for sample_id in self.ids], dtype=object)
        return {
            str(name): self._of_frames(sources == name, points) for name in sorted(set(sources))
        }

    def _of_frames(self, chosen: NDArray[np.bool_], points: PointScores) -> Figures:
        targets = int(points.targets[chosen].sum())
        return {
            "frames": int(chosen.sum()),
            "targets": targets,
            "mnocoap": self.hits.only(chosen).score().mean if targets else None,
            "pd": float(points.hits[chosen].sum() / targets) if targets else None,
            "false_objects_per_frame": float(points.false_objects[chosen].mean()),
        }

    def _mask_figures(self) -> Figures:
        if "pixel" in self._absent or not self.frames:
            return dict.fromkeys(MASK_FIGURES)
        return {
            "pixel": {**asdict(self._pixels.score()), **self._roc_figures()},
            "target": {"pd": self._distance.pd, "fa": self._distance.fa},
            "hybrid": asdict(hybrid_scores(self._hybrid)),
        }

    def _roc_figures(self) -> Figures:
        if "pixel.auc" in self._absent:
            return {"auc": None, "recall_at": None}
        roc = self._roc.score()
        return {
            "auc": roc.auc,
            "recall_at": {f"{share:g}": roc.recall_at(share) for share in FALSE_PIXELS},
        }


def at_thresholds(curve: PointCurve, thresholds: Iterable[tuple[float, float]]) -> Figures:
    """Pd and false objects a frame at the threshold for each budget, by budget.

    An infinite threshold, where even the best detections are too many, is None.
    """
    figures: Figures = {}
    for budget, threshold in thresholds:
        scores = curve.at(threshold)
        figures[f"{budget:g}"] = {
            "threshold": threshold if np.isfinite(threshold) else None,
            "pd": scores.pd,
            "false_objects_per_frame": scores.false_objects_per_frame,
        }
    return figures


def _error_figures(split: ErrorSplit) -> Figures:
    counts = asdict(split)
    return {
        "targets": {kind: counts.pop(kind) for kind in CLASSES},
        "missed": {kind: counts.pop(f"missed_{kind}") for kind in CLASSES},
        **counts,
    }


def _pair(interval: Interval) -> list[float]:
    return [interval.low, interval.high]


def _keyed(values: dict[float, float]) -> dict[str, float]:
    return {f"{threshold:g}": value for threshold, value in values.items()}
