"""``deepir score``: detections or maps that any program saved, scored like our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deepir.choices import MapScale, ReadOut
from deepir.cli.evaluate import show, write_outcomes
from deepir.cli.options import DataOptions, Threshold
from deepir.cli.terminal import note, progress_bar

if TYPE_CHECKING:
    from deepir.bench import Evaluation
    from deepir.data import Dataset
    from deepir.outcomes import Outcomes
    from deepir.predictions import Predictions
    from deepir.saved_maps import SavedMaps


@Parameter(name="*")
@dataclass(frozen=True)
class ReadingOptions:
    """How what was saved is read."""

    read_out: Annotated[ReadOut | None, Parameter(name="--read-out")] = None
    """Of detections: read points anew from the boxes (default: as given). Of maps: peak (default)
    or published."""

    threshold: Threshold = None
    """Score at which Pd and false objects are taken (default: the file's own); of maps of another
    program also the level that counts (default: 0.5 of full scale)."""

    map_scale: Annotated[MapScale | None, Parameter(name="--map-scale")] = None
    """Of maps of another program: full (default) is the full scale of their numbers: 1, 255 or
    65535; frame: each map's own extremes; clutter, robust: over the frame's clutter, or
    robust z, both with --threshold."""

    allow_missing: Annotated[bool, Parameter(name="--allow-missing", negative=())] = False
    """Of maps: a frame without one counts as one without a detection (default: refused)."""

    def check_of_maps(self) -> None:
        """Refuse options that a file of detections has no use for.

        Raises:
            UsageError: one that is of maps alone.
        """
        from deepir.errors import UsageError

        if self.map_scale or self.allow_missing:
            raise UsageError(
                "--map-scale and --allow-missing are of folders of maps, and a file of detections"
                " is to be scored: leave them out"
            )


DATA, READING = DataOptions(), ReadingOptions()


def score(
    predictions: Path,
    /,
    *,
    data: DataOptions = DATA,
    reading: ReadingOptions = READING,
    details: Annotated[bool, Parameter(negative=())] = False,
    outcomes: Path | None = None,
    json: Path | None = None,
) -> int:
    """Score saved detections or maps on a dataset.

    Args:
        predictions: JSON file: {"detections": [{"id", "points": [[x, y, score], ...],
            "boxes": [[x0, y0, x1, y1], ...]}, ...]}; boxes may be left out. Or a folder of maps or
            masks named by id: those of --save-saliency, .npy, or images.
        data: which frames with truth.
        reading: how it is read.
        details: print every figure, not only the most looked at.
        outcomes: CSV file: a row for each detection that counts and for each missed target.
        json: also write the result to this file.
    """
    from deepir.writing import check_output_file

    for file in filter(None, (json, outcomes)):
        check_output_file(file)
    scored = _maps if predictions.is_dir() else _detections
    run, rows = scored(predictions, data.open(), reading)
    status = show(run, json, details=details)
    if outcomes:
        write_outcomes(rows, outcomes)
    return status


def _detections(
    path: Path, dataset: Dataset, reading: ReadingOptions
) -> tuple[Evaluation, Outcomes]:
    from deepir import bench
    from deepir.outcomes import Outcomes
    from deepir.predictions import read_predictions

    reading.check_of_maps()
    saved = read_predictions(path)
    own = bench.believed_from(saved)
    rows = Outcomes(own if reading.threshold is None else reading.threshold)
    with progress_bar(f"score {path.name}") as progress:
        run = bench.score(
            saved,
            dataset,
            name=path.stem,
            read_out=reading.read_out,
            threshold=reading.threshold,
            outcomes=rows,
            progress=progress,
        )
    _say_ids(run, "entry")
    _say_cut(saved)
    return run, rows


def _maps(path: Path, dataset: Dataset, reading: ReadingOptions) -> tuple[Evaluation, Outcomes]:
    from deepir.outcomes import Outcomes
    from deepir.saved_maps import open_maps, score_maps

    maps = open_maps(
        path,
        read_out=reading.read_out or "peak",
        threshold=reading.threshold,
        scale=reading.map_scale,
    )
    rows = Outcomes(maps.detector.cut)
    with progress_bar(f"score {path.name}") as progress:
        run = score_maps(
            maps, dataset, allow_missing=reading.allow_missing, outcomes=rows, progress=progress
        )
    _say_ids(run, "map")
    _say_all_below(maps)
    return run, rows


def _say_ids(run: Evaluation, what: str) -> None:
    if run.missing:
        note(f"{run.missing} ids of {run.dataset.split!r} have no {what}: counted as no detection")
    if run.ignored:
        note(f"{run.ignored} ids outside {run.dataset.split!r} are left out")


def _say_cut(saved: Predictions) -> None:
    if saved.is_cut:
        note(
            f"the file holds detections from {saved.threshold:g} on, its detector's floor is"
            f" {saved.floor:g}: average precision misses the candidates between"
        )


def _say_all_below(maps: SavedMaps) -> None:
    """Say that nothing counted at all, as when masks hold 0 and 1 of 255."""
    if maps.record is None and maps.highest <= maps.detector.cut:
        note(
            f"no map exceeds {maps.detector.cut:g}, the highest value comes to {maps.highest:.3g}"
            " of full scale: masks of 0 and 1 want --map-scale frame"
        )
