"""``deepir eval``: one detector on one split, every metric; or its plant test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token, validators

from deepir.cli.options import DataOptions, DetectorOptions, SavingOptions, Whole, whole
from deepir.cli.terminal import finish, finish_pass, note, print_table, progress_bar, report_maps

if TYPE_CHECKING:
    from deepir.bench import Evaluation
    from deepir.data import Dataset
    from deepir.detector import Detector
    from deepir.outcomes import Outcomes

WORST_COUNT = 20
MOST_SOURCES = 12


def levels(_: object, tokens: Sequence[Token]) -> tuple[float, ...]:
    """SCRs of ``scr=3,5,8``; the name may be left out."""
    text = tokens[0].value
    try:
        return tuple(float(part) for part in text.removeprefix("scr=").split(","))
    except ValueError:
        raise ValueError(f"numbers as in scr=3,5,8 are wanted, got {text!r}") from None


def positive(_: object, values: tuple[float, ...] | None) -> None:
    """Refuse SCRs that are not above 0."""
    if values and not all(0 < value < math.inf for value in values):
        raise ValueError("SCRs are numbers above 0.")


@Parameter(name="*")
@dataclass(frozen=True)
class PlantOptions:
    """A plant test instead of the metrics."""

    plant: Annotated[
        tuple[float, ...] | None,
        Parameter(converter=levels, validator=positive, n_tokens=1, negative=()),
    ] = None
    """scr=3,5,8: plant simulated targets of these local SCRs into every frame, and print the share
    found by SCR and source of frames, nothing else."""

    seed: Annotated[int | None, Parameter(converter=whole)] = None
    """Of the plant test: same seed, same targets (default: 0)."""


@Parameter(name="*")
@dataclass(frozen=True)
class ErrorOptions:
    """Where the errors are."""

    outcomes: Path | None = None
    """CSV file: a row for each detection that counts and for each missed target."""

    worst: Path | None = None
    """Folder for pictures of the frames that cost most, with missed targets and false alarms."""

    worst_count: Annotated[
        Whole, Parameter(name="--worst-count", validator=validators.Number(gte=1))
    ] = WORST_COUNT
    """At most this many of them."""


DATA, DETECTOR, SAVING = DataOptions(), DetectorOptions(), SavingOptions()
PLANT, ERRORS = PlantOptions(), ErrorOptions()


def evaluate(
    name: str,
    /,
    *,
    data: DataOptions = DATA,
    detector: DetectorOptions = DETECTOR,
    plant: PlantOptions = PLANT,
    errors: ErrorOptions = ERRORS,
    saving: SavingOptions = SAVING,
    details: Annotated[bool, Parameter(negative=())] = False,
    json: Path | None = None,
) -> int:
    """Score one detector on a dataset with every metric, speed and peak memory.

    Args:
        name: detector, see deepir list; or FILE.py:NAME, one in a file of your own.
        data: which frames with truth.
        detector: how to detect.
        plant: a test with planted targets instead.
        errors: pictures and lists of errors.
        saving: maps to keep.
        details: print every figure, not only the most looked at; a filter's diagnostics of every
            frame go into the JSON.
        json: also write the result, with the meaning of every field, to this file.
    """
    from deepir import bench
    from deepir.errors import UsageError
    from deepir.outcomes import Outcomes
    from deepir.writing import check_output_file, check_output_folder

    if plant.seed is not None and plant.plant is None:
        raise UsageError("--seed is of the plant test: give --plant scr=3,5,8 too")
    if plant.plant is not None and (errors.worst or errors.outcomes or saving.save_saliency):
        raise UsageError(
            "--plant prints its own figures only: leave --worst, --outcomes and --save-saliency out"
        )
    for file in filter(None, (json, errors.outcomes)):
        check_output_file(file)
    if errors.worst:
        check_output_folder(errors.worst)
    chosen = detector.load(name)
    dataset = data.open()
    if plant.plant is not None:
        return _plant_test(chosen, dataset, plant, json)
    archives, rows = saving.open(), Outcomes(chosen.cut)
    archive = archives.of(chosen) if archives else None
    with progress_bar(f"eval {chosen.name}") as progress:
        run = bench.evaluate(chosen, dataset, archive=archive, outcomes=rows, progress=progress)
    status = show(run, json, details=details)
    if errors.outcomes:
        write_outcomes(rows, errors.outcomes)
    if errors.worst:
        _draw_worst(run, errors.worst, errors.worst_count)
    return status


def write_outcomes(outcomes: Outcomes, file: Path) -> None:
    """Write the rows as CSV."""
    from deepir.outcomes import HEADS
    from deepir.tables import Table
    from deepir.writing import write_text

    write_text(file, Table(HEADS, outcomes.rows).csv())
    print(f"wrote {file}")


def _plant_test(
    detector: Detector[Any], dataset: Dataset, options: PlantOptions, json: Path | None
) -> int:
    from deepir.plant_test import plant_json, plant_test
    from deepir.summary import plant_table
    from deepir.writing import write_json

    seed = options.seed or 0
    with progress_bar(f"plant test {detector.name}") as progress:
        test = plant_test(detector, dataset, scr=options.plant or (), seed=seed, progress=progress)
    result = plant_json(test, detector, dataset, seed)
    if test.done.taken:
        print_table(
            plant_table(result),
            title=f"{detector.name} on {dataset.name} {dataset.split}: planted targets found at"
            f" {detector.cut:.4g}, read-out {detector.read_out}, seed {seed}",
        )
        if json:
            write_json(json, result)
            print(f"wrote {json}")
    return finish_pass(test.done, len(dataset))


def _draw_worst(run: Evaluation, folder: Path, count: int) -> None:
    from deepir.worst import write_worst

    pictures = write_worst(run, folder, count=count)
    if pictures:
        print(f"wrote {len(pictures)} pictures, worst first: {pictures[0]}")
    else:
        note(f"no frame has an error: no picture in {str(folder)!r}")


def show(run: Evaluation, json: Path | None, *, details: bool = False) -> int:
    """Print the figures of a run, write its JSON; returns the exit status."""
    from deepir.results import result_json
    from deepir.summary import (
        diagnostics_line,
        errors_line,
        figures_table,
        points_table,
        sources_table,
    )
    from deepir.tables import Table
    from deepir.writing import write_json

    if not run.scorer.frames:
        return finish(run)
    result = result_json(run, details=details)
    print_table(
        figures_table(result, details=details),
        title=f"{run.name} on {run.dataset.name} {run.dataset.split}, read-out {run.read_out},"
        f" {run.scorer.frames} frames{' (partial)' if run.partial else ''}",
    )
    print_table(points_table(result, details=details), title="operating points")
    sources = sources_table(result)
    rows = sources.rows if details else sources.rows[:MOST_SOURCES]
    print_table(Table(sources.heads, rows), title="by source, at the operating threshold")
    if len(rows) < len(sources.rows):
        print(f"... and {len(sources.rows) - len(rows)} more sources with --details")
    print(errors_line(result))
    told = diagnostics_line(result)
    if told:
        print(told)
    report_maps(run)
    if json:
        write_json(json, result)
        print(f"wrote {json}")
    return finish(run)
