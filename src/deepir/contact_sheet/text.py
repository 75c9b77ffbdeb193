"""Lines of text in a picture, measured before they are drawn so that nothing is cut."""

from __future__ import annotations

import cv2

from deepir.overlay import Colour, Picture

_FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALL, PLAIN, LARGE = 0.42, 0.48, 0.8
"""Sizes of text."""

_DOTS = "..."


def text_width(text: str, size: float) -> int:
    """Pixels that a line takes."""
    (width, _), _ = cv2.getTextSize(_plain(text), _FONT, size, 1)
    return int(width)


def fitted(text: str, width: int, size: float) -> str:
    """The line, or as much of its beginning and end as fits into ``width`` pixels.

    >>> fitted("short", 200, PLAIN)
    'short'
    """
    if text_width(text, size) <= width:
        return text
    kept = len(text) - 1
    while kept > 0:
        half = (kept + 1) // 2
        short = text[:half] + _DOTS + text[len(text) - (kept - half) :]
        if text_width(short, size) <= width:
            return short
        kept -= 1
    return ""


def write(picture: Picture, text: str, at: tuple[int, int], *, size: float, colour: Colour) -> None:
    """Write a line whose base line begins at ``at`` (x, y)."""
    cv2.putText(picture, _plain(text), at, _FONT, size, colour, 1, cv2.LINE_AA)


def write_right(
    picture: Picture, text: str, at: tuple[int, int], *, size: float, colour: Colour
) -> None:
    """Write a line whose base line ends at ``at`` (x, y)."""
    write(picture, text, (at[0] - text_width(text, size), at[1]), size=size, colour=colour)


def _plain(text: str) -> str:
    """The font of pictures has ASCII only."""
    return text.encode("ascii", "replace").decode()
