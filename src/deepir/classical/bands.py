"""Rows of a frame worked on at a time, so that intermediate results stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator

PIXELS = 16_384
"""Pixels of a band, about: 128 KiB in double precision."""


def bands(shape: tuple[int, ...], *, pixels: int = PIXELS) -> Iterator[slice]:
    """Cut a frame of ``shape`` (H, W) into bands of whole rows, of about ``pixels``.

    >>> list(bands((40, 512)))
    [slice(0, 32, None), slice(32, 40, None)]
    """
    height, width = shape
    rows = max(8, pixels // width)
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))
