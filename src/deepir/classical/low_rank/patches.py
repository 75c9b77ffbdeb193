"""A frame as overlapping square patches, and patches put together into a frame again.

One order everywhere: patches run down the first column of positions, then down the next (patch
``k`` has row start ``k % len(rows)`` and column start ``k // len(rows)``); pixels inside a patch
run along its rows. In memory each patch is one block, so columns and tensor are two views of it.

Gao et al., "Infrared Patch-Image Model for Small Target Detection in a Single Image", IEEE TIP
22(12), 2013, section III; the flush grid is that of Dai and Wu's and of Zhang and Peng's codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from deepir.errors import UsageError, unknown_name
from deepir.structures import check_image

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

GridKind = Literal["plain", "flush"]
"""Where patches start: steps as long as they fit, or one more patch flush with the last edge."""

_PIXELS_AT_ONCE = 32_768  # of a median: 25 values each are 6.5 MB


@dataclass(frozen=True)
class PatchGrid:
    """Patches of ``side`` x ``side`` at every pair of row and column starts; see `patch_grid`.

    ``shape`` is that of the frame (H, W). Where a side of the frame is shorter than a patch, the
    grid lies on the frame extended by its last row or column to one patch, and what is folded is
    cut to the frame again.
    """

    shape: tuple[int, int]
    side: int
    step: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of patches."""
        return len(self.rows) * len(self.columns)

    @property
    def pixels(self) -> int:
        """Pixels of a patch."""
        return self.side**2

    @property
    def extended(self) -> tuple[int, int]:
        """Shape of the frame, each side at least that of a patch."""
        height, width = self.shape
        return max(height, self.side), max(width, self.side)

    @property
    def nbytes(self) -> int:
        """Bytes of all patches in double precision: about 8 (side / step)^2 a pixel."""
        return 8 * self.count * self.pixels

    def corners(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of every patch, in order."""
        for left in self.columns:
            for top in self.rows:
                yield slice(top, top + self.side), slice(left, left + self.side)


def patch_grid(shape: tuple[int, ...], *, side: int, step: int, kind: GridKind) -> PatchGrid:
    """Grid of patches over a frame of ``shape`` (H, W).

    Plain: starts 0, step, 2 step, ... as long as the patch fits; up to step - 1 rows and columns at
    the end are in no patch. Flush: starts below the last possible one, then that one, so that every
    pixel is covered (if the step is at most the side).

    Raises:
        UsageError: a side or step below 1, an unknown kind.

    >>> patch_grid((128, 160), side=50, step=10, kind="plain").rows
    (0, 10, 20, 30, 40, 50, 60, 70)
    >>> patch_grid((128, 160), side=50, step=10, kind="flush").rows[-2:]
    (70, 78)
    """
    if kind not in get_args(GridKind):
        raise unknown_name("grid", kind, get_args(GridKind))
    if side < 1 or step < 1:
        raise UsageError(f"side and step of a patch are at least 1 pixel, got {side} and {step}")
    height, width = shape
    rows, columns = (_starts(max(length, side), side, step, kind) for length in (height, width))
    return PatchGrid((height, width), side, step, rows, columns)


def _starts(length: int, side: int, step: int, kind: GridKind) -> tuple[int, ...]:
    last = length - side
    if kind == "plain":
        return tuple(range(0, last + 1, step))
    return (*range(0, last, step), last)


def unfold(image: ArrayLike, grid: PatchGrid) -> Floats:
    """The patches of ``image`` (H, W) as columns (side * side, K), float64, freshly made.

    Raises:
        ValueError: an image of another shape than the grid's.

    >>> grid = patch_grid((2, 3), side=2, step=1, kind="flush")
    >>> unfold([[1, 2, 3], [4, 5, 6]], grid).T.tolist()
    [[1.0, 2.0, 4.0, 5.0], [2.0, 3.0, 5.0, 6.0]]
    """
    return _blocks(image, grid).reshape(grid.count, grid.pixels).T


def unfold_tensor(image: ArrayLike, grid: PatchGrid) -> Floats:
    """The patches of ``image`` (H, W) as a tensor (side, side, K): row, column, patch.

    In memory a patch is one block, so ``np.moveaxis(tensor, 2, 0)`` is contiguous, and
    ``as_columns(tensor)`` a view.
    """
    blocks = _blocks(image, grid).reshape(grid.count, grid.side, grid.side)
    return np.moveaxis(blocks, 0, 2)


def as_columns(tensor: Floats) -> Floats:
    """A tensor (side, side, K) as columns (side * side, K)."""
    return tensor.reshape(-1, tensor.shape[2])


def _blocks(image: ArrayLike, grid: PatchGrid) -> Floats:
    """Patches (columns, rows, side, side), each one block of memory."""
    frame = check_image(image)
    if frame.shape != grid.shape:
        raise ValueError(f"the grid is for a frame of {grid.shape}, got one of {frame.shape}")
    missing = [(0, long - short) for long, short in zip(grid.extended, grid.shape, strict=True)]
    frame = np.pad(frame, missing, mode="edge")
    windows = sliding_window_view(frame, (grid.side, grid.side))
    rows, columns = np.array(grid.rows), np.array(grid.columns)
    picked = windows[rows[None, :], columns[:, None]]
    return np.ascontiguousarray(picked, dtype=np.float64)


def coverage(grid: PatchGrid) -> NDArray[np.int64]:
    """Number of patches that hold each pixel (H, W).

    >>> coverage(patch_grid((1, 4), side=2, step=1, kind="flush")).tolist()
    [[1, 2, 2, 1]]
    """
    down, across = (
        np.bincount((np.array(starts)[:, None] + np.arange(grid.side)).ravel(), minlength=length)[
            :kept
        ]
        for starts, length, kept in zip(
            (grid.rows, grid.columns), grid.extended, grid.shape, strict=True
        )
    )
    return np.outer(down, across).astype(np.int64, copy=False)


def fold_mean(columns: Floats, grid: PatchGrid) -> Floats:
    """Mean (H, W) of the values that patches (side * side, K) give each pixel; 0 where none does.

    >>> grid = patch_grid((1, 3), side=1, step=2, kind="plain")
    >>> fold_mean(np.array([[5.0, 7.0]]), grid).tolist()
    [[5.0, 0.0, 7.0]]
    """
    total = _sum(columns, grid)
    total /= np.maximum(coverage(grid), 1)
    return total


def fold_last(columns: Floats, grid: PatchGrid) -> Floats:
    """The value (H, W) of the last patch that holds each pixel; 0 where none does.

    A mistake of two released codes, whose fold assigns instead of adding; for comparisons with
    their output alone.
    """
    frame = np.zeros(grid.extended)
    for patch, (rows, across) in zip(_patches(columns, grid), grid.corners(), strict=True):
        frame[rows, across] = patch
    return _cut(frame, grid)


def fold_median(columns: Floats, grid: PatchGrid) -> Floats:
    """Median (H, W) of the values that patches (side * side, K) give each pixel; 0 where none does.

    An even number of values has the mean of the middle two. Exact, and quick for sparse patches: a
    median of n values is 0 unless at least half of them are not, so only such pixels are sorted.

    >>> grid = patch_grid((1, 3), side=1, step=1, kind="plain")
    >>> fold_median(np.array([[5.0, 0.0, 7.0]]), grid).tolist()
    [[5.0, 0.0, 7.0]]
    """
    counts = coverage(grid)
    filled = _sum(columns != 0, grid)
    rows, across = np.nonzero((2 * filled >= counts) & (filled > 0))
    result = np.zeros(grid.shape)
    for start in range(0, rows.size, _PIXELS_AT_ONCE):
        part = slice(start, start + _PIXELS_AT_ONCE)
        result[rows[part], across[part]] = _medians(columns, grid, rows[part], across[part])
    return result


def _medians(columns: Floats, grid: PatchGrid, rows: Positions, across: Positions) -> Floats:
    """Medians at some pixels (N,), each held by at least one patch."""
    top, down = _holders(np.array(grid.rows), rows, grid.side)
    left, right = _holders(np.array(grid.columns), across, grid.side)
    height, width = int(down.max()), int(right.max())
    values = np.full((rows.size, height * width), np.inf)
    for index in range(height * width):
        i, j = divmod(index, width)
        held = np.flatnonzero((i < down) & (j < right))
        patch_row, patch_column = top[held] + i, left[held] + j
        inside = rows[held] - np.take(grid.rows, patch_row)
        beside = across[held] - np.take(grid.columns, patch_column)
        patch = patch_column * len(grid.rows) + patch_row
        values[held, index] = columns[inside * grid.side + beside, patch]
    values.sort(axis=1)
    every, counts = np.arange(rows.size), down * right
    middle: Floats = values[every, (counts - 1) // 2] + values[every, counts // 2]
    return middle / 2


def _holders(starts: Positions, at: Positions, side: int) -> tuple[Positions, Positions]:
    """Index of the first patch along one axis that holds each position, and how many do."""
    first = np.searchsorted(starts, at - side, side="right")
    return first, np.searchsorted(starts, at, side="right") - first


def _sum(columns: NDArray[np.generic], grid: PatchGrid) -> Floats:
    """Sum (H, W) of the values that patches give each pixel."""
    frame = np.zeros(grid.extended)
    for patch, (rows, across) in zip(_patches(columns, grid), grid.corners(), strict=True):
        frame[rows, across] += patch
    return _cut(frame, grid)


def _patches(columns: NDArray[np.generic], grid: PatchGrid) -> NDArray[np.generic]:
    """Columns (side * side, K) as patches (K, side, side)."""
    if columns.shape != (grid.pixels, grid.count):
        wanted = (grid.pixels, grid.count)
        raise ValueError(f"the grid has patches of shape {wanted}, got {columns.shape}")
    return columns.T.reshape(grid.count, grid.side, grid.side)


def _cut(frame: Floats, grid: PatchGrid) -> Floats:
    height, width = grid.shape
    return np.ascontiguousarray(frame[:height, :width])
