"""RLCM and TLLCM: a centre against the largest levels of its eight neighbouring cells.

The mean of the K largest levels of a cell depends on where the cell lies and on nothing else. So
one partial sort a cell position serves all K, and all nine cells that it can be. The sorts of
overlapping cells share their work: pixels make sorted pairs, pairs fours, and so on, first down the
columns and then across.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, zip_longest
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.classical.bands import bands
from deepir.classical.contrast import CELLS
from deepir.errors import unknown_name
from deepir.structures import check_image

RankedBorder = Literal["zero", "symmetric", "replicate"]

CELL = 9
PAIRS = ((2, 4), (5, 9), (9, 16))
"""Levels averaged in the centre and in its neighbours, by scale."""

LARGEST = 9
"""Levels of a neighbouring cell that TLLCM averages."""

_PADDING: dict[RankedBorder, Literal["constant", "symmetric", "edge"]] = {
    "zero": "constant",
    "symmetric": "symmetric",
    "replicate": "edge",
}
_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_BAND_BYTES = 65_536

Levels = NDArray[Any]
Floats = NDArray[np.float64]


def rlcm(
    image: ArrayLike,
    *,
    pairs: Sequence[tuple[int, int]] = PAIRS,
    cell: int = CELL,
    border: RankedBorder = "zero",
    black: float = 0.0,
) -> Floats:
    """Multiscale relative local contrast: the excess of a level weighed by its contrast ratio.

    For each of ``pairs`` (m, n): the mean I of the m largest levels of the central cell, and the
    largest J among the means of the n largest levels of its eight neighbours give (I / J - 1) I;
    the map is the largest of these, or 0. ``image`` (H, W), raised by its minimum where that is
    negative; the map (H, W) has the grey level as unit and is 0 for a constant image. ``cell`` is
    the odd side of a cell in pixels; a cell with fewer pixels than asked for averages them all.
    J below 1e-12, or below the share ``black`` of the frame's mean, counts as that.

    Raises:
        ValueError: no pairs, numbers below 1, a side that is not odd and positive.
        UsageError: an unknown border.

    Han et al., "Infrared Small Target Detection Utilizing the Multiscale Relative Local Contrast
    Measure", IEEE GRSL 15(4), 2018, equations 2 to 5.

    >>> image = np.full((9, 27), 50.0); image[4, 13] = 100.0
    >>> float(rlcm(image, pairs=((1, 1),), border="replicate")[4, 13])
    100.0
    """
    frame = _raised(image)
    wanted = sorted({count for pair in pairs for count in pair})
    _check_cells([cell], wanted, border)
    result = np.zeros(frame.shape)
    if _is_flat(frame):
        return result
    sums = _ranked_sums(frame, cell, wanted, border)
    least = _least(frame, black)
    for inner, outer in pairs:
        for rows in bands(frame.shape):
            level = _shifted(sums[inner], cell, rows, (0, 0)) / _at_most(inner, cell)
            beside = _brightest(sums[outer], cell, rows) / _at_most(outer, cell)
            _keep_excess(result[rows], level, beside, least)
    return result


def tllcm(
    image: ArrayLike,
    *,
    cells: Sequence[int] = CELLS,
    largest: int = LARGEST,
    border: RankedBorder = "zero",
    black: float = 0.0,
) -> Floats:
    """Tri-layer local contrast: a smoothed pixel against cells of several sizes.

    The level I is a 3x3 binomial mean, the border repeated; J is the largest among the means of the
    ``largest`` levels of eight cells. For each of ``cells``, odd sides in pixels, (I / J - 1) I;
    the map is the largest of these, or 0. All else is as in `rlcm`.

    Raises:
        ValueError: no cells, a side that is not odd and positive, ``largest`` below 1.
        UsageError: an unknown border.

    Han et al., "A Local Contrast Method for Infrared Small-Target Detection Utilizing a Tri-Layer
    Window", IEEE GRSL, 2020.

    >>> image = np.full((9, 9), 50.0); image[3:6, 3:6] = 100.0
    >>> float(tllcm(image, cells=(3,))[4, 4])
    100.0
    """
    frame = _raised(image)
    _check_cells(cells, [largest], border)
    result = np.zeros(frame.shape)
    if _is_flat(frame):
        return result
    binomial = np.array([1.0, 2.0, 1.0])
    sums = cv2.sepFilter2D(frame, cv2.CV_64F, binomial, binomial, borderType=cv2.BORDER_REPLICATE)
    smooth = np.asarray(sums, dtype=np.float64) / 16
    least = _least(frame, black)
    for side in cells:
        ranked = _ranked_sums(frame, side, [largest], border)[largest]
        for rows in bands(frame.shape):
            beside = _brightest(ranked, side, rows) / _at_most(largest, side)
            _keep_excess(result[rows], smooth[rows], beside, least)
    return result


def _keep_excess(best: Floats, level: Floats, beside: Floats, least: float) -> None:
    """Raise ``best`` to (level / beside - 1) level where that is more."""
    ratio = np.divide(level, np.maximum(beside, least, out=beside), out=beside)
    ratio -= 1
    ratio *= level
    np.maximum(best, ratio, out=best)


def _check_cells(sides: Sequence[int], counts: Sequence[int], border: RankedBorder) -> None:
    """Refuse options before a frame is looked at.

    Raises:
        ValueError: nothing to compare, or a number that does not fit.
        UsageError: an unknown border.
    """
    if not sides or not counts:
        raise ValueError(f"at least one side and one number of levels, got {sides} and {counts}")
    if any(side < 1 or side % 2 == 0 for side in sides):
        raise ValueError(f"the side of a cell is odd and positive, in pixels, got {sides}")
    if min(counts) < 1:
        raise ValueError(f"at least one of a cell's levels is averaged, got {counts}")
    if border not in _PADDING:
        raise unknown_name("border", border, _PADDING)


def _ranked_sums(
    frame: Floats, side: int, counts: Sequence[int], border: RankedBorder
) -> dict[int, Levels]:
    """Sums of the largest levels of every cell up to ``side`` pixels outside, by their number."""
    margin = side + side // 2
    padded = np.pad(_narrow(frame), margin, mode=_PADDING[border])
    shape = padded.shape[0] - side + 1, padded.shape[1] - side + 1
    kind = np.float64 if padded.dtype.kind == "f" else np.uint32
    sums = {count: np.empty(shape, kind) for count in counts}
    for rows in bands(shape, pixels=_BAND_BYTES // padded.itemsize):
        ranked = _ranked(padded[rows.start : rows.stop + side - 1], side, max(counts))
        totals = list(accumulate(ranked, np.add, initial=np.zeros((), kind)))
        for count in counts:
            total = totals[min(count, len(ranked))]
            sums[count][rows] = total.reshape(-1, padded.shape[1])[:, : shape[1]]
    return sums


def _ranked(band: Levels, side: int, keep: int) -> list[Levels]:
    """The largest levels of every cell of a band, largest first.

    Rows are laid end to end; the last ``side`` - 1 columns of each are rubbish.
    """
    flat = np.pad(np.ravel(band), (0, side - 1))
    return _windows(_windows([flat], side, band.shape[1], keep), side, 1, keep)


def _windows(lists: list[Levels], length: int, step: int, keep: int) -> list[Levels]:
    """Join descending lists, ``length`` of them ``step`` apart, from each position on."""
    if length == 1:
        return lists
    half = _windows(lists, length // 2, step, keep)
    pair = _joined(half, half, length // 2 * step, keep)
    return _joined(pair, lists, (length - 1) * step, keep) if length % 2 else pair


def _joined(first: list[Levels], second: list[Levels], offset: int, keep: int) -> list[Levels]:
    size = second[0].size - offset
    return _merged(
        [levels[:size] for levels in first],
        [levels[offset : offset + size] for levels in second],
        keep,
    )


def _merged(first: list[Levels], second: list[Levels], keep: int) -> list[Levels]:
    """The ``keep`` largest of two descending lists, in descending order.

    Batcher's odd-even merge, without what falls off the end: Knuth, The Art of Computer
    Programming 3, section 5.3.4.
    """
    first, second = first[:keep], second[:keep]
    if not first or not second:
        return first or second
    if keep == 1 or len(first) == len(second) == 1:
        return _ordered(first[0], second[0], keep)
    odd = _merged(first[::2], second[::2], keep // 2 + 1)
    even = _merged(first[1::2], second[1::2], keep // 2)
    merged = odd[:1]
    for above, below in zip_longest(odd[1:], even):
        room = keep - len(merged)
        if above is None or below is None:
            merged += [level for level in (above, below) if level is not None][:room]
        elif room:
            merged += _ordered(above, below, room)
    return merged


def _ordered(one: Levels, other: Levels, room: int) -> list[Levels]:
    """The larger and, with room for two, the smaller."""
    larger = np.maximum(one, other)
    return [larger] if room == 1 else [larger, np.minimum(one, other)]


def _brightest(sums: Levels, side: int, rows: slice) -> Levels:
    """Largest sum among the eight neighbouring cells, in some rows."""
    brightest: Levels = reduce(
        np.maximum, (_shifted(sums, side, rows, step) for step in _NEIGHBOURS)
    )
    return brightest


def _shifted(sums: Levels, side: int, rows: slice, step: tuple[int, int]) -> Levels:
    """Sums of one of the nine cells, for the pixels of some rows."""
    top, left = (side * (1 + along) for along in step)
    width = sums.shape[1] - 2 * side
    return sums[top + rows.start : top + rows.stop, left : left + width]


def _at_most(count: int, side: int) -> int:
    return min(count, side**2)


def _raised(image: ArrayLike) -> Floats:
    """The frame from 0 on: these measures are ratios of levels."""
    frame = check_image(image).astype(np.float64, copy=False)
    lowest = float(frame.min())
    return frame - lowest if lowest < 0 else frame


def _is_flat(frame: Floats) -> bool:
    """Whether all pixels are equal: cells that the border darkens would make a contrast of it."""
    return bool((frame == frame.flat[0]).all())


def _least(frame: Floats, black: float) -> float:
    return max(1e-12, black * float(frame.mean()))


def _narrow(frame: Floats) -> Levels:
    """The same levels, from 0 on, in as few bytes as hold them: fewer bytes sort faster."""
    highest = float(frame.max())
    for kind in (np.uint8, np.uint16):
        if highest <= np.iinfo(kind).max and np.array_equal(frame, np.rint(frame)):
            return frame.astype(kind)
    return frame
