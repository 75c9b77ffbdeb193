"""``deepir eval``: one detector on one split, every metric."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepir.cli.options import DataOptions, DetectorOptions
from deepir.cli.terminal import finish, print_table, progress_bar

if TYPE_CHECKING:
    from deepir.bench import Evaluation

DATA, DETECTOR = DataOptions(), DetectorOptions()


def evaluate(
    name: str,
    /,
    *,
    data: DataOptions = DATA,
    detector: DetectorOptions = DETECTOR,
    json: Path | None = None,
) -> int:
    """Score one detector on a dataset with every metric, speed and peak memory.

    Args:
        name: detector, see deepir list.
        data: which frames with truth.
        detector: how to detect.
        json: also write the result, with the meaning of every field, to this file.
    """
    from deepir import bench
    from deepir.writing import check_output_file

    if json:
        check_output_file(json)
    chosen = detector.load(name)
    dataset = data.open()
    with progress_bar(f"eval {chosen.name}") as progress:
        run = bench.evaluate(chosen, dataset, progress=progress)
    return show(run, json)


def show(run: Evaluation, json: Path | None) -> int:
    """Print the figures of a run, write its JSON; returns the exit status."""
    from deepir.results import result_json
    from deepir.tables import Table
    from deepir.writing import write_json

    if not run.scorer.frames:
        return finish(run)
    result = result_json(run)
    print_table(
        Table(("figure", "value", "95 % interval"), result_rows(result)),
        title=f"{run.name} on {run.dataset.name} {run.dataset.split}, read-out {run.read_out},"
        f" {run.scorer.frames} frames{' (partial)' if run.partial else ''}",
    )
    if json:
        write_json(json, result)
        print(f"wrote {json}")
    return finish(run)


def result_rows(result: dict[str, object]) -> list[tuple[str, float | None, str]]:
    """Flatten metrics and speed into rows of name, value, interval."""
    metrics, speed = result["metrics"], result["speed"]
    assert isinstance(metrics, dict)  # built by result_json
    at = result["operating_threshold"]
    assert at is None or isinstance(at, float | int)  # built by result_json
    rows: list[tuple[str, float | None, str]] = [("operating threshold", at, "")]
    for name, value in {
        **metrics,
        "speed": speed,
        "peak_memory_mb": result["peak_memory_mb"],
    }.items():
        if name.endswith("_interval"):
            continue
        interval = metrics.get(f"{name}_interval")
        if isinstance(value, dict):
            rows += [(f"{name} {key}", part, "") for key, part in value.items()]
        else:
            rows.append((name, value, "{:.4g} to {:.4g}".format(*interval) if interval else ""))
    return rows
