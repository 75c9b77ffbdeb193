"""What a detector's mode decides: the published behaviour by name, or our better default."""

from __future__ import annotations

from typing import TypeVar, get_args

from deepir.choices import Mode
from deepir.errors import unknown_name

T = TypeVar("T")


def choose(mode: Mode, given: T | None, *, default: T, reference: T) -> T:
    """What the user gave, else what the mode says.

    Raises:
        UsageError: an unknown mode.

    >>> choose("reference", None, default=9, reference=5)
    5
    """
    if mode not in get_args(Mode):
        raise unknown_name("mode", mode, get_args(Mode))
    if given is not None:
        return given
    return default if mode == "default" else reference
