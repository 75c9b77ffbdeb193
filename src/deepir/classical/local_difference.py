"""WLDM: how much box means of several sizes differ, weighed by the entropy of the levels around.

The entropy needs how often the level of each window pixel occurs in that window. For the pixel at
one place of its window that is a sum of equalities between the frame and its shifts, so sliding
sums of those maps, one byte a pixel, give all counts without a histogram.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.classical.bands import bands
from deepir.classical.levels import eight_bit_scale

SCALES = 4
"""Box means of 3, 5, 7 and 9 pixels; the paper chose 9 for the largest by experiment."""

SIDE = 5
"""Side of the entropy's window in pixels."""

_LARGEST_SIDE = 15  # 225 pixels: counts fit into a byte
_BAND_PIXELS = 32_768

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


def wldm(image: ArrayLike, *, scales: int = SCALES, side: int = SIDE) -> Floats:
    """Weighted local difference measure: `local_entropy` times `local_difference`.

    ``image`` (H, W) is brought to levels from 0 to 255 (`eight_bit_scale`) and rounded, since an
    entropy needs levels that repeat. The map (H, W) is 0 or more, in squared grey levels, and all
    zero for a constant image. Dark spots count like bright ones, and pixels beside a target too.

    Raises:
        ValueError: fewer than two scales, a side that is not odd and from 3 to 15.

    Deng et al., "Small Infrared Target Detection Based on Weighted Local Difference Measure",
    IEEE TGRS 54(7), 2016.

    >>> wldm([[5, 5, 5, 5, 9]], scales=2, side=3).round(2).tolist()
    [[0.0, 0.0, 0.0, 8.45, 8.45]]
    """
    return _measure(_rounded(image), scales, side)


def bright_wldm(image: ArrayLike, *, scales: int = SCALES, side: int = SIDE) -> Floats:
    """WLDM of what is brighter than its surroundings, in grey levels: our default.

    The local difference is a ratio without amplitude, 1 in pure noise too. So here the root of the
    measure is multiplied by how far the smallest box mean lies above the widest, which is 0 for
    dark spots and beside a target; the root of that product is the map (H, W). All else, errors
    too, is as in `wldm`.

    >>> bright_wldm([[5, 5, 5, 5, 9]], scales=2, side=3).round(2).tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.88]]
    """
    levels = _rounded(image)
    measure = np.sqrt(_measure(levels, scales, side))
    smallest, widest = _box_means(np.pad(levels, scales, mode="edge"), (1, scales))
    measure *= np.maximum(np.subtract(smallest, widest, out=smallest), 0, out=smallest)
    return np.sqrt(measure, out=measure)


def _rounded(image: ArrayLike) -> Bytes:
    """Whole levels from 0 to 255; halves go up."""
    return np.floor(eight_bit_scale(image) + 0.5).astype(np.uint8)


def _measure(levels: Bytes, scales: int, side: int) -> Floats:
    measure = local_difference(levels, scales=scales)
    measure *= local_entropy(levels, side=side)
    return measure


