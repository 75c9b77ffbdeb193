"""Small frames with exact truth, and a comparison of what was written with what is read."""

from __future__ import annotations

import numpy as np

from deepir.boxes import mask_from_boxes
from deepir.structures import Sample

SHAPE = (20, 30)


def noise(dtype=np.uint8, seed=0):
    """Frame (20, 30) of noise over the whole range of its type, floating point around 300."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.normal(300, 0.1, SHAPE).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, SHAPE, dtype=dtype, endpoint=True)


def framed(name="a", boxes=((3, 4, 6, 9),), *, dtype=np.uint8, mask="boxes"):
    """A sample; its mask is the filled boxes unless another one is given."""
    image = noise(dtype, sum(name.encode(errors="replace")))
    filled = isinstance(mask, str)
    return Sample(image, boxes, mask_from_boxes(boxes, SHAPE) if filled else mask, name)


def assert_same(read, expected, *, mask=True):
    """The frame is what was written, its boxes in any order."""
    assert read.id == expected.id
    assert read.image.dtype == expected.image.dtype
    np.testing.assert_array_equal(read.image, expected.image)
    np.testing.assert_array_equal(np.unique(read.boxes, axis=0), np.unique(expected.boxes, axis=0))
    assert len(read.boxes) == len(expected.boxes)
    if mask:
        np.testing.assert_array_equal(read.mask, expected.mask)
