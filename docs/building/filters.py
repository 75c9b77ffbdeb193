"""What the catalogue and the record of experiments say of one filter, for the end of its page.

Floors, thresholds and figures are chosen and measured anew now and then; what stands here is read
when the manual is built, so that no page says what held once.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple, get_args

import numpy as np

from deepir.choices import Mode
from deepir.classical import CATALOGUE
from deepir.map_detector import MapDetector, Scale
from deepir.tables import Cell, Table

MODES: tuple[Mode, ...] = get_args(Mode)

Row = dict[str, str]

SWEPT = ("detector", "mode", "mNoCoAP by floor", "floor", "mNoCoAP", "operating", "Pd")
MEASURED = ("detector", "read-out", "mNoCoAP")
"""Columns by which tables of `experiments.md` are known: floors on val, figures on test."""

FAST = "_fast"
"""Ends the name of an approximation in the record (`benchmarks/approximations.py`)."""

FAR = 0.1
"""A threshold this share away from the catalogue's belongs to another choice."""


class Published(NamedTuple):
    """A row of the published comparison on the test frames of SIRST-V2.

    Dai et al., "One-Stage Cascade Refinement Networks for Infrared Small Target Detection", IEEE
    TGRS 61, 2023.
    """

    ap: float
    ap10: float
    ap50: float
    ap90: float
    frames_per_second: float


PUBLISHED: Mapping[str, Published] = {
    "fkrw": Published(0.278, 0.319, 0.285, 0.152, 0.52),
    "lcm": Published(0.207, 0.311, 0.233, 0.048, 7.93),
    "mpcm": Published(0.322, 0.344, 0.333, 0.249, 1.11),
    "wldm": Published(0.112, 0.134, 0.125, 0.060, 0.12),
    "ipi": Published(0.377, 0.396, 0.383, 0.320, 0.05),
    "nipps": Published(0.335, 0.355, 0.342, 0.295, 0.05),
    "ript": Published(0.292, 0.346, 0.321, 0.172, 0.11),
    "smsl": Published(0.206, 0.231, 0.212, 0.173, 0.37),
}


def filter_page(name: str, record: str) -> str:
    """Markdown of the last two parts of a filter's page; ``record`` is `docs/experiments.md`.

    Raises:
        ValueError: a scale that says nothing of itself.
    """
    return f"{_thresholds(name, record)}\n{_figures(name, record)}"


def scale_words(scale: Scale) -> str:
    """Name of a scale with its options, as code.

    >>> from deepir.readout import clutter_ratio
    >>> scale_words(partial(clutter_ratio, least=0.1))
    '`clutter_ratio(least=0.1)`'
    """
    options = scale.keywords if isinstance(scale, partial) else {}
    if not options or _changes_nothing(scale):
        return scale_name(scale)
    told = ", ".join(f"{key}={value}" for key, value in options.items())
    return f"`{_function(scale)}({told})`"


def scale_name(scale: Scale) -> str:
    """Name of a scale, as code.

    >>> scale_name(lambda values: values)
    'the map itself'
    """
    return "the map itself" if _changes_nothing(scale) else f"`{_function(scale)}`"


def _thresholds(name: str, record: str) -> str:
    """Scale, floor and operating threshold in both modes, and what they gave on val."""
    built = [CATALOGUE[name](mode=mode) for mode in MODES]
    swept = [_swept(detector, record) for detector in built]
    rows: list[tuple[Cell, ...]] = [
        ("score", *(scale_words(detector.scale) for detector in built)),
        ("floor", *(float(detector.floor) for detector in built)),
        ("operating threshold", *(float(detector.operating) for detector in built)),
    ]
    if any(swept):
        reached = [_at_floor(row, one) for row, one in zip(swept, built, strict=True)]
        rows.append(("mNoCoAP on val", *reached))
        rows.append(("Pd on val", *(_digits(row.get("Pd")) for row in swept)))
    words = [
        "## Score and thresholds\n",
        Table(("", *(f"{mode} mode" for mode in MODES)), rows).markdown(),
        "From the catalogue, for the peak read-out. Both were chosen on `val_full` of SIRST-V2, the"
        " floor for mNoCoAP and the operating threshold for at most one false object a frame"
        " ([what was tried](../experiments.md)); on another sensor"
        " [choose your own](../engineer.md#thresholds-and-a-budget-of-false-alarms).\n",
    ]
    told = {_function(one.scale): one.scale for one in built if not _changes_nothing(one.scale)}
    return "\n".join([*words, *(_explained(scale) for scale in told.values())])


