"""One drawing of a picture of the manual: SVG that takes its colours from the page around it.

Colours are names of style classes (`docs/_static/manual.css`), so that one drawing serves light and
dark pages. Pixels of a frame keep their own grey or heat.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colours = NDArray[np.uint8]
"""(H, W, 3) blue green red, as OpenCV has them."""

Point = tuple[float, float]


@dataclass
class Panel:
    """A drawing of ``width`` x ``height`` CSS pixels; ``title``, if any, is printed above it.

    ``says`` is for those who cannot see it.
    """

    title: str
    says: str
    width: float
    height: float
    parts: list[str] = field(default_factory=list)
    on_pixels: bool = False  # marks are bright and have a dark rim, on light pages too

    def html(self) -> str:
        """Title and drawing."""
        ground = "on-pixels" if self.on_pixels else "on-page"
        title = f'<p class="panel-title">{escape(self.title)}</p>' if self.title else ""
        return (
            f'<div class="panel" style="max-width:{self.width:g}px">'
            f'{title}<svg class="{ground}" width="{self.width:g}"'
            f' viewBox="0 0 {self.width:g} {self.height:g}" role="img"'
            f' aria-label="{escape(self.says, quote=True)}">{"".join(self.parts)}</svg>'
            "</div>"
        )

    def line(self, points: Iterable[Point], style: str) -> None:
        """Open line through points."""
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
        self._stroke("polyline", f'points="{path}"', style)

    def area(self, points: Iterable[Point], style: str) -> None:
        """Filled shape."""
        path = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
        self.parts.append(f'<polygon class="{style}" points="{path}"/>')

    def box(self, corners: Sequence[float], style: str) -> None:
        """Outline of a rectangle ``x0 y0 x1 y1``."""
        x0, y0, x1, y1 = corners
        place = f'x="{x0:.2f}" y="{y0:.2f}" width="{x1 - x0:.2f}" height="{y1 - y0:.2f}"'
        self._stroke("rect", place, style)

    def circle(self, centre: Point, radius: float, style: str) -> None:
        """Outline of a circle."""
        x, y = centre
        self._stroke("circle", f'cx="{x:.2f}" cy="{y:.2f}" r="{radius:g}"', style)

    def dot(self, centre: Point, style: str, radius: float = 4) -> None:
        """Filled dot with a rim that shows on any ground."""
        x, y = centre
        self.parts.append(f'<circle class="dot {style}" cx="{x:.2f}" cy="{y:.2f}" r="{radius:g}"/>')

    def cross(self, centre: Point, style: str, arm: float = 5) -> None:
        """Diagonal cross."""
        x, y = centre
        path = f"M{x - arm:.2f} {y - arm:.2f}l{2 * arm:g} {2 * arm:g}m0 {-2 * arm:g}"
        self._stroke("path", f'd="{path}l{-2 * arm:g} {2 * arm:g}"', style)

    def text(self, at: Point, words: str, style: str = "ink", anchor: str = "start") -> None:
        """A line of text whose base line begins, has its middle or ends ``at``."""
        self.parts.append(
            f'<text class="{style}" x="{at[0]:.2f}" y="{at[1]:.2f}"'
            f' text-anchor="{anchor}">{escape(words)}</text>'
        )

    def colours(self, pixels: Colours, corners: Sequence[float], *, smooth: bool = False) -> None:
        """Pixels that fill a rectangle ``x0 y0 x1 y1``, as sharp squares unless ``smooth``."""
        self.on_pixels = True
        content = base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()
        x0, y0, x1, y1 = corners
        style = "smooth" if smooth else "pixels"
        self.parts.append(
            f'<image class="{style}" href="data:image/png;base64,{content}" x="{x0:g}" y="{y0:g}"'
            f' width="{x1 - x0:g}" height="{y1 - y0:g}" preserveAspectRatio="none"/>'
        )

    def _stroke(self, shape: str, place: str, style: str) -> None:
        """Outline of a shape, above a dark rim where it lies on pixels."""
        if self.on_pixels and style != "cell-rim":
            self.parts.append(f'<{shape} class="rim" {place}/>')
        self.parts.append(f'<{shape} class="line {style}" {place}/>')


@dataclass
class Pixels:
    """A part of a frame in a panel, each of its pixels ``zoom`` wide.

    Places are edge coordinates of the frame: pixel j covers [j, j + 1).
    """

    panel: Panel
    zoom: float
    left: float = 0.0  # of the panel, where the frame's ``x`` begins
    top: float = 0.0
    x: int = 0
    y: int = 0

    def at(self, x: float, y: float) -> Point:
        """Place in the panel of edge coordinates."""
        return self.left + (x - self.x) * self.zoom, self.top + (y - self.y) * self.zoom

    def middle(self, column: float, row: float) -> Point:
        """Place in the panel of a pixel index: the middle of that pixel."""
        return self.at(column + 0.5, row + 0.5)

    def fill(self, colours: Colours) -> None:
        """Show pixels (H, W, 3) from the first one on."""
        height, width = colours.shape[:2]
        start, end = self.at(self.x, self.y), self.at(self.x + width, self.y + height)
        self.panel.colours(colours, (*start, *end))

    def box(self, corners: Sequence[float], style: str) -> None:
        """Outline of a box of the frame."""
        x0, y0, x1, y1 = corners
        self.panel.box((*self.at(x0, y0), *self.at(x1, y1)), style)

    def tint(self, corners: Sequence[float], style: str) -> None:
        """Fill a box of the frame."""
        x0, y0, x1, y1 = corners
        corner = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        self.panel.area([self.at(x, y) for x, y in corner], style)

    def numbers(self, values: ArrayLike, colours: Colours, form: str = "{:.2f}") -> None:
        """Write the value of each pixel (H, W) at its foot, black or white by its ground."""
        for (row, column), value in np.ndenumerate(np.asarray(values)):
            blue, green, red = colours[row, column].tolist()
            light = 0.114 * blue + 0.587 * green + 0.299 * red > 140
            x, y = self.middle(self.x + column, self.y + row)
            style = "cell on-light" if light else "cell on-dark"
            self.panel.text((x, y + 0.42 * self.zoom), form.format(value), style, "middle")


def greys(image: ArrayLike, low: float | None = None, high: float | None = None) -> Colours:
    """Grey levels (H, W) between two levels, by default its own, as grey pixels."""
    values = np.asarray(image, dtype=np.float64)
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    grey = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return np.repeat(np.rint(255 * grey).astype(np.uint8)[..., None], 3, axis=2)


def heat(values: ArrayLike) -> Colours:
    """Shares (H, W) in [0, 1] as heat: black at 0, yellow at 1."""
    shares = np.rint(255 * np.clip(np.asarray(values, dtype=float), 0, 1)).astype(np.uint8)
    coloured: Colours = np.asarray(cv2.applyColorMap(shares, cv2.COLORMAP_INFERNO), dtype=np.uint8)
    return coloured


@dataclass(frozen=True)
class Rows:
    """A table of a picture, computed with it: heads and as many cells a row."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def html(self) -> str:
        """The table."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        return (
            '<div class="rows"><table class="docutils">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )
