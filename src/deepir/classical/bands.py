"""Rows of a frame worked on at a time, so that intermediate results stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator

ROWS = 32


def bands(height: int) -> Iterator[slice]:
    """Cut ``height`` rows into bands of at most 32.

    >>> list(bands(40))
    [slice(0, 32, None), slice(32, 40, None)]
    """
    for start in range(0, height, ROWS):
        yield slice(start, min(start + ROWS, height))
