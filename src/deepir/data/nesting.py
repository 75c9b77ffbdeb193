"""How deep the brackets of a text may be nested before a parser written in Python sees them."""

from __future__ import annotations

import re

DEEPEST = 100
"""Nobody writes settings deeper; PyYAML takes seconds for a kilobyte of opened brackets."""

_BRACKETS = re.compile(r"[\[\]{}]")


def check_nesting(text: str) -> None:
    """Make sure that no more than `DEEPEST` brackets of a text are open at once.

    Brackets within quotes count too.

    Raises:
        ValueError: more are.

    >>> check_nesting("names: [ship, {a: b}]")
    >>> check_nesting("[" * 101)
    Traceback (most recent call last):
    ValueError: more than 100 brackets are open at once
    """
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} brackets are open at once")
