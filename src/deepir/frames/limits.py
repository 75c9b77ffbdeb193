"""How large a frame may be: asked of a file's header, before memory is taken for its pixels."""

from __future__ import annotations

import os

from deepir.errors import FrameError, UsageError

MAX_PIXELS = 2**27
"""Most pixels of one frame unless the user says otherwise: 134 million, such as 11585x11585."""

VARIABLE = "DEEPIR_MAX_PIXELS"
"""Environment variable that sets another limit."""

_DIGITS = 18


def max_pixels() -> int:
    """Most pixels of one frame: what the environment variable says, else `MAX_PIXELS`.

    Raises:
        UsageError: the variable holds no whole number above 0.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return MAX_PIXELS
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text)):
        raise UsageError(
            f"{VARIABLE} is the most pixels that one frame may have, such as {MAX_PIXELS},"
            f" got {text[:40]!r}"
        )
    return int(text)


def check_pixels(width: int, height: int, *, planes: int = 1) -> None:
    """Make sure that a frame of the size that a header announces may be read.

    ``planes`` is the number of such pictures that are decoded at once.

    Raises:
        FrameError: more pixels than `max_pixels`; the message says how to raise that.
        UsageError: as `max_pixels`.

    >>> check_pixels(640, 512)
    """
    pixels, most = width * height * planes, max_pixels()
    if pixels > most:
        times = f"x{planes}" if planes > 1 else ""
        raise FrameError(
            f"it announces {width}x{height}{times} pixels, {_said(pixels)} in all, and up to"
            f" {most} are read; to read it all the same set {VARIABLE}={_said(pixels)} in the"
            " environment"
        )


def _said(pixels: int) -> str:
    """A number digit by digit, unless it is absurd."""
    return str(pixels) if pixels < 10**_DIGITS else f"{pixels:.1e}"
