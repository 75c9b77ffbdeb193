"""How well the averaged network finds the targets of a validation split."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepir.box_detector import BoxDetector, RawBoxes
from deepir.metrics import NocoHits
from deepir.noco import noco_map
from deepir.structures import Detections, Image, Sample
from deepir.training.mining import Candidates
from deepir.training.processes import Processes

FLOOR = 0.003
"""Score above which a box is a candidate: low, as no threshold has been chosen yet."""

BELIEVED = 0.2
"""Score from which boxes are believed when peaks are placed, see `deepir.noco.noco_peaks`."""


@dataclass(frozen=True)
class Scores:
    """mNoCoAP on a validation split, each in [0, 1]."""

    mnocoap: float
    """With the peak read-out, duplicates merged."""

    recall_cap: float
    """What the same points would have if they were ranked perfectly."""

    published: float
    """With box centres, as the published table reads networks."""


class Validation:
    """Validation frames, and their NoCo maps once they are needed."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    @cached_property
    def _truth(self) -> list[NDArray[np.float32]]:
        return [noco_map(sample.image, sample.boxes).astype(np.float32) for sample in self.samples]

    def score(self, candidates: Candidates, processes: Processes) -> Scores:
        """Score a network that gives boxes (K, 4) and scores (K,) for a frame.

        Each process detects in its share of the frames; all know the result.
        """
        detector = BoxDetector("training", _Network(candidates), FLOOR, BELIEVED)
        centres = replace(detector, read_out="published")
        mine = range(processes.rank, len(self.samples), processes.count)
        found = []
        for index in mine:
            response = detector.respond(self.samples[index].image)
            found.append((index, _rows(detector.read(response)), _rows(centres.read(response))))
        everyone = sorted(processes.gather(found), key=lambda one: one[0])
        peaks, published = NocoHits(), NocoHits()
        for (_, at_peaks, at_centres), sample, truth in zip(
            everyone, self.samples, self._truth, strict=True
        ):
            peaks.update(at_peaks, truth, sample.boxes)
            published.update(at_centres, truth, sample.boxes)
        best = peaks.score()
        return Scores(best.mean, best.recall_cap, published.score().mean)


@dataclass(frozen=True)
class _Network:
    """Candidates in the form that a detector of boxes reads."""

    candidates: Candidates

    def __call__(self, image: Image) -> RawBoxes:
        boxes, scores = self.candidates(image)
        return RawBoxes(boxes, scores.astype(np.float64))


def _rows(found: Detections) -> NDArray[np.float64]:
    """Detections as rows (N, 3) of x, y, score."""
    return np.column_stack([found.points, found.scores])
