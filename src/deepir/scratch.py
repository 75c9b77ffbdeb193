"""Memory that is used again from frame to frame.

Fresh memory for a frame's intermediate values can cost more than computing them: the system hands
it out page by page, and takes it back after each frame.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scratch:
    """Arrays by name; who asks for a name again gets the same memory, with whatever is in it.

    It keeps as much as was ever asked for at once. One thread at a time may use it.

    >>> scratch = Scratch()
    >>> first = scratch.array("sums", (2, 3), np.int32)
    >>> np.shares_memory(first, scratch.array("sums", (4,), np.int32))
    True
    """

    def __init__(self) -> None:
        self._memory: dict[tuple[str, str], NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Array of this shape and type; its values are left over from before."""
        key, size = (name, np.dtype(dtype).str), math.prod(shape)
        kept = self._memory.get(key)
        if kept is None or kept.size < size:
            kept = self._memory[key] = np.empty(size, dtype)
        return kept[:size].reshape(shape)
