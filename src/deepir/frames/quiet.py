"""Keep the C libraries under OpenCV from writing to the user's terminal."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2

_STDERR = 2

# OpenCV 5 moved it.
_set_log_level: Callable[[int], int] = (
    getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
)

# With a handler of its own tifffile no longer falls through to Python's last-resort handler; who
# sets logging up still gets its messages.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class _Hush:
    """Counts who decodes at the moment: the first one silences, the last one restores."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._level = 0
        self._stderr: int | None = None

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._level = _set_log_level(0)
                self._stderr = _send_stderr_nowhere()
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _set_log_level(self._level)
                _restore_stderr(self._stderr)


_HUSH = _Hush()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence OpenCV, libpng, libjpeg and FFmpeg while a frame is decoded.

    libpng and libjpeg print straight to file descriptor 2 and have no switch, so that descriptor
    points to nowhere meanwhile. May be nested and used in several threads.
    """
    _HUSH.enter()
    try:
        yield
    finally:
        _HUSH.leave()


def _send_stderr_nowhere() -> int | None:
    """A copy of descriptor 2 before it is bent; None for a process without one."""
    try:
        saved = os.dup(_STDERR)
    except OSError:
        return None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    return saved


def _restore_stderr(saved: int | None) -> None:
    if saved is not None:
        os.dup2(saved, _STDERR)
        os.close(saved)
