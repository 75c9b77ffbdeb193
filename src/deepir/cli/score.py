"""``deepir score``: detections that any program saved, scored like our own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deepir.choices import ReadOut
from deepir.cli.evaluate import show
from deepir.cli.options import DataOptions, Threshold
from deepir.cli.terminal import note, progress_bar

DATA = DataOptions()


def score(
    predictions: Path,
    /,
    *,
    data: DataOptions = DATA,
    read_out: Annotated[ReadOut | None, Parameter(name="--read-out")] = None,
    threshold: Threshold = None,
    json: Path | None = None,
) -> int:
    """Score saved detections on a dataset.

    Args:
        predictions: JSON file: {"detections": [{"id", "points": [[x, y, score], ...],
            "boxes": [[x0, y0, x1, y1], ...]}, ...]}; boxes may be left out.
        data: which frames with truth.
        read_out: read points anew from the boxes (default: score the points as given).
        threshold: score at which Pd and false objects are taken (default: the file's own).
        json: also write the result to this file.
    """
    from deepir import bench
    from deepir.predictions import read_predictions
    from deepir.writing import check_output_file

    if json:
        check_output_file(json)
    saved, dataset = read_predictions(predictions), data.open()
    with progress_bar(f"score {predictions.name}") as progress:
        run = bench.score(
            saved,
            dataset,
            name=predictions.stem,
            read_out=read_out,
            threshold=threshold,
            progress=progress,
        )
    if run.missing:
        note(f"{run.missing} ids of {dataset.split!r} have no entry: counted as no detection")
    if run.ignored:
        note(f"{run.ignored} ids outside {dataset.split!r} are left out")
    if saved.is_cut:
        note(
            f"the file holds detections from {saved.threshold:g} on, its detector's floor is"
            f" {saved.floor:g}: average precision misses the candidates between"
        )
    return show(run, json)
