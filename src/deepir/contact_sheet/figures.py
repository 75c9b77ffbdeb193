"""What a dataset holds, counted frame by frame."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from deepir.boxes import mask_from_boxes
from deepir.data import source_of
from deepir.holes import patch_holes
from deepir.scr import local_scr
from deepir.structures import Image, Mask, Sample


@dataclass(frozen=True)
class FrameFigures:
    """One frame: its id, and the local SCR of each target (NaN where none can be measured)."""

    id: str
    scrs: tuple[float, ...]

    @property
    def faintest(self) -> float:
        """Lowest SCR of its targets; NaN without any that can be measured."""
        return min((scr for scr in self.scrs if not math.isnan(scr)), default=math.nan)


@dataclass
class Figures:
    """Counts over frames; lists hold one number a target.

    ``sizes`` counts (W, H); ``depths`` what a pixel is stored as; ``highest`` the highest level by
    depth, of whole numbers; ``targets`` frames by their number of targets; ``sources`` frames and
    frames with a target by `source_of`; ``areas`` are pixels of the mask, else of the box.
    """

    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    depths: Counter[str] = field(default_factory=Counter)
    highest: dict[str, int] = field(default_factory=dict)
    targets: Counter[int] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    sources_with: Counter[str] = field(default_factory=Counter)
    widths: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    scrs: list[float] = field(default_factory=list)
    frames: list[FrameFigures] = field(default_factory=list)

    def take(self, sample: Sample) -> None:
        """Count one frame."""
        image, boxes = patch_holes(sample.image).filled, sample.boxes.astype(np.float64)
        height, width = image.shape
        self.sizes[width, height] += 1
        self.targets[len(boxes)] += 1
        self._take_depth(sample.image)
        source = source_of(sample.id)
        self.sources[source] += 1
        self.sources_with[source] += bool(len(boxes))
        self.widths += (boxes[:, 2] - boxes[:, 0]).tolist()
        self.heights += (boxes[:, 3] - boxes[:, 1]).tolist()
        masks = [own_mask(sample, box) for box in boxes]
        self.areas += [float(mask.sum()) for mask in masks]
        scrs = [
            local_scr(image, box, boxes=boxes, mask=mask)
            for box, mask in zip(boxes, masks, strict=True)
        ]
        self.scrs += scrs
        self.frames.append(FrameFigures(sample.id, tuple(scrs)))

    def _take_depth(self, image: Image) -> None:
        depth = depth_of(image)
        self.depths[depth] += 1
        if image.dtype.kind in "iu":
            self.highest[depth] = max(self.highest.get(depth, 0), int(image.max()))

    @property
    def without_target(self) -> int:
        """Frames without a target."""
        return self.targets[0]


def own_mask(sample: Sample, box: NDArray[np.float64]) -> Mask:
    """Pixels (H, W) of the target of a box (4,): those of the mask inside it, else all in it."""
    filled = mask_from_boxes([box], sample.image.shape)
    if sample.mask is None or not (filled & sample.mask).any():
        return filled
    return filled & sample.mask


def depth_of(image: Image) -> str:
    """What a pixel is stored as, for a person.

    >>> depth_of(np.zeros((1, 1), np.uint16)), depth_of(np.zeros((1, 1), np.float32))
    ('16 bit', '32-bit float')
    """
    bits = image.dtype.itemsize * 8
    if image.dtype.kind == "f":
        return f"{bits}-bit float"
    return f"{bits} bit{' signed' if image.dtype.kind == 'i' else ''}"


def percentiles(values: list[float], at: tuple[int, ...]) -> list[float]:
    """Percentiles of the finite values; NaN where there is none.

    >>> percentiles([1.0, 2.0, math.inf, 3.0], (0, 50, 100))
    [1.0, 2.0, 3.0]
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return [math.nan] * len(at)
    found: list[float] = np.percentile(finite, at).tolist()
    return found
