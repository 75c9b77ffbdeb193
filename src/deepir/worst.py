"""The frames that cost a detector most, with pictures of what went wrong there."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.archive import Archive, response_to
from deepir.bench import Evaluation
from deepir.detector import Detector
from deepir.errors import UsageError
from deepir.metrics.error_split import WELL_PLACED
from deepir.metrics.noco_ap import NocoHits, match_points
from deepir.metrics.target import targets_hit
from deepir.noco import noco_map
from deepir.overlay import Colour, Mark, box_mark, detection_marks, draw_marks
from deepir.structures import Detections, Sample
from deepir.writing import output_folder, write_bytes, write_json

LIST = "worst.json"
LONGEST_ID = 80  # characters of an id in a file name

MISSED: Colour = (90, 90, 255)
FALSE: Colour = (60, 200, 255)
BADLY_PLACED: Colour = (255, 140, 220)
HIT: Colour = (120, 230, 110)


class Judged(NamedTuple):
    """One frame with its errors, what cost most first."""

    marks: list[Mark]
    missed: int
    false: int
    badly_placed: int


def frame_costs(hits: NocoHits, operating: float) -> NDArray[np.float64]:
    """What each frame costs (F,), from the detections that score at least ``operating``.

    A target costs the share of NoCo thresholds at which nothing hits it. A detection costs the
    share at which it is false, times the share of all hits that it outranks (one more counted
    above and below the line, so that a last false alarm still costs something).
    """
    ranked = hits.ranked()
    believed = ranked.scores >= operating
    won = np.maximum(ranked.last.astype(int) - ranked.first, 0) / ranked.levels
    won = np.where(believed, won, 0.0)
    outranked = (1 + won.sum() - np.cumsum(won)) / (1 + won.sum())
    false = np.where(believed, (1 - won) * outranked, 0.0)
    cost = ranked.targets.astype(np.float64)
    np.add.at(cost, ranked.frames, false - won)
    return cost


def write_worst(run: Evaluation, folder: Path, *, count: int) -> list[Path]:
    """Draw the ``count`` frames that cost most, worst first, and list them in worst.json.

    Frames without an error are left out, so there may be fewer. Pictures that an earlier list in
    the folder names are taken away.

    Raises:
        UsageError: a run of saved detections, or a folder that cannot be written.
    """
    if run.detector is None:
        raise UsageError("pictures of the worst frames need a detector, not saved detections")
    output_folder(folder)
    costs = frame_costs(run.scorer.hits, run.scorer.operating)
    order = [index for index in np.argsort(-costs, kind="stable")[:count] if costs[index] > 0]
    entries: list[dict[str, object]] = []
    for rank, index in enumerate(order, start=1):
        sample = run.dataset.read(run.scorer.ids[index])
        judged = judge(run.detector, sample, run.archive)
        name = f"{rank:03d}_{_plain(sample.id)}.png"
        said = f"missed {judged.missed}, false {judged.false}, badly placed {judged.badly_placed}"
        picture = draw_marks(
            sample.image, judged.marks, caption=f"{rank}.  {sample.id}  {run.name}   {said}"
        )
        write_bytes(folder / name, cv2.imencode(".png", picture)[1].tobytes())
        entries.append({"id": sample.id, "picture": name, "cost": float(costs[index])})
        entries[-1] |= {key: getattr(judged, key) for key in ("missed", "false", "badly_placed")}
    pictures = [folder / str(entry["picture"]) for entry in entries]
    _drop_old(folder, pictures)
    write_json(folder / LIST, {"detector": run.name, "split": run.dataset.split, "worst": entries})
    return pictures


def judge(detector: Detector[Any], sample: Sample, archive: Archive[Any] | None = None) -> Judged:
    """Detect in a frame once more, and mark missed targets, false alarms and the others."""
    candidates = detector.read(response_to(detector, sample, archive))
    found = candidates.above(detector.cut)
    target = targets_hit(found.points, boxes=sample.boxes)
    value, _ = match_points(found.points, noco_map(sample.image, sample.boxes), sample.boxes)
    badly = (target >= 0) & (value <= WELL_PLACED)
    missed = [
        _missed(sample, candidates, index)
        for index in range(len(sample.boxes))
        if index not in target
    ]
    marks = detection_marks(found, sample.image.shape)
    kinds = (
        (target < 0, FALSE, "false"),
        (badly, BADLY_PLACED, "badly placed"),
        ((target >= 0) & ~badly, HIT, "hit"),
    )
    told = [
        Mark(marks[index].box, marks[index].point, f"{word} {found.scores[index]:.3g}", colour)
        for chosen, colour, word in kinds
        for index in np.flatnonzero(chosen)
    ]
    return Judged(missed + told, len(missed), int((target < 0).sum()), int(badly.sum()))


def _missed(sample: Sample, candidates: Detections, index: int) -> Mark:
    """Mark of a missed target, with the score of the best candidate that would have hit it."""
    box = sample.boxes[index]
    near = np.flatnonzero(targets_hit(candidates.points, boxes=[box]) >= 0)
    best = f", scored {candidates.scores[near[0]]:.3g}" if len(near) else ", no candidate"
    return box_mark(box, sample.image.shape, f"missed{best}", MISSED)


def _plain(sample_id: str) -> str:
    """An id as part of a file name."""
    kept = (sign if sign.isalnum() or sign in "-_." else "_" for sign in sample_id)
    return "".join(kept)[-LONGEST_ID:]


def _drop_old(folder: Path, new: list[Path]) -> None:
    """Take away pictures of an earlier run into this folder."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        for entry in json.loads((folder / LIST).read_text(encoding="utf-8"))["worst"]:
            old = folder / Path(str(entry["picture"])).name
            if old.suffix == ".png" and old not in new:
                old.unlink(missing_ok=True)
