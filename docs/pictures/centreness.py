"""Centre-ness of the points in a box: what mLocAP asks for."""

from __future__ import annotations

import numpy as np
from pictures.panel import Panel, Pixels, heat

from deepir.metrics import CENTRENESS, centreness

FINE = 10  # points a pixel side


def draw() -> list[Panel]:
    """A box of 3x3 and one of 9x5 pixels, with the pixel indices that a peak may be."""
    return [_panel(3, 3, 60), _panel(9, 5, 36)]


def _panel(width: int, height: int, zoom: int) -> Panel:
    box = [[0, 0, width, height]]
    rows, columns = np.mgrid[: height * FINE, : width * FINE]
    places = (np.stack([columns.ravel(), rows.ravel()], axis=1) + 0.5) / FINE
    values = centreness(places, box).reshape(rows.shape)
    middle = ((width - 1) // 2, (height - 1) // 2)
    centre = (width / 2, height / 2)
    at_middle, at_centre = (float(centreness([point], box)[0, 0]) for point in (middle, centre))
    says = (
        f"Centre-ness in a box of {width}x{height} pixels: 1 at its centre, 0 at its border;"
        f" {at_middle:.2f} at the index of its middle pixel. Lines at {CENTRENESS}."
    )
    panel = Panel(
        f"{width}x{height} pixels: index {at_middle:.2f}, centre {at_centre:.0f}",
        says,
        width * zoom,
        height * zoom,
    )
    pixels = Pixels(panel, zoom)
    start, end = pixels.at(0, 0), pixels.at(width, height)
    panel.colours(heat(values), (*start, *end))
    for column in range(width):
        for row in range(height):
            pixels.box((column, row, column + 1, row + 1), "cell-rim")
    panel.circle(pixels.at(*centre), 8, "hit")
    panel.cross(pixels.at(*middle), "false")
    return panel
