"""Run detectors over a dataset, or score saved detections, one frame in memory at a time."""

from __future__ import annotations

import statistics
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from deepir.choices import ReadOut
from deepir.data import Dataset, SkippedSample
from deepir.detector import Detector, R
from deepir.errors import DeepirError
from deepir.map_detector import MapResponse
from deepir.passes import Progress, one_pass
from deepir.predictions import FrameDetections, Predictions
from deepir.readout import boxes_peak, boxes_published, merged_peaks
from deepir.scoring import Scorer
from deepir.structures import Detections, Sample

_STAGES = ("reading", "detecting", "read_out")


class Clock:
    """Milliseconds that each frame spent in each stage; restarted before each frame."""

    def __init__(self) -> None:
        self._spent = {stage: array("d") for stage in _STAGES}
        self._since = time.perf_counter()

    def restart(self) -> None:
        """Begin to measure now."""
        self._since = time.perf_counter()

    def lap(self, stage: str) -> None:
        """Give the time since the last lap to a stage."""
        now = time.perf_counter()
        self._spent[stage].append(1e3 * (now - self._since))
        self._since = now

    def figures(self) -> dict[str, float] | None:
        """Frames per second and median milliseconds from array to detections, and by stage.

        None where nothing was measured.
        """
        whole = [
            a + b for a, b in zip(self._spent["detecting"], self._spent["read_out"], strict=False)
        ]
        if not whole:
            return None
        stages = {f"median_{stage}_ms": statistics.median(self._spent[stage]) for stage in _STAGES}
        return {
            "frames_per_second": 1e3 * len(whole) / sum(whole),
            "median_ms": statistics.median(whole),
            **stages,
        }


@dataclass
class Evaluation:
    """What came of one run: counts of every metric, time, and what could not be used."""

    name: str
    dataset: Dataset
    read_out: str
    scorer: Scorer
    clock: Clock | None
    detector: Detector[Any] | None = None
    skipped: list[SkippedSample] = field(default_factory=list)
    missing: int = 0
    ignored: int = 0
    interrupted: bool = False

    @property
    def partial(self) -> bool:
        """Whether the figures leave frames of the split out."""
        return self.scorer.frames < len(self.dataset)


def evaluate(
    detector: Detector[R], dataset: Dataset, *, progress: Progress | None = None
) -> Evaluation:
    """Detect in every frame of a split and score it; Ctrl-C keeps the finished frames.

    Raises:
        DeepirError: a frame that must end the run, or no usable frame at all.
    """
    scorer, clock = Scorer(detector.cut), Clock()
    run = Evaluation(detector.name, dataset, detector.read_out, scorer, clock, detector)
    calibrated = detector.calibration is not None

    def detect(sample: Sample) -> None:
        clock.lap("reading")
        response = detector.respond(sample.image)
        clock.lap("detecting")
        candidates = detector.read(response)
        clock.lap("read_out")
        local = detector.local_scores(response, candidates.scores) if calibrated else None
        scorer.update(
            sample,
            candidates,
            detector.predicted_mask(response),
            local=local,
            score_map=response.scores if isinstance(response, MapResponse) else None,
        )

    _feed(run, detect, progress)
    return run


def score(
    predictions: Predictions,
    dataset: Dataset,
    *,
    name: str = "predictions",
    read_out: ReadOut | None = None,
    threshold: float | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score saved detections on a split.

    ``threshold`` (default: the file's ``operating_threshold``, else everything counts) is where
    Pd and false objects are taken. Without ``read_out`` points are scored as given; with one they
    are read anew from the boxes, of which those that reach the file's own ``operating_threshold``
    are believed (all, where it has none), and peaks are merged as the file's ``merge_px`` says. An
    id of the split without an entry has no detection.

    Raises:
        DeepirError: an id that the dataset does not have, boxes wanted but not given, no usable
            frame at all.
    """
    entries = {frame.id: frame for frame in predictions.detections}
    wanted = set(dataset.ids)
    ignored = _foreign(entries, dataset, wanted)
    own = predictions.operating_threshold
    believed = float("-inf") if own is None else own
    scorer = Scorer(believed if threshold is None else threshold)
    run = Evaluation(
        predictions.detector or name,
        dataset,
        read_out or "as given",
        scorer,
        None,
        missing=len(wanted - set(entries)),
        ignored=ignored,
    )

    def take(sample: Sample) -> None:
        entry = entries.get(sample.id, FrameDetections(id=sample.id, points=[]))
        found = _read(entry, sample, read_out, believed, predictions.merge_px)
        scorer.update(sample, found, None)

    _feed(run, take, progress)
    return run


def _feed(run: Evaluation, take: Callable[[Sample], None], progress: Progress | None) -> None:
    done = one_pass(
        run.dataset, take, before=run.clock.restart if run.clock else None, progress=progress
    )
    run.skipped, run.interrupted = done.skipped, done.interrupted


def _foreign(entries: dict[str, FrameDetections], dataset: Dataset, wanted: set[str]) -> int:
    """Number of ids outside the split; an id outside the dataset is an error."""
    outside = [frame_id for frame_id in entries if frame_id not in wanted]
    unknown = [frame_id for frame_id in outside if not dataset.knows(frame_id)]
    if unknown:
        raise DeepirError(
            f"the predictions hold {len(unknown)} ids that {dataset.name} does not have,"
            f" such as {unknown[0]!r}; ids there look like {dataset.ids[0]!r}"
        )
    return len(outside)


def _read(
    entry: FrameDetections,
    sample: Sample,
    read_out: ReadOut | None,
    believed: float,
    merge_px: float | None,
) -> Detections:
    found = entry.detections()
    if read_out is None:
        return found
    if found.boxes is None and len(found):
        raise DeepirError(
            f"the read-out {read_out!r} needs boxes, {entry.id!r} has points only;"
            " leave --read-out out to score the points as given"
        )
    boxes = () if found.boxes is None else found.boxes
    if read_out == "published":
        return boxes_published(boxes, found.scores, top_k=len(found))
    peaks = boxes_peak if merge_px is None else partial(merged_peaks, within=merge_px)
    return peaks(sample.image, boxes, found.scores, believed=believed, top_k=len(found))
