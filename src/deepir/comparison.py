"""Several runs on the same frames beside each other, and the paired difference to the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepir.bench import Evaluation
from deepir.metrics.bootstrap import DRAWS, PairedDifference, paired_interval
from deepir.results import FIELDS as RUN_FIELDS
from deepir.results import SEED, result_json
from deepir.tables import Cell, Table

FIELDS = {
    "runs": "results of each run, as `deepir eval` writes them",
    "runs[].difference_to_best": "mNoCoAP of this run less that of the best run with the same"
    " read-out on the same frames; null for the best itself and for a run that was interrupted",
    "runs[].difference_to_best.difference": "that difference, at most 0",
    "runs[].difference_to_best.interval": "95 % interval of the paired bootstrap over frames",
    "runs[].difference_to_best.p_value": "two-sided share of draws beyond zero",
}

HEADS = (
    "detector",
    "mode",
    "read-out",
    "frames",
    "mNoCoAP",
    "95 % interval",
    "AP10",
    "AP50",
    "AP90",
    "recall cap",
    "Pd",
    "false/frame",
    "Pd at 0.1",
    "ms",
    "frames/s",
    "to best",
    "95 % of that",
)


def comparison_json(runs: Sequence[Evaluation]) -> dict[str, object]:
    """Results of all runs, best first within a read-out, each with its difference to the best.

    Raises:
        ValueError: runs over frames with different numbers of targets.
    """
    ranked = sorted(
        runs, key=lambda run: (run.read_out, run.interrupted, -run.scorer.hits.score().mean)
    )
    best: dict[str, Evaluation] = {}
    rows = []
    for run in ranked:
        leader = best.setdefault(run.read_out, run)
        comparable = leader is not run and not (leader.interrupted or run.interrupted)
        gap = (
            paired_interval(run.scorer.hits, leader.scorer.hits, draws=DRAWS, seed=SEED)
            if comparable
            else None
        )
        rows.append({**_without_schema(result_json(run)), "difference_to_best": _gap_json(gap)})
    fields = {**FIELDS, **{f"runs[].{name}": text for name, text in RUN_FIELDS.items()}}
    return {"schema": {"version": 1, "fields": fields}, "runs": rows}


def _without_schema(result: dict[str, object]) -> dict[str, object]:
    """A run without the schema, which stands once for all of them."""
    return {key: value for key, value in result.items() if key != "schema"}


def comparison_table(comparison: dict[str, Any]) -> Table:
    """Table of the figures most looked at, one row a run."""
    return Table(HEADS, [_row(run) for run in comparison["runs"]])


def _row(run: dict[str, Any]) -> tuple[Cell, ...]:
    metrics, speed, gap = run["metrics"], run["speed"] or {}, run["difference_to_best"]
    return (
        run["detector"],
        run["mode"],
        run["read_out"],
        f"{run['frames']} (partial)" if run["partial"] else run["frames"],
        metrics["mnocoap"],
        _range(metrics["mnocoap_interval"]),
        *(metrics["nocoap"][level] for level in ("0.1", "0.5", "0.9")),
        metrics["recall_cap"],
        metrics["pd"],
        metrics["false_objects_per_frame"],
        metrics["pd_at"]["0.1"],
        speed.get("median_ms"),
        speed.get("frames_per_second"),
        gap and gap["difference"],
        _range(gap["interval"]) if gap else None,
    )


def _gap_json(gap: PairedDifference | None) -> dict[str, object] | None:
    if gap is None:
        return None
    interval = [gap.interval.low, gap.interval.high]
    return {"difference": gap.difference, "interval": interval, "p_value": gap.p_value}


def _range(interval: Sequence[float]) -> str:
    return "{:.3f} to {:.3f}".format(*interval)
