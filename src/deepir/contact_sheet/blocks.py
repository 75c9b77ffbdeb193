"""The figures of a dataset as small tables, the same on every kind of sheet."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from deepir.contact_sheet.figures import Figures, percentiles

AT = (5, 25, 50, 75, 95)
"""Percentiles that are shown."""

ROWS = 6
"""Rows of a table at most; the rest is one row."""


@dataclass(frozen=True)
class Block:
    """A small table: ``heads`` over the columns of ``rows``, the first column is text.

    ``shares`` are the lengths of bars behind the rows, 0 to 1; empty for a table without bars.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[float, ...] = ()


def blocks_of(figures: Figures) -> list[Block]:
    """All tables of a dataset."""
    return [
        _counts("Frame size", "pixels", _named(figures.sizes)),
        _counts("Bit depth", "a pixel", Counter(_depths(figures))),
        _targets(figures),
        _sources(figures),
        _percentiles(figures),
    ]


def summary_of(figures: Figures) -> str:
    """One line: how many frames and targets."""
    frames, targets = len(figures.frames), len(figures.widths)
    return (
        f"{frames:,} frame{'s' * (frames != 1)}, {targets:,} target{'s' * (targets != 1)},"
        f" {figures.without_target:,} without a target"
    )


def _named(sizes: Counter[tuple[int, int]]) -> Counter[str]:
    return Counter({f"{width} x {height}": count for (width, height), count in sizes.items()})


def _depths(figures: Figures) -> dict[str, int]:
    """Frames by depth, with the bits that the highest level needs where those are fewer."""
    named = {}
    for depth, count in figures.depths.items():
        used = figures.highest.get(depth, 0).bit_length()
        fewer = depth in figures.highest and not depth.startswith(f"{used} ")
        named[f"{depth}, {used} used" if fewer else depth] = count
    return named


def _counts(title: str, head: str, counts: Counter[str]) -> Block:
    """Most frequent first, the rest in one row."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = ordered if len(ordered) <= ROWS else ordered[: ROWS - 1]
    rest = ordered[len(shown) :]
    if rest:
        shown = [*shown, (f"{len(rest)} others", sum(count for _, count in rest))]
    rows = tuple((name, f"{count:,}") for name, count in shown)
    return Block(title, (head, "frames"), rows, _shares([count for _, count in shown]))


def _targets(figures: Figures) -> Block:
    """Frames by number of targets, many in one row."""
    most = max(figures.targets, default=0)
    last = ROWS - 1
    counts = [figures.targets[number] for number in range(min(most, last - 1) + 1)]
    names = [str(number) for number in range(len(counts))]
    if most >= last:
        counts.append(sum(figures.targets.values()) - sum(counts))
        names.append(str(last) if most == last else f"{last} to {most}")
    rows = tuple((name, f"{count:,}") for name, count in zip(names, counts, strict=True))
    return Block("Targets a frame", ("targets", "frames"), rows, _shares(counts))


def _sources(figures: Figures) -> Block:
    ordered = [name for name, _ in figures.sources.most_common()]
    shown = ordered if len(ordered) <= ROWS else ordered[: ROWS - 1]
    rest = ordered[len(shown) :]
    groups = [(name, [name]) for name in shown] + ([(f"{len(rest)} others", rest)] if rest else [])
    totals = [sum(figures.sources[one] for one in group) for _, group in groups]
    having = [sum(figures.sources_with[one] for one in group) for _, group in groups]
    rows = tuple(
        (name, f"{total:,}", f"{targets:,}")
        for (name, _), total, targets in zip(groups, totals, having, strict=True)
    )
    return Block("Source", ("id begins with", "frames", "with target"), rows, _shares(totals))


def _shares(counts: list[int]) -> tuple[float, ...]:
    highest = max(counts, default=0)
    return tuple(count / highest if highest else 0.0 for count in counts)


def _percentiles(figures: Figures) -> Block:
    kinds = {
        "width, px": figures.widths,
        "height, px": figures.heights,
        "area, px": figures.areas,
        "local SCR": figures.scrs,
    }
    rows = tuple((name, *map(_number, percentiles(values, AT))) for name, values in kinds.items())
    return Block("Targets, percentiles", ("", *(f"{at} %" for at in AT)), rows)


def _number(value: float) -> str:
    """Three digits, without a point where they are whole.

    >>> _number(3.0), _number(0.1234), _number(1234.5), _number(math.nan)
    ('3', '0.123', '1,234', '-')
    """
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
