"""Targets at random places of a frame, clear of its border and of one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike

from deepir.scr import local_scr
from deepir.simulate.target import SCR_TOLERANCE, Planted, PlantError, Target, plant, stamp
from deepir.structures import Boxes, Image, Mask, as_boxes, check_image

GAP_PX = 8
"""Least number of pixels between two target boxes: rings may overlap, targets never touch."""

BORDER_PX = 4
"""Least number of pixels between a target's box and the border of the frame."""

DEFECT_PX = 3
"""Least number of pixels between a target's box and a defect pixel of the sensor."""

ATTEMPTS = 60
"""Places tried for one target before it is left out."""

Range = tuple[float, float]
"""Lowest and highest value; equal ends fix it."""


def place_targets(
    image: ArrayLike,
    *,
    count: int,
    rng: np.random.Generator,
    scr: Range = (3.0, 10.0),
    sigma: Range = (0.7, 1.6),
    size: Range = (0.0, 0.0),
    boxes: ArrayLike = (),
    ceiling: float | None = None,
) -> tuple[Image, Boxes, Mask]:
    """Plant up to ``count`` targets at random places of a frame.

    ``image`` (H, W) is not modified; each target's ``scr``, ``sigma`` and ``size`` (see `Target`)
    are drawn evenly from ranges whose ends may be equal; ``boxes`` (N, 4) are targets that the
    frame has already; ``ceiling`` as in `plant`. The new boxes keep 8 px from one another and
    from ``boxes``, and 4 px from the border. A target that finds no place in 60 tries, because
    nothing fits or `plant` refuses, is left out.

    Returns:
        The frame with its new targets; their boxes (K, 4), K <= ``count``, in the order of
        planting; their common mask (H, W), one component a target. The local SCR of each new
        target among all boxes, old and new, lies within 10 % of the one drawn, except where its
        ring was constant (see `plant`).

    Raises:
        ValueError: a negative count, or a range that is empty or leaves `Target`'s values.
        FrameError: an unusable frame.

    >>> frame = np.random.default_rng(0).normal(100, 2, (64, 64))
    >>> image, found, mask = place_targets(frame, count=2, rng=np.random.default_rng(1))
    >>> found.shape, int(mask.sum()) > 2, bool((image[~mask] == frame[~mask]).all())
    ((2, 4), True, False)
    """
    frame = check_image(image)
    drawn = draw_targets(count, rng, scr=scr, sigma=sigma, size=size)
    clean = np.zeros(frame.shape, dtype=bool)
    return place_drawn(frame, drawn, rng, boxes=as_boxes(boxes), defects=clean, ceiling=ceiling)


def draw_targets(
    count: int, rng: np.random.Generator, *, scr: Range, sigma: Range, size: Range
) -> list[Target]:
    """``count`` targets at (0, 0) whose looks are drawn evenly from the ranges.

    Raises:
        ValueError: a negative count, or a range that is empty or leaves `Target`'s values.
    """
    if count < 0:
        raise ValueError(f"count of targets is 0 or more, got {count}")
    for name, (low, high) in {"scr": scr, "sigma": sigma, "size": size}.items():
        if not low <= high:
            raise ValueError(f"range of {name} goes from low to high, got ({low:g}, {high:g})")
    for end in (0, 1):  # the ends are checked even where nothing is drawn
        Target(0, 0, scr[end], sigma[end], size[end])
    low, high = np.transpose([scr, sigma, size])
    looks = low + (high - low) * rng.random((count, 3))
    return [Target(0, 0, *look) for look in looks.tolist()]


def place_drawn(
    frame: Image,
    drawn: Iterable[Target],
    rng: np.random.Generator,
    *,
    boxes: Boxes,
    defects: Mask,
    ceiling: float | None,
) -> tuple[Image, Boxes, Mask]:
    """Move each drawn target to a random place and plant it there; see `place_targets`.

    ``defects`` (H, W) are pixels that no target's box comes within 3 px of.
    """
    layout = _Layout(frame.copy(), boxes, defects, ceiling)
    for target in drawn:
        layout.try_places(target, rng)
    mask = np.zeros(frame.shape, dtype=bool)
    for one in layout.planted:
        mask |= one.mask
    return layout.frame, as_boxes([one.box for one in layout.planted]), mask


@dataclass
class _Layout:
    """A frame while targets are added to it."""

    frame: Image
    boxes: Boxes
    """Old targets and new ones, (N, 4)."""
    defects: Mask
    ceiling: float | None
    planted: list[Planted] = field(default_factory=list)
    held: list[tuple[Planted, float]] = field(default_factory=list)
    """The new targets whose ring varied, and the SCR that each must keep."""

    def try_places(self, target: Target, rng: np.random.Generator) -> None:
        """Plant the target at the first random place that suits it and all earlier ones."""
        height, width = self.frame.shape
        if min(height, width) <= 2 * BORDER_PX:
            return
        for _ in range(ATTEMPTS):
            x, y = rng.uniform(BORDER_PX, [width - 1 - BORDER_PX, height - 1 - BORDER_PX]).tolist()
            moved = replace(target, x=x, y=y)
            if self.is_clear(stamp(moved, (height, width)).box) and self.add(moved):
                return

    def is_clear(self, box: Boxes) -> bool:
        """Whether a box keeps its distance from the border, from other boxes and from defects."""
        height, width = self.frame.shape
        x0, y0, x1, y1 = box.astype(int).tolist()
        if min(x0, y0, width - x1, height - y1) < BORDER_PX:
            return False
        gaps = np.maximum(self.boxes[:, :2] - box[2:], box[:2] - self.boxes[:, 2:]).max(axis=1)
        around = self.defects[y0 - DEFECT_PX : y1 + DEFECT_PX, x0 - DEFECT_PX : x1 + DEFECT_PX]
        return not (gaps < GAP_PX).any() and not around.any()

    def add(self, target: Target) -> bool:
        """Plant the target where it is, unless it cannot be had or spoils an earlier one's SCR."""
        try:
            new = plant(self.frame, target, boxes=self.boxes, ceiling=self.ceiling)
        except PlantError:
            return False
        boxes = np.concatenate([self.boxes, new.box[None]])
        if not all(_holds(new.image, old, scr, boxes) for old, scr in self.held):
            return False
        self.frame, self.boxes = new.image, boxes
        self.planted.append(new)
        if _holds(new.image, new, target.scr, boxes):  # else its ring was constant
            self.held.append((new, target.scr))
        return True


def _holds(image: Image, planted: Planted, scr: float, boxes: Boxes) -> bool:
    """Whether a planted target still has its SCR among all ``boxes`` of the frame."""
    got = local_scr(image, planted.box, boxes=boxes, mask=planted.mask)
    return abs(got - scr) <= SCR_TOLERANCE * scr
