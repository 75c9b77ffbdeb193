"""What an audit finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deepir.errors import plain

Kind = Literal[
    "unusable list",
    "empty id",
    "duplicate id",
    "foreign id",
    "overlapping splits",
    "missing file",
    "unreadable file",
    "unusable frame",
    "size mismatch",
    "empty box",
    "box outside",
    "box and mask",
    "duplicate image",
    "near-duplicate image",
    "file without id",
    "not as published",
]
"""Kinds of findings, in the order in which they are told."""


@dataclass(frozen=True)
class Finding:
    """One problem: the file that has it, below the dataset's folder, and why it is one.

    ``split`` and ``id`` are empty where it is not about one.
    """

    kind: Kind
    file: str
    reason: str
    split: str = ""
    id: str = ""

    @property
    def line(self) -> str:
        """One line for a person.

        >>> Finding("empty box", "a.xml", "box (3, 4, 3, 9)", "test", "a").line
        "empty box: test 'a', a.xml: box (3, 4, 3, 9)"
        """
        place = " ".join(filter(None, (self.split, repr(self.id) if self.id else "")))
        return plain(f"{self.kind}: {', '.join(filter(None, (place, self.file)))}: {self.reason}")
