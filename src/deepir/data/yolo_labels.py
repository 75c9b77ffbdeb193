"""Lines of YOLO's label files: a class and a box as shares of the frame's sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deepir.data.edges import on_whole_pixels, within_frame
from deepir.data.voc import number_text
from deepir.errors import DeepirError
from deepir.structures import Boxes

DIGITS = 1e-6
"""Labels with six digits behind the point are that far off, as a share of the frame's side; what is
that close to a whole pixel is one."""

LARGEST_SHARE = 2.0
"""Numbers beyond it are no shares, perhaps pixels; below it the frame's border is the measure."""


@dataclass(frozen=True)
class Label:
    """One line: class and box ``x0 y0 x1 y1`` as shares of the frame's sides."""

    kind: int
    box: tuple[float, float, float, float]
    is_outline: bool


def read_label(line: str, where: str) -> Label:
    """Label of a line: five numbers, or a class and an outline ``x y x y ...``.

    Raises:
        DeepirError: another form, named with ``where``.

    >>> read_label("0 0.5 0.5 0.5 1", "here").box
    (0.25, 0.0, 0.75, 1.0)
    """
    kind, *words = line.split()
    kind = kind.removesuffix(".0")
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    outlined = len(numbers) >= 6 and len(numbers) % 2 == 0
    shares = all(abs(number) <= LARGEST_SHARE for number in numbers)  # NaN is not
    if not (kind.isdecimal() and len(kind) < 10 and shares and (len(numbers) == 4 or outlined)):
        raise DeepirError(
            f"{where}: a class from 0 on and centre x, centre y, width, height as shares of the"
            f" frame's sides (0 to 1) are wanted, got {line.strip()!r:.60}"
        )
    if outlined:
        across, down = numbers[::2], numbers[1::2]
        return Label(int(kind), (min(across), min(down), max(across), max(down)), is_outline=True)
    x, y, width, height = numbers
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Label(int(kind), box, is_outline=False)


def in_pixels(shares: Sequence[Sequence[float]], shape: tuple[int, int]) -> Boxes:
    """Boxes (N, 4) in pixels of the shares (N, 4) of a frame (H, W).

    >>> in_pixels([[0.366667, 0, 1.0000004, 0.5]], (20, 30)).tolist()
    [[11.0, 0.0, 30.0, 10.0]]
    """
    sides = np.tile(np.array(shape[::-1], dtype=np.float64), 2)
    corners = np.array(shares, dtype=np.float64).reshape(-1, 4) * sides
    return within_frame(on_whole_pixels(corners, DIGITS * sides), shape)


def label_lines(boxes: Boxes, shape: tuple[int, int]) -> Iterator[str]:
    """Label lines of boxes (N, 4), with as many digits as it takes."""
    height, width = shape
    for x0, y0, x1, y1 in boxes.tolist():
        shares = (
            (x0 + x1) / 2 / width,
            (y0 + y1) / 2 / height,
            (x1 - x0) / width,
            (y1 - y0) / height,
        )
        yield " ".join(["0", *map(number_text, shares)])
