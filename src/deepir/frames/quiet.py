"""Keep the C libraries under OpenCV from writing to the user's terminal."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_STDERR = 2
_lock = threading.Lock()
_nesting = 0
_restore: tuple[int, int | None] = (0, None)

# With a handler of its own tifffile no longer falls through to Python's last-resort handler; who
# sets logging up still gets its messages.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@contextmanager
def quiet() -> Iterator[None]:
    """Silence OpenCV, libpng, libjpeg and FFmpeg while a frame is decoded.

    libpng and libjpeg print straight to file descriptor 2 and have no switch, so that descriptor
    points to nowhere meanwhile. Nested and parallel use is counted: the first silences, the last
    restores.
    """
    global _nesting, _restore
    with _lock:
        if _nesting == 0:
            _restore = (cv2.utils.logging.setLogLevel(0), _hush())
        _nesting += 1
    try:
        yield
    finally:
        with _lock:
            _nesting -= 1
            if _nesting == 0:
                level, stderr = _restore
                cv2.utils.logging.setLogLevel(level)
                _unhush(stderr)


def _hush() -> int | None:
    """Point descriptor 2 to nowhere; a copy of the old one, None for a process without stderr."""
    try:
        saved = os.dup(_STDERR)
    except OSError:
        return None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    return saved


def _unhush(saved: int | None) -> None:
    if saved is not None:
        os.dup2(saved, _STDERR)
        os.close(saved)
