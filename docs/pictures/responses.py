"""What each filter makes of the same three simulated frames: ``python responses.py FOLDER [NAME]``.

One picture a filter: the frames above, its maps in the default mode below, clipped at 0 and scaled
to each map's own maximum. Brackets stand around the true targets, circles around detections; the
line below a map says the highest score of the frame.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.choices import Clutter
from deepir.classical import CATALOGUE
from deepir.overlay import Colour, Picture, stretch_to_8bit
from deepir.readout import unit_range
from deepir.simulate import simulate_scene
from deepir.structures import Detections, Sample
from deepir.writing import write_bytes

SHAPE = (128, 160)
SCENES: dict[Clutter, int] = {"sea": 5, "cloud": 4, "terrain": 7}
"""Seed by kind of clutter."""

ZOOM, GAP, LINE = 2, 10, 26
BACKDROP: Colour = (24, 22, 20)
TEXT: Colour = (225, 225, 225)
TRUE, FOUND = (255, 200, 90), (60, 220, 255)  # blue green red
FONT = cv2.FONT_HERSHEY_SIMPLEX


@cache
def scenes() -> tuple[Sample, ...]:
    """The three frames."""
    return tuple(
        simulate_scene(seed=seed, shape=SHAPE, clutter=kind, targets=3, scr=(4.0, 9.0))
        for kind, seed in SCENES.items()
    )


def draw_response(name: str) -> Picture:
    """Picture (H, W, 3) of a filter of the catalogue: frames above, maps below."""
    detector = CATALOGUE[name]()
    above, below = [], []
    for scene in scenes():
        response = detector.respond(scene.image)
        found = detector.believed(response)
        best = float(response.scores.max())
        said = f"highest score {best:.3g}, threshold {detector.operating:g}: {len(found)} found"
        above.append(_tile(stretch_to_8bit(scene.image), scene.id.split("_")[0], scene, None))
        grey = np.rint(255 * unit_range(response.saliency)).astype(np.uint8)
        below.append(_tile(grey, said, scene, found))
    return _framed([above, below])


def _tile(grey: NDArray[np.uint8], words: str, scene: Sample, found: Detections | None) -> Picture:
    """A map or frame enlarged, with a line of text below."""
    large = cv2.resize(grey, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_NEAREST)
    picture = np.repeat(np.asarray(large, dtype=np.uint8)[..., None], 3, axis=2)
    for box in (scene.boxes * ZOOM).astype(int).tolist():
        _brackets(picture, box)
    for x, y in [] if found is None else (found.points + 0.5) * ZOOM:
        cv2.circle(picture, (int(x), int(y)), 9, FOUND, 2, cv2.LINE_AA)
    strip = np.full((LINE, picture.shape[1], 3), BACKDROP, dtype=np.uint8)
    cv2.putText(strip, words, (0, 17), FONT, 0.42, TEXT, 1, cv2.LINE_AA)
    return np.vstack([picture, strip])


def _brackets(picture: Picture, box: list[int]) -> None:
    """Four corners, 6 px outside a box."""
    x0, y0, x1, y1 = box[0] - 7, box[1] - 7, box[2] + 6, box[3] + 6
    for x, across in ((x0, 5), (x1, -5)):
        for y, down in ((y0, 5), (y1, -5)):
            cv2.line(picture, (x, y), (x + across, y), TRUE, 2)
            cv2.line(picture, (x, y), (x, y + down), TRUE, 2)


def _framed(rows: list[list[Picture]]) -> Picture:
    """Tiles in rows on a dark ground, a gap around each."""
    height, width = rows[0][0].shape[:2]
    high, wide = len(rows) * (height + GAP), len(rows[0]) * (width + GAP)
    page = np.full((high + GAP, wide + GAP, 3), BACKDROP, dtype=np.uint8)
    for row, tiles in enumerate(rows):
        for column, tile in enumerate(tiles):
            top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
            page[top : top + height, left : left + width] = tile
    return page


def main(folder: Path, names: list[str]) -> None:
    """Write the pictures of some filters, or of all."""
    for name in names or CATALOGUE:
        content = cv2.imencode(".png", draw_response(name))[1].tobytes()
        write_bytes(folder / f"{name}.png", content)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
