"""``deepir bench``: several detectors, one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from deepir.choices import Mode, ReadOut
from deepir.cli.options import Budget, DataOptions, DetectorOptions, SavingOptions
from deepir.cli.terminal import finish, note, print_table, progress_bar, report_maps

if TYPE_CHECKING:
    from deepir.bench import Evaluation
    from deepir.detector import Detector
    from deepir.saved_maps import MapArchive

DATA, SAVING = DataOptions(), SavingOptions()
READ_OUTS: tuple[ReadOut, ...] = ("peak", "published")
FILES = ("bench.md", "bench.csv", "bench.json")


def bench(
    *names: str,
    data: DataOptions = DATA,
    read_out: Annotated[
        Literal["peak", "published", "both"], Parameter(name="--read-out")
    ] = "peak",
    mode: Mode | None = None,
    false_alarms_per_frame: Budget = None,
    saving: SavingOptions = SAVING,
    out: Path | None = None,
    json: Path | None = None,
) -> int:
    """Compare detectors on one dataset: figures with intervals, speed, difference to the best.

    Args:
        names: detectors, see deepir list, or FILE.py:NAME (default: all that have their weights,
            without the low-rank methods, which take seconds a frame).
        data: which frames with truth.
        read_out: how points are read; both gives two rows a detector.
        mode: of filters: our settings (default), or the published ones (reference).
        false_alarms_per_frame: of calibrated networks: a budget to keep to.
        saving: maps to keep.
        out: folder for bench.md, bench.csv and bench.json.
        json: write the JSON to this file.
    """
    from deepir import bench as running
    from deepir.writing import check_output_file, check_output_folder

    read_outs: tuple[ReadOut, ...] = READ_OUTS if read_out == "both" else (read_out,)
    detectors = [
        DetectorOptions(
            mode=mode, read_out=rule, false_alarms_per_frame=false_alarms_per_frame
        ).load(name)
        for name in _chosen(names, mode)
        for rule in read_outs
    ]
    dataset = data.open()
    if json:
        check_output_file(json)
    if out:
        check_output_folder(out)
    kept = _archives(detectors, saving)
    runs: list[Evaluation] = []
    for detector, archive in zip(detectors, kept, strict=True):
        with progress_bar(f"{detector.name}, {detector.read_out}") as progress:
            runs.append(running.evaluate(detector, dataset, archive=archive, progress=progress))
        if runs[-1].interrupted:
            break
    _show([run for run in runs if run.scorer.frames], out, json)
    return finish(runs[-1])


def _archives(detectors: Sequence[Detector[Any]], saving: SavingOptions) -> list[MapArchive | None]:
    """Where each detector's maps are kept; None for one without maps, which is said."""
    archives = saving.open()
    if archives is None:
        return [None] * len(detectors)
    without = dict.fromkeys(one.name for one in detectors if not one.has_map)
    if without:
        note(f"no maps are saved of {', '.join(without)}: they find boxes")
    return [archives.of(one) if one.has_map else None for one in detectors]


def _chosen(names: Sequence[str], mode: Mode | None) -> list[str]:
    """Names in the catalogue, each once: those asked for, else the quick ones of this mode."""
    from deepir.catalogue import CATALOGUE, find_name, is_ready, own_options
    from deepir.classical import low_rank

    if names:
        return list(dict.fromkeys(map(find_name, names)))
    ready = filter(is_ready, sorted({*CATALOGUE} - {*low_rank.DETECTORS}))
    return [name for name in ready if mode is None or "mode" in own_options(name)]


def _show(runs: list[Evaluation], out: Path | None, json: Path | None) -> None:
    from deepir.comparison import comparison_json, comparison_table
    from deepir.writing import output_folder, write_json, write_text

    if not runs:
        return
    result = comparison_json(runs)
    table = comparison_table(result)
    first = runs[0]
    print_table(
        table,
        title=f"{first.dataset.name} {first.dataset.split}, {first.scorer.frames} frames,"
        f" {int(first.scorer.hits.targets.sum())} targets",
    )
    for run in runs:
        report_maps(run)
    if json:
        write_json(json, result)
    if out:
        output_folder(out)
        write_text(out / FILES[0], table.markdown())
        write_text(out / FILES[1], table.csv())
        write_json(out / FILES[2], result)
        print("wrote " + ", ".join(str(out / name) for name in FILES))