def local_difference(levels: ArrayLike, *, scales: int = SCALES) -> Floats:
    """Largest squared difference between a box mean and the widest one, over their squared range.

    ``levels`` (H, W) whole numbers from 0 to 255, the border repeated. Box k of ``scales`` has a
    side of 2k + 1 pixels. The result (H, W) lies in [0, 1]: it is 1 wherever the smallest and the
    widest mean are the extremes, in noise too, and 0 where all means are equal.

    >>> local_difference([[0, 0, 0, 9]], scales=3)[0].round(3).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    if scales < 2:
        raise ValueError(f"differences need at least 2 scales, got {scales}")
    frame = np.asarray(levels, dtype=np.uint8)
    padded = np.pad(frame, scales, mode="edge")
    result = np.zeros(frame.shape)
    for rows in bands(frame.shape, pixels=_BAND_PIXELS):
        part = padded[rows.start : rows.stop + 2 * scales]
        means = _box_means(part, range(1, scales + 1))
        lowest, highest = means[0].copy(), means[0].copy()
        for mean in means[1:]:
            np.minimum(lowest, mean, out=lowest)
            np.maximum(highest, mean, out=highest)
        widest = means[-1]
        # Of all differences the largest is to an extreme mean, whichever box that is.
        largest = np.maximum(highest - widest, widest - lowest)
        span = np.subtract(highest, lowest, out=highest)
        np.divide(largest * largest, span * span, out=result[rows], where=span > 0)
    return result


def local_entropy(levels: ArrayLike, *, side: int = SIDE) -> Floats:
    """Entropy of the levels around a pixel, each weighed by its squared difference to the pixel's.

    ``levels`` (H, W) whole numbers from 0 to 255, the border repeated; the window is ``side`` x
    ``side``. Each window pixel adds its squared difference, times log2(n / c) / n where c of the n
    pixels have its level; that is the sum over levels of the paper. In squared grey levels.

    >>> local_entropy([[5, 5, 5, 5, 9]], side=3).round(2).tolist()
    [[0.0, 0.0, 0.0, 8.45, 8.45]]
    """
    if side % 2 == 0 or not 3 <= side <= _LARGEST_SIDE:
        raise ValueError(f"the entropy's side is odd, from 3 to {_LARGEST_SIDE}, got {side}")
    frame, reach = np.asarray(levels, dtype=np.uint8), side // 2
    margin = 3 * reach + 2  # what a window's pixel is compared with stays in memory
    padded = np.pad(frame, ((margin, margin), (reach, reach)), mode="edge")
    result = np.empty(frame.shape)
    for rows in bands(frame.shape, pixels=_BAND_PIXELS):
        found = _band_entropy(padded[rows.start : rows.stop + 2 * margin], margin, reach)
        result[rows] = found[:, reach:-reach]
    return result


def _band_entropy(band: Bytes, margin: int, reach: int) -> Floats:
    """Entropy of all but ``margin`` rows above and below, with what their ends hold as rubbish.

    Rows are laid end to end, so that a shift is one offset, in whole rows where it leaves a side.
    """
    width, flat = band.shape[1], np.ravel(band)
    start, stop = margin * width, flat.size - margin * width
    furthest = reach * (width + 1)
    total = np.zeros((1, stop - start))
    levels = flat[None, start:stop]
    weight, square = _weights((2 * reach + 1) ** 2), np.arange(256.0) ** 2
    for offset, counts in _counts(flat, slice(start - furthest, stop + furthest), width, reach):
        there = counts[None, furthest + offset :][:, : levels.size]
        gap = cv2.absdiff(levels, flat[None, start + offset : stop + offset])
        cv2.accumulateProduct(cv2.LUT(gap, square), cv2.LUT(there, weight), total)
    return total.reshape(-1, width)


def _counts(flat: Bytes, near: slice, width: int, reach: int) -> Iterator[tuple[int, Bytes]]:
    """How often a pixel's level occurs in a window around it, for each place it can have there.

    Yields the place, as an offset from the window's centre, and the counts of the pixels ``near``.
    """
    steps = range(-2 * reach, 2 * reach + 1)
    lines = [
        _sliding([_equal(flat, near, down * width + right) for right in steps]) for down in steps
    ]
    for column in range(2 * reach + 1):
        for row, counts in enumerate(_sliding([line[column] for line in lines])):
            yield (reach - row) * width + reach - column, counts


def _equal(flat: Bytes, near: slice, offset: int) -> Bytes:
    """1 where a pixel equals the one at an offset, else 0."""
    other = flat[near.start + offset : near.stop + offset]
    return np.equal(flat[near], other).view(np.uint8)


def _sliding(maps: Sequence[Bytes]) -> list[Bytes]:
    """Sums of n consecutive ones of 2n - 1 maps."""
    side = (len(maps) + 1) // 2
    total = maps[0].copy()
    for one in maps[1:side]:
        total += one
    sums = [total]
    for old, new in zip(maps, maps[side:], strict=False):
        total = total + new
        total -= old
        sums.append(total)
    return sums


def _weights(pixels: int) -> Floats:
    """What a pixel weighs whose level occurs c times, by c up to 255."""
    counts = np.clip(np.arange(256), 1, pixels)
    weights: Floats = np.log2(pixels / counts) / pixels
    return weights


def _box_means(padded: Bytes, scales: Sequence[int]) -> list[Floats]:
    """Means of boxes of 2k + 1 pixels, k in ``scales``, around all but the outermost pixels.

    As many are left out on each side as the last scale reaches. Sums are exact in whole numbers,
    and so are the means of a flat window: they are all equal.
    """
    reach, means = scales[-1], []
    for side in (2 * scale + 1 for scale in scales):
        sums = cv2.boxFilter(padded, cv2.CV_64F, (side, side), normalize=False)
        means.append(sums[reach:-reach, reach:-reach] / side**2)
    return means
