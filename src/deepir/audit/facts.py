"""What an audit asks of a format: what lies there, before any check that reading makes."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from deepir.audit.findings import Finding
from deepir.data.formats import Format
from deepir.structures import Image, Mask


@dataclass(frozen=True)
class IdList:
    """The ids of a split as they stand in ``file``: perhaps empty, twice or leading elsewhere."""

    split: str
    file: str
    ids: list[str]


@dataclass(frozen=True, eq=False)
class Seen:
    """What the files of one frame hold, as far as they can be read; None for what is not there.

    ``boxes`` (N, 4) float64 half-open pixels, of any values; ``mask`` of any size; ``said`` is the
    size (W, H) that the annotation states; ``problems`` say what could not be read.
    """

    image_file: str = ""
    image: Image | None = None
    boxes_file: str = ""
    boxes: NDArray[np.float64] | None = None
    said: tuple[int, int] | None = None
    mask_file: str = ""
    mask: Mask | None = None
    problems: list[Finding] = field(default_factory=list)


class Facts(Protocol):
    """One dataset of one format."""

    @property
    def root(self) -> Path:
        """Its folder."""

    @property
    def form(self) -> Format:
        """Its format."""

    def lists(self) -> tuple[list[IdList], list[Finding]]:
        """The ids of every split, and what is wrong with lists that cannot be used."""

    def identity(self, split: str, sample_id: str) -> Hashable:
        """Equal in two splits for the same frame; it is looked at once."""

    def look(self, split: str, sample_id: str) -> Seen:
        """Read the files of one frame; never raises for what is in them."""

    def every_id(self) -> list[str]:
        """Ids of all images that lie there, as far as the format tells without a list."""

    def without_id(self, ids: set[str], used: set[str]) -> list[Finding]:
        """Files that none of the ids stands for; ``used`` are the image files that were read."""
