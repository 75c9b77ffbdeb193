"""Checkpoints of a run: written whole, recognised when damaged, the last two kept."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from deepir.errors import DeepirError
from deepir.writing import write_bytes

KEPT = 2
"""Checkpoints that stay: the newest, and the one before should the newest be damaged."""

_DIGITS = 16
_NAME = re.compile(rf"(\d+)-([0-9a-f]{{{_DIGITS}}})\.pt")


class Checkpoint(NamedTuple):
    """One file: its iteration, and the start of the SHA-256 that its content must have."""

    iteration: int
    digest: str
    path: Path


class Checkpoints:
    """The checkpoints in one folder.

    A file's name holds its iteration and the first 16 digits of its content's SHA-256, so a file
    that was cut off or changed is known before anything in it is read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Checkpoint]:
        """Every checkpoint by its name, the newest first, damaged ones too."""
        found = [(path, _NAME.fullmatch(path.name)) for path in self.folder.glob("*.pt")]
        known = [Checkpoint(int(name[1]), name[2], path) for path, name in found if name]
        return sorted(known, reverse=True)

    def save(self, iteration: int, state: Mapping[str, Any]) -> Path:
        """Write one, then remove all but the last two; returns its path.

        Raises:
            DeepirError: it cannot be written; those that exist stay.
        """
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        content = buffer.getvalue()
        path = self.folder / f"{iteration:08d}-{_digest(content)}.pt"
        try:
            write_bytes(path, content)
        except OSError as error:
            raise self.missed(iteration, error) from None
        for old in [one for one in self.all() if one.iteration <= iteration][KEPT:]:
            old.path.unlink(missing_ok=True)
        return path

    def latest(self, *, warn: Callable[[str], None] = lambda _: None) -> Checkpoint | None:
        """The newest checkpoint that is whole; None where there is none at all.

        ``warn`` is told of each damaged one that is passed over.

        Raises:
            DeepirError: there are checkpoints, and each of them is damaged.
        """
        found = self.all()
        for one in found:
            try:
                read_checkpoint(one)
            except DeepirError as error:
                warn(f"{error}; it is passed over")
            else:
                return one
        if found:
            raise DeepirError(
                f"each checkpoint in {str(self.folder)!r} is damaged: remove the folder of the run"
                " to begin anew"
            )
        return None

    def missed(self, iteration: int, error: OSError) -> DeepirError:
        """Error for a checkpoint, or what belongs to it, that could not be written."""
        return DeepirError(
            f"no checkpoint at iteration {iteration}: {_why(error)} in {str(self.folder)!r};"
            f" {self.left()}"
        )

    def left(self) -> str:
        """From where a run that fails now can go on, in words."""
        found = self.all()
        if not found:
            return "there is no checkpoint before it"
        return f"the last good one is of iteration {found[0].iteration}: {str(found[0].path)!r}"


def read_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    """What a checkpoint holds: tensors and plain values, nothing that runs.

    Raises:
        DeepirError: it cannot be read, was cut off or changed, or holds anything else.
    """
    path = checkpoint.path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DeepirError(f"checkpoint {str(path)!r} cannot be read: {_why(error)}") from None
    if _digest(content) != checkpoint.digest:
        raise DeepirError(
            f"checkpoint {str(path)!r} was cut off or changed: SHA-256 {_digest(content)}...,"
            f" its name says {checkpoint.digest}..."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong comes as an exception
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # foreign bytes can fail in any way inside the reader
        raise DeepirError(
            f"checkpoint {str(path)!r} holds more than tensors and plain values, or is none"
            f" ({type(error).__name__})"
        ) from None
    if not isinstance(state, dict):
        raise DeepirError(f"checkpoint {str(path)!r} holds a {type(state).__name__}, not a state")
    return state


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
