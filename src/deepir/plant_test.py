"""Has a detector learnt the camera instead of the target? Plant targets everywhere and count.

In SIRST-V2 the source of a frame decides whether it holds a target, so a network may learn to keep
quiet on some cameras: its mNoCoAP rises, and it is blind there. Simulated targets of a stated local
SCR, planted into frames of every source, show it: at equal SCR, Pd should not depend on whether the
source has targets of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepir import __version__
from deepir.data import Dataset, source_of
from deepir.detector import Detector
from deepir.errors import UsageError
from deepir.metrics.target import targets_hit
from deepir.passes import Pass, Progress, one_pass
from deepir.simulate import place_targets
from deepir.structures import Sample

TARGETS_A_FRAME = 2
SIGMA_PX = (0.7, 1.6)
BEARING, FREE = "sources with targets", "sources without targets"

FIELDS = {
    "deepir": "version of this package",
    "detector": "name of the detector",
    "data": "name of the dataset",
    "split": "name of the split",
    "read_out": "rule that made points: peak or published",
    "mode": "default (our settings) or reference (the published ones)",
    "threshold": "score from which a detection counts",
    "seed": "seed of the places, sizes and brightness of planted targets",
    "targets_a_frame": "targets planted into a frame at most, for each SCR anew",
    "sigma_px": "range of their standard deviation, pixels",
    "frames": "frames that targets were planted into",
    "interrupted": "true where Ctrl-C ended the run early",
    "rows": "one for each SCR and source of frames, told from their ids: frames, own_targets (real"
    " targets of those frames, which are not counted), planted, found, and pd, their ratio (null"
    " where nothing could be planted)",
    "sums": "the same for all sources with and all sources without targets of their own",
    "skipped": "frames that could not be used, each with id and reason",
}


@dataclass(frozen=True)
class PlantRow:
    """Targets of one SCR planted into the frames of one source, and how many were found."""

    scr: float
    source: str
    frames: int = 0
    own_targets: int = 0
    planted: int = 0
    found: int = 0

    @property
    def pd(self) -> float | None:
        """Share found; None where nothing could be planted."""
        return self.found / self.planted if self.planted else None

    def with_frame(self, own: int, planted: int, found: int) -> PlantRow:
        """The row with one more frame."""
        return self + PlantRow(self.scr, self.source, 1, own, planted, found)

    def __add__(self, other: PlantRow) -> PlantRow:
        return PlantRow(
            self.scr,
            self.source,
            self.frames + other.frames,
            self.own_targets + other.own_targets,
            self.planted + other.planted,
            self.found + other.found,
        )


@dataclass(frozen=True)
class PlantTest:
    """What a plant test came to: rows by SCR and source, sums by whether the source has targets."""

    rows: list[PlantRow]
    sums: list[PlantRow]
    done: Pass


def plant_test(
    detector: Detector[Any],
    dataset: Dataset,
    *,
    scr: Sequence[float],
    seed: int = 0,
    progress: Progress | None = None,
) -> PlantTest:
    """Pd at the detector's threshold by SCR and source, then for sources with and without targets.

    Two Gaussian targets a frame (sigma 0.7 to 1.6 px, away from each other, from real ones and from
    the border), each frame once for each SCR; which places depends on the seed, the SCR and the
    frame's place in the split alone. Real targets, frames that cannot be read, and targets that
    find no place count neither way. A source has targets where one of its frames here does.

    Raises:
        UsageError: no SCR, one that is not above 0 or given twice, or a negative seed.
        DeepirError: no usable frame at all.
    """
    _check(scr, seed)
    rows: dict[tuple[float, str], PlantRow] = {}
    number = {sample_id: place for place, sample_id in enumerate(dataset.ids)}

    def take(sample: Sample) -> None:
        source = source_of(sample.id)
        counted = [_planted(detector, sample, level, (seed, number[sample.id])) for level in scr]
        for level, counts in zip(scr, counted, strict=True):
            row = rows.setdefault((level, source), PlantRow(level, source))
            rows[level, source] = row.with_frame(len(sample.boxes), *counts)

    done = one_pass(dataset, take, progress=progress)
    ordered = [row for _, row in sorted(rows.items())]
    return PlantTest(ordered, _sums(ordered, scr), done)


def plant_json(
    test: PlantTest, detector: Detector[Any], dataset: Dataset, seed: int
) -> dict[str, object]:
    """Plain values of a plant test: see `FIELDS` for each one's meaning."""
    return {
        "schema": {"version": 1, "fields": FIELDS},
        "deepir": __version__,
        "detector": detector.name,
        "data": dataset.name,
        "split": dataset.split,
        "read_out": detector.read_out,
        "mode": detector.mode,
        "threshold": detector.cut,
        "seed": seed,
        "targets_a_frame": TARGETS_A_FRAME,
        "sigma_px": list(SIGMA_PX),
        "frames": len(test.done.taken),
        "interrupted": test.done.interrupted,
        "rows": [_row_json(row) for row in test.rows],
        "sums": [_row_json(row) for row in test.sums],
        "skipped": [{"id": one.id, "reason": one.reason} for one in test.done.skipped],
    }


def _check(scr: Sequence[float], seed: int) -> None:
    if not scr or not all(0 < level < np.inf for level in scr) or len(set(scr)) < len(scr):
        raise UsageError(f"SCRs are different numbers above 0, got {list(scr)}")
    if seed < 0:
        raise UsageError(f"a seed is a whole number from 0 on, got {seed}")


def _planted(
    detector: Detector[Any], sample: Sample, scr: float, seed: tuple[int, int]
) -> tuple[int, int]:
    """Targets planted into one frame, and how many of them were found."""
    image, planted, _ = place_targets(
        sample.image,
        count=TARGETS_A_FRAME,
        rng=np.random.default_rng([*seed, round(1000 * scr)]),
        scr=(scr, scr),
        sigma=SIGMA_PX,
        boxes=sample.boxes,
    )
    hit = targets_hit(detector.detect(image).points, boxes=planted)
    return len(planted), int((hit >= 0).sum())


def _sums(rows: Sequence[PlantRow], scr: Sequence[float]) -> list[PlantRow]:
    """For each SCR, the sources with targets and those without."""
    sums = []
    for level in sorted(scr):
        for name, bearing in ((BEARING, True), (FREE, False)):
            total = PlantRow(level, name)
            for row in rows:
                if row.scr == level and (row.own_targets > 0) == bearing:
                    total += row
            sums.append(total)
    return sums


def _row_json(row: PlantRow) -> dict[str, object]:
    return {**vars(row), "pd": row.pd}