def _figures(name: str, record: str) -> str:
    """The published row, and ours from the record."""
    heads = ("SIRST-V2, `test_full`", "mNoCoAP", "95 % interval", "AP10", "AP50", "AP90")
    counted = ("Pd", "false/frame")
    rows: list[tuple[Cell, ...]] = []
    known = PUBLISHED.get(name)
    if known:
        rows.append(("published", known.ap, "-", known.ap10, known.ap50, known.ap90, "-", "-"))
    found = _measured(name, record)
    for mode, row in found:
        fast = ' (`approximate="fast"`)' if row["detector"].endswith(FAST) else ""
        told = f"{mode}{fast}, `{row['read-out']}`"
        rows.append((told, *(_digits(row.get(head)) for head in (*heads[1:], *counted))))
    words = ["## Published and measured\n"]
    if rows:
        words.append(Table((*heads, *counted), rows).markdown())
    words.append(_said_of(known, measured=bool(found)))
    return "\n".join(words)


def _said_of(known: Published | None, *, measured: bool) -> str:
    """What a reader has to know of such a table."""
    words = []
    if known:
        words.append(
            f"The published row is that of the comparison on SIRST-V2 (Dai et al., 2023), at"
            f" {known.frames_per_second:g} frames a second on a machine that it does not name."
            " How its maps were scaled to [0, 1] is not documented."
        )
    else:
        words.append("The published comparison on SIRST-V2 (Dai et al., 2023) has no row of it.")
    if measured:
        words.append(
            "Ours, by mode and read-out, are those of [what was tried](../experiments.md), with"
            " their commands."
        )
    else:
        words.append("Ours on `test_full` are not recorded yet.")
    return " ".join(words) + "\n"


def _swept(detector: MapDetector, record: str) -> Row:
    """Last row of the floors of a detector in its mode, if its threshold is still the catalogue's.

    Empty where there is none.
    """
    rows = [row for _, row in _rows(record, SWEPT) if _is_of(row, detector.name)]
    last = next((row for row in reversed(rows) if row["mode"] == detector.mode), None)
    if last is None:
        return {}
    away = abs(float(last["operating"]) - detector.operating)
    return last if away <= FAR * detector.operating else {}


def _at_floor(row: Row, detector: MapDetector) -> str:
    """What a row of floors, given as "2: 43.7 3: 40.7", has at the floor of the catalogue."""
    curve = re.findall(r"([\d.]+): ([\d.]+)", row.get("mNoCoAP by floor", ""))
    reached = (f"{float(ap) / 100:.3f}" for floor, ap in curve if float(floor) == detector.floor)
    return next(reached, "-")


def _digits(cell: str | None) -> str:
    """A figure of the record to three digits after the point; other words as they are.

    >>> _digits("0.002497"), _digits("0.335 to 0.483")
    ('0.002', '0.335 to 0.483')
    """
    return f"{float(cell):.3f}" if cell and re.fullmatch(r"\d*\.\d+", cell) else cell or "-"


def _measured(name: str, record: str) -> list[tuple[str, Row]]:
    """Last figures on test of a detector by mode and read-out, reference first."""
    found: dict[tuple[str, str], Row] = {}
    for mode, row in _rows(record, MEASURED):
        if _is_of(row, name) and mode:
            found[mode, row["read-out"]] = row
    return [(mode, row) for (mode, _), row in sorted(found.items(), reverse=True)]


def _is_of(row: Row, name: str) -> bool:
    """Whether a row is of this detector, or of its fast approximation."""
    return row["detector"] in (name, f"{name}{FAST}")


def _rows(record: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, Row]]:
    """Rows of the tables that have some columns, with the mode that the last line before named."""
    mode, heads = "", list[str]()
    for line in record.splitlines():
        if not line.startswith("|"):
            heads = []
            if said := re.match(r"(Default|Reference) mode\b", line):
                mode = said[1].lower()
            elif line.startswith("#"):
                mode = ""
            continue
        cells = [cell.strip(" *") for cell in line.strip("| ").split("|")]
        if not heads:
            heads = cells
        elif set(wanted) <= set(heads) and len(cells) == len(heads) and cells[0].strip("-"):
            yield mode, dict(zip(heads, cells, strict=True))


def _explained(scale: Scale) -> str:
    """What the function of a scale says of itself, up to its errors, source and examples."""
    function = scale.func if isinstance(scale, partial) else scale
    paragraphs = re.split(r"\n\s*\n", inspect.getdoc(function) or "")
    kept = []
    for paragraph in paragraphs:
        if paragraph.startswith(("Raises:", ">>>")):
            break
        kept.append(paragraph.replace("``", "`"))
    if not any(kept):
        raise ValueError(
            f"the scale {_function(scale)} has no docstring, which the manual would print"
        )
    return f"**`{_function(scale)}`**: " + "\n\n".join(kept) + "\n"


def _function(scale: Scale) -> str:
    return (scale.func if isinstance(scale, partial) else scale).__name__


def _changes_nothing(scale: Scale) -> bool:
    probe = np.arange(12.0).reshape(3, 4) ** 2
    return np.array_equal(scale(probe), probe)
