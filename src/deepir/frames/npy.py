"""NumPy files: one frame (H, W) or a stack (T, H, W), mapped and never unpickled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deepir.errors import FrameError
from deepir.frames.limits import check_pixels
from deepir.frames.reasons import reason
from deepir.structures import Image, check_image

NPY = b"\x93NUMPY"


def npy_frames(path: Path) -> Iterator[tuple[int | None, Image | FrameError]]:
    """Number and frame of each plane, one in memory at a time; the number of (H, W) is None.

    A plane that is no frame (all NaN) comes as the error that says so.

    Raises:
        FrameError: the file is damaged, or its array is no frame and no stack of frames.
    """
    array = _mapped(path)
    if array.ndim == 2:
        yield None, _in_memory(array)
        return
    count, colours = len(array), array.shape[2] in (3, 4)
    if colours and min(array.shape[:2]) > 16:
        warnings.warn(
            f"{path.name} of shape {array.shape} is read as {count} frames (T, H, W);"
            " if it is one colour image, save it as grey (H, W)",
            stacklevel=2,
        )
    del array
    for index in range(count):
        # Mapped anew each time: pages of a mapping that stays count as memory of this process.
        try:
            yield index, _in_memory(_mapped(path)[index])
        except FrameError as error:
            yield index, error


def npy_count(path: Path) -> int:
    """Number of frames by the header alone.

    Raises:
        FrameError: as `npy_frames`.
    """
    array = _mapped(path)
    return 1 if array.ndim == 2 else len(array)


def _mapped(path: Path) -> Image:
    """The array on disk, (H, W) or (T, H, W) of real numbers with at least one pixel."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # numpy evaluates the header: nearly any exception can come of it
        raise FrameError(f"cannot read the NumPy file: {reason(error)}") from None
    if array.ndim not in (2, 3) or array.size == 0:
        raise FrameError(
            f"a NumPy file holds a frame (H, W) or a stack (T, H, W), got shape {array.shape}"
        )
    if array.dtype.kind not in "buif":
        raise FrameError(f"a frame holds real numbers, got dtype {array.dtype}")
    height, width = array.shape[-2:]
    check_pixels(width, height)
    return array


def _in_memory(plane: Image) -> Image:
    # A copy, so that a frame outlives the mapping and no later write to the file changes it.
    return check_image(np.array(plane, order="C", subok=False))
