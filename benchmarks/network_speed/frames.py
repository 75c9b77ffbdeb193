"""Frames of one size to time detectors on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepir.data import SirstV2
from deepir.simulate import SimulatedFrames
from deepir.structures import Image

SPLIT = "test_full"
SEED = 7


class Shown(NamedTuple):
    """Frames (H, W) of one size, 8-bit, and where they come from."""

    images: list[Image]
    origin: str


def frames_of(root: Path | None, shape: tuple[int, int], count: int) -> Shown:
    """Up to ``count`` frames of ``shape`` (H, W), none of them flat; without a root simulated ones.

    From SIRST-V2 those that have this very size, spread evenly over the split; where these are too
    few, others as `fitted` makes them.
    """
    size = f"{shape[1]}x{shape[0]}"
    if root is None:
        made = [sample.image for sample in SimulatedFrames(count, seed=SEED, shape=shape)]
        return Shown(made, f"{size}: {count} simulated frames, seed {SEED}")
    dataset = SirstV2.open(root, SPLIT)
    images = [dataset.read(sample_id).image for sample_id in dataset.ids]
    usable = [image for image in images if image.min() < image.max()]
    native = spread_over([image for image in usable if image.shape == shape], count)
    others = [image for image in usable if image.shape != shape]
    made = [fitted(image, shape) for image in spread_over(others, count - len(native))]
    told = f", {len(made)} cut to their middle or mirrored on" if made else ""
    return Shown(native + made, f"{size}: {SPLIT} of SIRST-V2, {len(native)} of this size{told}")


def spread_over(images: list[Image], count: int) -> list[Image]:
    """Up to ``count`` of the images, evenly spread.

    >>> spread_over(list("abcde"), 3)
    ['a', 'c', 'e']
    """
    wanted = min(count, len(images))
    return [images[place] for place in np.linspace(0, len(images) - 1, wanted).astype(int)]


def fitted(image: Image, shape: tuple[int, int]) -> Image:
    """The middle of a frame of any size, which is mirrored on at the right and below where small.

    >>> fitted(np.array([[1, 2, 3, 4]]), (2, 2)).tolist()
    [[2, 3], [2, 3]]
    """
    missing = [(0, max(0, wanted - side)) for wanted, side in zip(shape, image.shape, strict=True)]
    whole = np.pad(image, missing, mode="symmetric")
    top, left = ((side - wanted) // 2 for side, wanted in zip(whole.shape, shape, strict=True))
    return np.ascontiguousarray(whole[top : top + shape[0], left : left + shape[1]])
