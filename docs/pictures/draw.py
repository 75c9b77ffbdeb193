"""Draw the pictures of README and docs again: ``python docs/pictures/draw.py``."""

from __future__ import annotations

from pathlib import Path

import cv2

from deepir.catalogue import load_detector
from deepir.overlay import draw_overlay
from deepir.simulate import SimulatedFrames

HERE = Path(__file__).parent
FRAME = 0
"""Number of the simulated frame shown in the README."""


def main() -> None:
    """Write overlay.png."""
    sample = SimulatedFrames(FRAME + 1, seed=0)[FRAME]
    found = load_detector("mpcm", threshold=12).detect(sample.image)
    picture = draw_overlay(sample.image, found, title=f"{sample.id}  mpcm")
    cv2.imwrite(str(HERE / "overlay.png"), picture)


if __name__ == "__main__":
    main()
