"""What the making of many maps told: how often each word came up, and the range of each number."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from typing import SupportsFloat

from deepir.saliency import Diagnostic

LIMITS = ("max_iter", "time_limit")
"""Values of ``stop`` of a solver that a limit ended before its own rule did."""

Diagnostics = Mapping[str, Diagnostic]
"""Diagnostics of one frame by name."""


def summary(frames: Mapping[str, Diagnostics]) -> dict[str, object] | None:
    """Summary over frames by id; None where no frame told anything.

    ``words``: name -> word -> frames; ``numbers``: name -> median, lowest and highest of the finite
    ones; ``at_a_limit``: limit -> frames that it ended.

    >>> frames = {"a": {"stop": "max_iter", "rank": 3}, "b": {"stop": "tolerance", "rank": 5}}
    >>> told = summary(frames)
    >>> told["words"], told["at_a_limit"]
    ({'stop': {'max_iter': 1, 'tolerance': 1}}, {'max_iter': 1})
    >>> told["numbers"]
    {'rank': {'median': 4.0, 'lowest': 3, 'highest': 5}}
    """
    if not frames:
        return None
    words: dict[str, Counter[str]] = {}
    numbers: dict[str, list[float]] = {}
    for told in frames.values():
        for name, value in plain_values(told).items():
            if isinstance(value, str):
                words.setdefault(name, Counter())[value] += 1
            elif value is not None:
                numbers.setdefault(name, []).append(value)
    return {
        "frames": len(frames),
        "words": {name: dict(counts.most_common()) for name, counts in words.items()},
        "numbers": {name: _range(values) for name, values in numbers.items()},
        "at_a_limit": limits_hit(frames),
    }


def limits_hit(frames: Mapping[str, Diagnostics]) -> dict[str, int]:
    """Limit -> frames whose solver it ended; a limit that ended none is left out."""
    stops = Counter(str(told.get("stop")) for told in frames.values())
    return {limit: stops[limit] for limit in LIMITS if stops[limit]}


def limits_line(name: str, frames: Mapping[str, Diagnostics], count: int) -> str | None:
    """One line where a limit ended the solver of a detector on some of ``count`` frames.

    >>> limits_line("ipi", {"a": {"stop": "max_iter"}}, 4)
    'ipi: max_iter ended 1 of 4 frames before the solver was done; their maps are not final'
    """
    hit = limits_hit(frames)
    if not hit:
        return None
    ended = " and ".join(f"{limit} ended {frames_hit}" for limit, frames_hit in hit.items())
    return f"{name}: {ended} of {count} frames before the solver was done; their maps are not final"


def plain_values(told: Diagnostics) -> dict[str, str | int | float | None]:
    """Diagnostics of one frame as strict JSON takes them; NaN and infinity are None.

    >>> plain_values({"rank": 3, "residual": float("nan")})
    {'rank': 3, 'residual': None}
    """
    return {
        name: value if isinstance(value, str) else _number(value) for name, value in told.items()
    }


def _number(value: SupportsFloat) -> int | float | None:
    """A number, of NumPy too, as Python's own."""
    if hasattr(value, "__index__"):
        return int(value.__index__())
    return float(value) if math.isfinite(float(value)) else None


def _range(values: list[float]) -> dict[str, float]:
    return {
        "median": float(statistics.median(values)),
        "lowest": min(values),
        "highest": max(values),
    }
