"""``deepir bench``: several detectors, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from deepir.choices import Mode, ReadOut
from deepir.cli.options import DataOptions, DetectorOptions
from deepir.cli.terminal import finish, print_table, progress_bar

if TYPE_CHECKING:
    from deepir.bench import Evaluation

DATA = DataOptions()
READ_OUTS: tuple[ReadOut, ...] = ("peak", "published")
FILES = ("bench.md", "bench.csv", "bench.json")


def bench(
    *names: str,
    data: DataOptions = DATA,
    read_out: Annotated[
        Literal["peak", "published", "both"], Parameter(name="--read-out")
    ] = "peak",
    mode: Mode | None = None,
    out: Path | None = None,
    json: Path | None = None,
) -> int:
    """Compare detectors on one dataset: figures with intervals, speed, difference to the best.

    Args:
        names: detectors (default: all), see deepir list.
        data: which frames with truth.
        read_out: how points are read; both gives two rows a detector.
        mode: default: our settings; reference: the published ones.
        out: folder for bench.md, bench.csv and bench.json.
        json: write the JSON to this file.
    """
    from deepir import bench as running
    from deepir.catalogue import CATALOGUE, find_name
    from deepir.writing import check_output_file, check_output_folder

    chosen = list(dict.fromkeys(find_name(name) for name in names or sorted(CATALOGUE)))
    read_outs: tuple[ReadOut, ...] = READ_OUTS if read_out == "both" else (read_out,)
    dataset = data.open()
    if json:
        check_output_file(json)
    if out:
        check_output_folder(out)
    runs: list[Evaluation] = []
    for name in chosen:
        for rule in read_outs:
            detector = DetectorOptions(mode=mode, read_out=rule).load(name)
            with progress_bar(f"{name}, {rule}") as progress:
                runs.append(running.evaluate(detector, dataset, progress=progress))
            if runs[-1].interrupted:
                break
        if runs[-1].interrupted:
            break
    _show([run for run in runs if run.scorer.frames], out, json)
    return finish(runs[-1])


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
    if json:
        write_json(json, result)
    if out:
        output_folder(out)
        write_text(out / FILES[0], table.markdown())
        write_text(out / FILES[1], table.csv())
        write_json(out / FILES[2], result)
        print("wrote " + ", ".join(str(out / name) for name in FILES))
