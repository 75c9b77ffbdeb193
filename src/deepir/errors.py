"""What can go wrong with what a user gives us: each message says what came and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DeepirError(ValueError):
    """Something given cannot be used; the message is one line for a person."""

    exit_status = 1


class UsageError(DeepirError):
    """A name, a flag or an output path that was asked for does not exist or does not fit."""

    exit_status = 2


class FrameError(DeepirError):
    """One frame or its annotation cannot be used; the other frames can."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Error for a name that is in no list, with the nearest one.

    >>> str(unknown_name("detector", "mpmc", ["lcm", "mpcm"]))
    "unknown detector 'mpmc': did you mean 'mpcm'? Known: lcm, mpcm"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f": did you mean {near[0]!r}? Known" if near else "; known"
    return UsageError(f"unknown {kind} {name!r}{hint}: {', '.join(names) or 'none'}")
