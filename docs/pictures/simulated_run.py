"""Detectors on simulated frames, run once for all pictures that show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from deepir.catalogue import load_detector
from deepir.metrics import NocoHits, PixelRoc, PointCurve, RocCounts
from deepir.noco import noco_map
from deepir.simulate import SimulatedFrames
from deepir.structures import Sample

FRAMES, SEED = 64, 21


@dataclass(frozen=True, eq=False)
class Run:
    """What one detector made of the frames: matches, points, pixels of its map."""

    noco: NocoHits
    points: PointCurve
    roc: PixelRoc | None
    operating: float


@cache
def frames() -> tuple[Sample, ...]:
    """The frames, made once."""
    return tuple(SimulatedFrames(FRAMES, seed=SEED))


@cache
def run(name: str, **options: str) -> Run:
    """Run a detector of the catalogue; filters with the ROC of their map."""
    detector = load_detector(name, **options)
    noco, points = NocoHits(), PointCurve()
    roc = RocCounts(np.geomspace(0.02, 5, 60).tolist()) if detector.has_map else None
    for sample in frames():
        response = detector.respond(sample.image)
        found = detector.read(response)
        rows = np.column_stack([found.points, found.scores])
        noco.update(rows, noco_map(sample.image, sample.boxes), sample.boxes)
        points.update(found, sample.image.shape, boxes=sample.boxes)
        if roc is not None and sample.mask is not None:
            roc.update(response.scores, sample.mask)
    return Run(noco, points, None if roc is None else roc.score(), detector.operating)
