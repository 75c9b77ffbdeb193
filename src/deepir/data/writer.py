"""What every format's writer does: files of a frame at once, lists of the splits at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from deepir.data.listing import check_split_name
from deepir.structures import Sample

Lost = dict[str, list[str]]
"""What a format could not hold: a line for a person each, and the ids that it is true of."""

MASKS = "masks are left out"
MADE = "masks are the filled boxes, as there was none"
ROUNDED = "boxes between pixels are rounded"

TARGET = "target"
"""The one class of targets that there is."""


class Writer(Protocol):
    """Writes frames of several splits into one folder."""

    def add(self, split: str, sample: Sample) -> list[str]:
        """Write what belongs to one frame, which ``split`` holds; returns what is lost of it.

        Raises:
            FrameError: the format cannot hold the frame at all.
        """

    def finish(self, splits: Mapping[str, Sequence[str]]) -> None:
        """Write the lists of the splits, all of whose ids were added."""


def write_split(writer: Writer, split: str, samples: Iterable[Sample]) -> Lost:
    """Write samples as one split; returns what is lost.

    The split is written also where the samples end early (Ctrl-C, a full disk).

    Raises:
        UsageError: a split that cannot name a file.
        FrameError: a sample that the format cannot hold.
    """
    check_split_name(split)
    ids: list[str] = []
    lost: Lost = {}
    try:
        for sample in samples:
            note_lost(lost, writer.add(split, sample), sample.id)
            ids.append(sample.id)
    finally:
        if ids:
            writer.finish({split: ids})
    return lost


def note_lost(lost: Lost, kinds: Iterable[str], sample_id: str) -> None:
    """Add what is lost of one frame."""
    for kind in kinds:
        lost.setdefault(kind, []).append(sample_id)


def one_class(names: Iterable[str]) -> str:
    """Line that says which classes are read as one.

    >>> one_class(["ship", "plane"])
    "classes 'plane', 'ship' become one, 'target'"
    """
    known = sorted(set(names))
    shown = ", ".join(map(repr, known[:5])) + (" ..." if len(known) > 5 else "")
    return f"classes {shown} become one, {TARGET!r}"
