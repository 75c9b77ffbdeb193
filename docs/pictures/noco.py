"""How a NoCo map is made, on one simulated target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pictures.panel import Colours, Panel, Pixels, greys, heat

from deepir.noco import REACH, noco_map
from deepir.simulate import simulate_scene

ZOOM = 11


def draw() -> list[Panel]:
    """The window, its two weights, and their product."""
    scene = simulate_scene(seed=4, shape=(48, 48), targets=1, bits=14)
    x0, y0, x1, y1 = scene.boxes[0].astype(int).tolist()
    width, height = x1 - x0, y1 - y0
    assert (width, height) == (5, 4), "the caption says so"
    window = scene.image[y0 - height : y1 + height, x0 - width : x1 + width].astype(float)
    inside = window[height:-height, width:-width]
    distance = np.outer(_bell(height), _bell(width))
    darkest = window.min()
    contrast = (window - darkest) / (inside.max() - darkest + 0.01)
    noco = noco_map(scene.image, scene.boxes)[y0 - height : y1 + height, x0 - width : x1 + width]
    product = distance * contrast
    scaled = (product - product.min()) / (product.max() - product.min() + 0.001)
    assert np.allclose(noco, scaled), "the picture is not what the library computes"

    shown: dict[str, tuple[Colours, str]] = {
        "1. The window": (
            greys(window),
            "Grey levels around a target; its box, and the window that is three times as large.",
        ),
        "2. Distance weight": (heat(distance), "A bell that is 1 in the middle of the box."),
        "3. Contrast weight": (
            heat(contrast),
            "0 at the darkest pixel of the window, 1 at the brightest of the box.",
        ),
        "4. NoCo": (heat(noco), "The product, stretched to 0 and 1: near 1 on a few pixels."),
    }
    return [_tile(title, *content, (width, height)) for title, content in shown.items()]


def _bell(side: int) -> NDArray[np.float64]:
    grid = np.linspace(-REACH, REACH, 3 * side)
    return np.exp(-(grid**2) / 2)


def _tile(title: str, colours: Colours, says: str, side: tuple[int, int]) -> Panel:
    rows, columns = colours.shape[:2]
    panel = Panel(title, says, columns * ZOOM, rows * ZOOM)
    pixels = Pixels(panel, ZOOM)
    pixels.fill(colours)
    width, height = side
    pixels.box((width, height, 2 * width, 2 * height), "mark")
    return panel
