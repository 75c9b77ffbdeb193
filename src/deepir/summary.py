"""What a person wants to see first of a result, as tables; the JSON holds the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deepir.metrics.error_split import CLASSES
from deepir.tables import Cell, Table, shown

Result = Mapping[str, Any]
"""One object of JSON, as `deepir.results` or `deepir.plant_test` makes it."""

_FIRST = (
    "operating_threshold",
    "metrics.mnocoap",
    "metrics.with_targets.mnocoap",
    "metrics.nocoap.0.1",
    "metrics.nocoap.0.5",
    "metrics.nocoap.0.9",
    "metrics.recall_cap",
    "metrics.mlocap",
    "metrics.pd",
    "metrics.false_objects_per_frame",
    "metrics.box_ap.0.3",
    "metrics.box_ap.0.5",
    "metrics.pixel.iou",
    "metrics.pixel.niou",
    "metrics.pixel.auc",
    "metrics.hybrid.hiou",
    "speed.median_ms",
    "speed.frames_per_second",
    "peak_memory_mb",
)


_SHOWN = ("operating_threshold", "metrics.", "absent.", "speed", "peak_memory_mb")


def figures_table(result: Result, *, details: bool = False) -> Table:
    """Figures of a result with their intervals: those most looked at, or with ``details`` all.

    Names are those of the JSON without ``metrics``; a figure that is null is left out unless
    details are wanted, which also say why it is.
    """
    every = dict(_leaves(result))
    listed = [
        path for path in every if path.startswith(_SHOWN) and not path.startswith("metrics.sources")
    ]
    wanted = listed if details else [path for path in _FIRST if every.get(path) is not None]
    rows = [
        (path.removeprefix("metrics.").replace(".", " ", 1), every[path], _range(every, path))
        for path in wanted
        if not path.endswith("_interval")
    ]
    return Table(("figure", "value", "95 % interval"), rows)


def points_table(result: Result, *, details: bool = False) -> Table:
    """Pd and false objects where this very set, and where the calibration, keeps to budgets.

    Of the calibration's budgets, those that are also this set's; with ``details`` all.
    """
    own, stored = result["metrics"]["operating_points"], result["calibration"]
    rows = [_point("this set", *point) for point in own.items()]
    if stored:
        rows += [
            _point(stored["data"], budget, figures)
            for budget, figures in stored["points"].items()
            if details or budget in own
        ]
    return Table(("budget a frame", "threshold from", "threshold", "Pd", "false/frame"), rows)


def sources_table(result: Result) -> Table:
    """Figures by source of frames, those with most frames first."""
    ranked = sorted(result["metrics"]["sources"].items(), key=lambda one: -one[1]["frames"])
    heads = ("source", "frames", "targets", "mNoCoAP", "Pd", "false/frame")
    return Table(heads, [(name, *figures.values()) for name, figures in ranked])


def errors_line(result: Result) -> str:
    """What was missed, falsely reported and badly placed, in one line."""
    errors = result["metrics"]["errors"]
    missed, targets = errors["missed"], errors["targets"]
    classes = ", ".join(
        f"{kind.replace('_', ' ')} {missed[kind]} of {targets[kind]}"
        for kind in CLASSES
        if targets[kind]
    )
    return (
        f"missed {sum(missed.values())} of {sum(targets.values())} targets"
        f"{f' ({classes})' if classes else ''}; {errors['badly_placed']} of {errors['hits']} hits"
        f" badly placed; false: {errors['false_beside_target']} at targets,"
        f" {errors['false_beside_none']} elsewhere in their frames,"
        f" {errors['false_without_targets']} in frames without targets"
    )


def diagnostics_line(result: Result) -> str:
    """What a filter told of its way in all frames, in one line; empty where it told nothing."""
    told = result["diagnostics"]
    if not told:
        return ""
    words = [
        f"{name}: {', '.join(f'{word} {count}' for word, count in counts.items())}"
        for name, counts in told["words"].items()
    ]
    numbers = [
        f"{name}: median {shown(one['median'])} ({shown(one['lowest'])} to {shown(one['highest'])})"
        for name, one in told["numbers"].items()
    ]
    return "; ".join(words + numbers)


def plant_table(result: Result) -> Table:
    """Pd of planted targets: one row a source, the two sums last, one column an SCR."""
    levels = sorted({row["scr"] for row in result["rows"]})
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for row in (*result["rows"], *result["sums"]):
        by_source.setdefault(row["source"], []).append(row)
    heads = ("source", "frames", "own targets", *(f"Pd at SCR {level:g}" for level in levels))
    return Table(
        heads,
        [
            (source, rows[0]["frames"], rows[0]["own_targets"], *map(_share, rows))
            for source, rows in by_source.items()
            if rows[0]["frames"]
        ],
    )


def reliability_table(bins: Iterable[Mapping[str, Any]]) -> Table:
    """Stated probabilities against what came true."""
    heads = ("stated probability", "detections", "share that hit")
    return Table(heads, [(one["stated"], one["count"], one["hit_rate"]) for one in bins])


def _share(row: Mapping[str, Any]) -> str:
    if row["pd"] is None:
        return "-"
    return f"{row['pd']:.3f} ({row['found']} of {row['planted']})"


def _point(source: str, budget: str, figures: Mapping[str, Any]) -> tuple[Cell, ...]:
    return (
        float(budget),
        source,
        figures["threshold"],
        figures["pd"],
        figures["false_objects_per_frame"],
    )


def _leaves(value: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    """Everything that is no object, with its dotted path."""
    found: list[tuple[str, Any]] = []
    for key, part in value.items():
        where = f"{path}.{key}" if path else key
        found += _leaves(part, where) if isinstance(part, dict) else [(where, part)]
    return found


def _range(every: Mapping[str, Any], path: str) -> str:
    interval = every.get(f"{path}_interval")
    return "{:.4g} to {:.4g}".format(*interval) if interval else ""
