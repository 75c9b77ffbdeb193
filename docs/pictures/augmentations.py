"""Contact sheet of every augmentation: ``python docs/pictures/augmentations.py OUT.png``.

Drawn on simulated frames. One row a change: the crop, then six draws of the change alone; boxes are
drawn one pixel outside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from deepir.simulate import SimulatedFrames
from deepir.training.augment import Crop, cut, cut_out, expose, paste, plant, turn, worsen

SIDE, ZOOM, DRAWS = 96, 2, 6


def tile(crop: Crop) -> np.ndarray:
    """Picture of a crop, stretched to its own range, with its boxes."""
    low, high = np.percentile(crop.image, [0.5, 99.8])
    levels = np.clip((crop.image - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    shown = cv2.resize(levels, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_NEAREST)
    picture = cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR)
    for box in crop.boxes:
        x0, y0, x1, y1 = np.rint(box * ZOOM).astype(int).tolist()
        cv2.rectangle(picture, (x0 - 2, y0 - 2), (x1 + 1, y1 + 1), (80, 220, 80), 1)
    canvas = np.zeros((SIDE * ZOOM, SIDE * ZOOM, 3), np.uint8)
    height, width = (min(SIDE * ZOOM, side) for side in picture.shape[:2])
    canvas[:height, :width] = picture[:height, :width]
    return canvas


def main(out: Path) -> None:
    """Draw the sheet."""
    frames = [frame for frame in SimulatedFrames(24, seed=5) if len(frame.boxes)]
    cutouts = [cutout for frame in frames for cutout in cut_out(frame.image, frame.boxes)]

    def around(frame_number: int, scale: float) -> Crop:
        frame = frames[frame_number]
        height, width = frame.image.shape
        side = min(int(SIDE / scale), height, width)
        centre = (frame.boxes[0, :2] + frame.boxes[0, 2:]) / 2
        x, y = np.clip(np.rint(centre - side / 2), 0, [width - side, height - side]).astype(int)
        return cut(frame.image, frame.boxes, (x, y, x + side, y + side), scale)

    rng = np.random.default_rng(3)
    scales = np.exp(np.linspace(np.log(0.5), np.log(2.0), DRAWS))
    changes: dict[str, Callable[[Crop], Crop]] = {
        "turn": lambda crop: turn(crop, rng),
        "expose": lambda crop: expose(crop, rng),
        "worsen": lambda crop: worsen(crop, rng),
        "paste": lambda crop: paste(crop, cutouts, rng),
        "plant": lambda crop: plant(crop, rng),
    }
    rows = [np.hstack([tile(around(0, 1.0)), *(tile(around(0, scale)) for scale in scales)])]
    for number, change in enumerate(changes.values(), start=1):
        crop = around(number, 1.0)
        rows.append(np.hstack([tile(crop), *(tile(change(crop)) for _ in range(DRAWS))]))
    for row, name in zip(rows, ["cut at scales 0.5 to 2", *changes], strict=True):
        cv2.putText(row, name, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (60, 200, 255), 1)
    cv2.imwrite(str(out), np.vstack(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
