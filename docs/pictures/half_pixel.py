"""Why the centre of a perfect box may miss its target: the half pixel and the rounding."""

from __future__ import annotations

import numpy as np
from pictures.panel import Panel, Pixels, heat

from deepir.boxes import centres
from deepir.noco import noco_map, noco_peaks
from deepir.simulate import Target, plant, simulate_scene

ZOOM = 54


def draw() -> list[Panel]:
    """The same target at an even and at an odd column."""
    empty = simulate_scene(seed=3, shape=(48, 48), clutter="cloud", targets=0, bits=14).image
    agreeing, apart = (_panel(empty, column) for column in (20, 21))
    assert "column 20 is read" in agreeing.title, "the caption says that left the two agree"
    assert "column 22 is read" in apart.title, "and that right the centre is read beside"
    return [agreeing, apart]


def _panel(empty: np.ndarray, column: int) -> Panel:
    planted = plant(empty, Target(column, 24, scr=9, sigma=0.95))
    x0, y0, x1, y1 = planted.box.astype(int).tolist()
    noco = noco_map(planted.image, [planted.box])
    (centre_x, centre_y) = centres([planted.box])[0].tolist()
    ((peak_x, peak_y),) = noco_peaks(planted.image, [planted.box]).astype(int).tolist()
    read_x, read_y = int(np.rint(centre_x)), int(np.rint(centre_y))
    part = noco[y0 - 1 : y1 + 1, x0 - 1 : x1 + 1]
    says = (
        f"Box [{x0}, {x1}) x [{y0}, {y1}). Its centre ({centre_x:g}, {centre_y:g}) is read at pixel"
        f" ({read_x}, {read_y}), NoCo {noco[read_y, read_x]:.2f}; the peak is at"
        f" ({peak_x}, {peak_y}), NoCo {noco[peak_y, peak_x]:.2f}."
    )
    panel = Panel(f"Centre {centre_x:g}: column {read_x} is read", says, 5 * ZOOM, 5 * ZOOM)
    pixels = Pixels(panel, ZOOM, x=x0 - 1, y=y0 - 1)
    colours = heat(part)
    pixels.fill(colours)
    pixels.numbers(part, colours)
    pixels.box((x0, y0, x1, y1), "mark")
    panel.line([pixels.at(centre_x, centre_y), pixels.middle(read_x, read_y)], "false")
    panel.circle(pixels.middle(read_x, read_y), 12, "false")
    panel.circle(pixels.middle(peak_x, peak_y), 8, "hit")
    panel.cross(pixels.at(centre_x, centre_y), "false", 4)
    return panel
