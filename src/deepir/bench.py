"""Run detectors over a dataset, or score saved detections, one frame in memory at a time."""

from __future__ import annotations

import statistics
import time
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from deepir.archive import Archive
from deepir.choices import ReadOut
from deepir.data import Dataset, SkippedSample
from deepir.detector import Detector, R
from deepir.diagnostics import Diagnostics
from deepir.errors import DeepirError
from deepir.outcomes import Outcomes
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

    def lap(self, stage: str, known: float | None = None) -> float:
        """Give the time since the last lap to a stage, or milliseconds known from an earlier run.

        Returns what it gave.
        """
        now = time.perf_counter()
        spent = 1e3 * (now - self._since) if known is None else known
        self._spent[stage].append(spent)
        self._since = now
        return spent

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
    """What came of one run: counts of every metric, time, and what could not be used.

    ``diagnostics`` are those of each frame that has any, by id; ``maps`` says what saved maps had
    to do with it: None, or facts for the JSON.
    """

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
    archive: Archive[Any] | None = None
    diagnostics: dict[str, Diagnostics] = field(default_factory=dict)
    maps: dict[str, object] | None = None

    @property
    def partial(self) -> bool:
        """Whether the figures leave frames of the split out."""
        return self.scorer.frames < len(self.dataset)


def evaluate(
    detector: Detector[R],
    dataset: Dataset,
    *,
    archive: Archive[R] | None = None,
    outcomes: Outcomes | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Detect in every frame of a split and score it; Ctrl-C keeps the finished frames.

    Responses that ``archive`` holds are taken from there, with the time that they took; the others
    are kept in it. ``outcomes`` gets the frames that were scored.

    Raises:
        DeepirError: a frame that must end the run, or no usable frame at all.
    """
    scorer, clock = Scorer(detector.cut), Clock()
    run = Evaluation(detector.name, dataset, detector.read_out, scorer, clock, detector)
    run.archive = archive

    def detect(sample: Sample) -> None:
        clock.lap("reading")
        kept = archive.find(sample) if archive else None
        clock.restart()
        response = kept.response if kept else detector.respond(sample.image)
        spent = clock.lap("detecting", kept.milliseconds if kept else None)
        candidates = detector.read(response)
        clock.lap("read_out")
        if archive and not kept:
            archive.keep(sample, response, spent)
        count_frame(run, detector, sample, response, candidates)
        if outcomes:
            outcomes.update(sample, candidates)

    feed(run, detect, progress)
    run.maps = archive.facts() if archive else None
    return run


def count_frame(
    run: Evaluation,
    detector: Detector[R],
    sample: Sample,
    response: R,
    candidates: Detections,
) -> None:
    """Count what a detector made of one frame.

    Raises:
        FrameError: as `deepir.scoring.Scorer.update`.
    """
    calibrated = detector.calibration is not None
    run.scorer.update(
        sample,
        candidates,
        detector.predicted_mask(response),
        local=detector.local_scores(response, candidates.scores) if calibrated else None,
        score_map=response.score_map,
    )
    if response.diagnostics:
        run.diagnostics[sample.id] = response.diagnostics


def score(
    predictions: Predictions,
    dataset: Dataset,
    *,
    name: str = "predictions",
    read_out: ReadOut | None = None,
    threshold: float | None = None,
    outcomes: Outcomes | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score saved detections on a split.

    ``threshold`` (default: the file's ``operating_threshold``, else everything counts) is where
    Pd and false objects are taken. Without ``read_out`` points are scored as given; with one they
    are read anew from the boxes, of which those that reach the file's own ``operating_threshold``
    are believed (all, where it has none), and peaks are merged as the file's ``merge_px`` says. An
    id of the split without an entry has no detection. ``outcomes`` gets the frames that were
    scored, and what they count as believed.

    Raises:
        DeepirError: an id that the dataset does not have, boxes wanted but not given, no usable
            frame at all.
    """
    entries = {frame.id: frame for frame in predictions.detections}
    wanted = set(dataset.ids)
    ignored = len(ids_outside(entries, dataset, "the predictions hold"))
    believed = believed_from(predictions)
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
        if outcomes:
            outcomes.update(sample, found)

    feed(run, take, progress)
    return run


def believed_from(predictions: Predictions) -> float:
    """Score from which the file believes its detections: all of them where it does not say."""
    own = predictions.operating_threshold
    return float("-inf") if own is None else own


def feed(run: Evaluation, take: Callable[[Sample], None], progress: Progress | None) -> None:
    """Give ``take`` every frame of a run's split, and note what was left out.

    Raises:
        DeepirError: as `deepir.passes.one_pass`.
    """
    done = one_pass(
        run.dataset, take, before=run.clock.restart if run.clock else None, progress=progress
    )
    run.skipped, run.interrupted = done.skipped, done.interrupted


def ids_outside(ids: Iterable[str], dataset: Dataset, holder: str) -> list[str]:
    """Ids that are of other splits; ``holder`` begins the message of the error.

    Raises:
        DeepirError: ids that the dataset does not have in any split.
    """
    wanted = set(dataset.ids)
    outside = [frame_id for frame_id in ids if frame_id not in wanted]
    unknown = [frame_id for frame_id in outside if not dataset.knows(frame_id)]
    if unknown:
        raise DeepirError(
            f"{holder} {len(unknown)} ids that {dataset.name} does not have,"
            f" such as {unknown[0]!r}; ids there look like {dataset.ids[0]!r}"
        )
    return outside


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
