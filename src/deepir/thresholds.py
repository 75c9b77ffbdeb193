"""Floor and operating threshold of a filter, chosen on frames that no result is reported on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepir.archive import Archive, response_to
from deepir.data import Dataset
from deepir.errors import FrameError
from deepir.map_detector import MapDetector, MapResponse
from deepir.metrics.noco_ap import NocoAP, NocoHits
from deepir.metrics.target import PointCurve
from deepir.noco import noco_map
from deepir.passes import Pass, Progress, one_pass
from deepir.structures import Sample

FLOORS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2)
"""Over the clutter of a frame, as `MapDetector` scores unless it has a scale of its own."""

TIE = 0.001
"""Floors whose mNoCoAP differs by no more are equally good."""

FALSE_ALARMS_PER_FRAME = 1.0


@dataclass(frozen=True)
class FloorScore:
    """One floor: what it scores, and the lowest threshold that keeps to the budget there.

    ``operating`` is infinite where no threshold keeps to the budget, or nothing was found.
    """

    floor: float
    mnocoap: float
    recall_cap: float
    operating: float
    pd: float


@dataclass(frozen=True)
class FloorSweep:
    """All floors, rising, and which frames they were scored on."""

    floors: list[FloorScore]
    frames: Pass

    @property
    def best(self) -> FloorScore:
        """Floor of the highest mNoCoAP; of those within `TIE` the highest.

        Fewer candidates cost less.
        """
        top = max(one.mnocoap for one in self.floors)
        return max(
            (one for one in self.floors if one.mnocoap >= top - TIE), key=lambda one: one.floor
        )


def sweep_floors(
    detector: MapDetector,
    dataset: Dataset,
    *,
    floors: Sequence[float] = FLOORS,
    false_alarms_per_frame: float = FALSE_ALARMS_PER_FRAME,
    decimals: int = 2,
    archive: Archive[MapResponse] | None = None,
    progress: Progress | None = None,
) -> FloorSweep:
    """Score every floor over one pass of a split: peak read-out, candidates as in a benchmark.

    Operating thresholds are rounded up to so many ``decimals``. Weak peaks are placed as the
    detector's present operating threshold places them: after a change of it run again, and the
    figures are those of `deepir eval`. Ctrl-C scores the frames finished by then. Responses that
    ``archive`` holds (of the peak read-out) are not made again, the others are kept in it.

    Raises:
        DeepirError: no usable frame at all.
    """
    variants = [replace(detector, read_out="peak", peak_floor=one) for one in sorted(floors)]
    hits, curves = [NocoHits() for _ in variants], [PointCurve() for _ in variants]

    def take(sample: Sample) -> None:
        response = response_to(variants[0], sample, archive)
        try:
            truth = noco_map(sample.image, sample.boxes)
        except ValueError as error:
            raise FrameError(f"no NoCo map of {sample.id!r}: {error}") from None
        read = [variant.read(response) for variant in variants]
        for found, hit, curve in zip(read, hits, curves, strict=True):
            hit.update(np.column_stack([found.points, found.scores]), truth, sample.boxes)
            curve.update(found, sample.image.shape, boxes=sample.boxes)

    done = one_pass(dataset, take, progress=progress)
    scores = [
        _score(variant.floor, hit.score(), curve, false_alarms_per_frame, 10**decimals)
        for variant, hit, curve in zip(variants, hits, curves, strict=True)
    ]
    return FloorSweep(scores, done)


def _score(floor: float, ap: NocoAP, curve: PointCurve, budget: float, parts: int) -> FloorScore:
    threshold = curve.threshold_at(budget)
    operating = math.ceil(parts * threshold) / parts if math.isfinite(threshold) else threshold
    return FloorScore(floor, ap.mean, ap.recall_cap, operating, curve.at(operating).pd)
