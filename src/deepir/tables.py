"""A table of figures, rendered for a terminal, as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Columns with their heads, and rows of as many cells; None is shown as a dash.

    >>> print(Table(("method", "AP"), [("lcm", 0.20712)]).markdown())
    | method | AP |
    | --- | --- |
    | lcm | 0.2071 |
    <BLANKLINE>
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.heads):
                raise ValueError(f"{len(self.heads)} columns need as many cells, got {row}")

    def markdown(self) -> str:
        """Render as a Markdown table, figures to four digits."""
        lines = [self.heads, ["---"] * len(self.heads), *[map(shown, row) for row in self.rows]]
        return "".join(f"| {' | '.join(_escaped(cell) for cell in line)} |\n" for line in lines)

    def csv(self) -> str:
        """Render as CSV with figures in full; None is empty."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([self.heads, *self.rows])
        return stream.getvalue()


def shown(cell: Cell) -> str:
    """Text of one cell: four significant digits, a dash for None.

    >>> shown(12345.6), shown(0.123456), shown(None)
    ('12350', '0.1235', '-')
    """
    if cell is None:
        return "-"
    if isinstance(cell, float):
        text = f"{cell:.4g}"
        return f"{float(text):.0f}" if "e+" in text else text
    return str(cell)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
