"""What can go wrong with what a user gives us: each message says what came and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DeepirError(ValueError):
    r"""Something given cannot be used; the message is one line for a person.

    What a file or another program has to say may hold line breaks; they become blanks.

    >>> str(DeepirError("bad header:\n  line 7"))
    'bad header: line 7'
    """

    exit_status = 1

    def __str__(self) -> str:
        text = super().__str__()
        lines = text.splitlines()
        return text if lines == [text] else " ".join(line.strip() for line in lines)


class UsageError(DeepirError):
    """A name, a flag or an output path that was asked for does not exist or does not fit."""

    exit_status = 2


class FrameError(DeepirError):
    """One frame or its annotation cannot be used; the other frames can."""


LONGEST_LINE = 2000


def plain(text: str) -> str:
    r"""Text on one line that a terminal can show: what it would obey instead appears as escapes.

    More than 2000 characters lose their middle.

    >>> plain("a file\n\x1b[31m.png"), plain("µ 火")
    ('a file\\n\\x1b[31m.png', 'µ 火')
    """
    if len(text) > LONGEST_LINE:
        half = LONGEST_LINE // 2
        text = f"{text[:half]} ... {text[-half:]}"
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Error for a name that is in no list, with the nearest one.

    >>> str(unknown_name("detector", "mpmc", ["lcm", "mpcm"]))
    "unknown detector 'mpmc': did you mean 'mpcm'? Known: lcm, mpcm"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f": did you mean {near[0]!r}? Known" if near else "; known"
    return UsageError(f"unknown {kind} {name!r}{hint}: {', '.join(names) or 'none'}")
