"""Images that resemble each other, by thumbnails."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.audit.findings import Finding
from deepir.structures import Image

SIDE = 32
LIMIT = 0.99
"""Thumbnails that correlate more are of near-duplicates (32x32 pixels, area-averaged)."""

SURELY = 1 - 1e-5
"""Those that correlate more may be of the same pixels; the images themselves then tell."""

_ROWS = 512

Thumbnail = NDArray[np.float32]
"""(1024,), mean 0 and length 1; all zero of a constant image, which resembles nothing."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """What is remembered of an image: enough to compare it."""

    split: str
    id: str
    key: Hashable  # equal for the same frame in another split
    file: str
    thumbnail: Thumbnail


@dataclass(frozen=True)
class Pair:
    """An image of a later split and one of an earlier split that resemble each other."""

    split: str
    id: str
    file: str
    other_split: str
    other_id: str
    correlation: float
    identical: bool


def thumbnail(image: Image) -> Thumbnail:
    """Thumbnail of an image (H, W); pixels that are no number count as the mean.

    >>> one, other = thumbnail(np.eye(64)), thumbnail(9 * np.eye(64) + 2)
    >>> round(float(one @ other), 6)
    1.0
    """
    grey = image.astype(np.float32)
    if image.dtype.kind == "f" and not (seen := np.isfinite(grey)).all():
        grey = np.where(seen, grey, grey[seen].mean(dtype=np.float64)).astype(np.float32)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel().astype(np.float64)
    rounding = float(np.abs(small).max()) * SIDE * 1e-6
    small -= small.mean()
    length = float(np.linalg.norm(small))
    return (small / length if length > rounding else np.zeros(SIDE**2)).astype(np.float32)


def alike(
    later: Sequence[Portrait],
    earlier: Sequence[Portrait],
    are_identical: Callable[[str, str], bool],
) -> Iterator[Pair]:
    """Pairs of different frames that correlate above `LIMIT`, the best of each image first.

    ``are_identical`` compares the pixels of two files; it is asked only where that may be.
    """
    if not later or not earlier:
        return
    columns = np.stack([one.thumbnail for one in earlier]).T
    for start in range(0, len(later), _ROWS):
        rows = later[start : start + _ROWS]
        for one, likeness in zip(
            rows, np.stack([row.thumbnail for row in rows]) @ columns, strict=True
        ):
            near = [
                number
                for number in np.argsort(-likeness, kind="stable")
                if likeness[number] > LIMIT
            ]
            for number in near:
                other, value = earlier[number], min(float(likeness[number]), 1.0)
                if other.key != one.key:
                    same = value > SURELY and are_identical(one.file, other.file)
                    yield Pair(one.split, one.id, one.file, other.split, other.id, value, same)


def pair_findings(pairs: Sequence[Pair]) -> list[Finding]:
    """One finding for each image of a later split, whatever the number of its pairs."""
    found = []
    for _, group in groupby(pairs, key=lambda pair: (pair.split, pair.id)):
        own = list(group)
        best = max(own, key=lambda pair: (pair.identical, pair.correlation))
        more = f", and like {len(own) - 1} more" if len(own) > 1 else ""
        place = f"{best.other_id!r} of {best.other_split}"
        if best.identical:
            reason = f"the same pixels as {place}{more}"
            found.append(Finding("duplicate image", best.file, reason, best.split, best.id))
        else:
            reason = f"like {place} (correlation {best.correlation:.4f}){more}"
            found.append(Finding("near-duplicate image", best.file, reason, best.split, best.id))
    return found
