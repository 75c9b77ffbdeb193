"""A plot in a panel: two axes with ticks and grid, lines and bands in their units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from pictures.panel import Panel, Point

LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 42
"""Room for the labels of the axes, in pixels."""


@dataclass(frozen=True)
class Axis:
    """Ends, ticks and label of an axis; logarithmic where it says so."""

    low: float
    high: float
    ticks: Sequence[float]
    label: str
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies from the low end, 0, to the high one, 1."""
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return (math.log(max(value, self.low)) - low) / (high - low)
        return (value - self.low) / (self.high - self.low)


@dataclass
class Axes:
    """Two axes in a panel."""

    panel: Panel
    across: Axis
    up: Axis

    def __post_init__(self) -> None:
        for tick in self.across.ticks:
            x, low, high = self.at(tick, self.up.low)[0], self._bottom, TOP
            self.panel.line([(x, low), (x, high)], "grid")
            self.panel.text((x, low + 16), f"{tick:g}", "tick", "middle")
        for tick in self.up.ticks:
            y = self.at(self.across.low, tick)[1]
            self.panel.line([(LEFT, y), (self.panel.width - RIGHT, y)], "grid")
            self.panel.text((LEFT - 6, y + 4), f"{tick:g}", "tick", "end")
        self.panel.line(
            [(LEFT, TOP), (LEFT, self._bottom), (self.panel.width - RIGHT, self._bottom)], "rule"
        )
        middle = (LEFT + self.panel.width - RIGHT) / 2
        self.panel.text((middle, self.panel.height - 6), self.across.label, "label", "middle")
        x, y = 12, (TOP + self._bottom) / 2
        self.panel.parts.append(
            f'<text class="label" text-anchor="middle"'
            f' transform="translate({x} {y:g}) rotate(-90)">{self.up.label}</text>'
        )

    @property
    def _bottom(self) -> float:
        return self.panel.height - BOTTOM

    def at(self, x: float, y: float) -> Point:
        """Place in the panel of a point of the axes."""
        width, height = self.panel.width - LEFT - RIGHT, self._bottom - TOP
        return LEFT + self.across.share(x) * width, self._bottom - self.up.share(y) * height

    def line(self, xs: ArrayLike, ys: ArrayLike, style: str) -> None:
        """Line through points of the axes."""
        self.panel.line(self._places(xs, ys), style)

    def steps(self, xs: ArrayLike, ys: ArrayLike, style: str) -> None:
        """Line that keeps each height until the next ``x``."""
        shown = np.asarray(xs, dtype=float) <= self.across.high
        x, y = np.asarray(xs, dtype=float)[shown], np.asarray(ys, dtype=float)[shown]
        self.line(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], style)

    def band(self, xs: ArrayLike, low: ArrayLike, high: ArrayLike, style: str) -> None:
        """Area between two lines."""
        back = self._places(xs, high)[::-1]
        self.panel.area([*self._places(xs, low), *back], style)

    def name(self, words: str, style: str, at: Point) -> None:
        """Name of a line beside it, in its colour, ``at`` a place of the axes."""
        self.panel.text(self.at(*at), words, f"name {style}")

    def _places(self, xs: ArrayLike, ys: ArrayLike) -> list[Point]:
        """Places of points; what lies left or right of the axes is drawn at their end."""
        kept = np.clip(np.asarray(xs, dtype=float), self.across.low, self.across.high)
        pairs = zip(kept, np.asarray(ys, dtype=float), strict=True)
        return [self.at(float(x), float(y)) for x, y in pairs]
