"""Docstrings and annotations as they are written.

Napoleon takes "Mean recall: the best that ranking can do." of a property for a type and its
description; a comment before the first line keeps it from that. Autodoc evaluates annotations and
prints what arrays are made of; functions that say they are not to be type-checked keep "NDArray".
"""

from __future__ import annotations

import inspect

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

BEFORE_NAPOLEON = 400
VALUES = {"property", "attribute", "data"}


def keep_colons(app: Sphinx, what: str, name: str, of: object, *more: list[str]) -> None:
    """Begin the docstring of a value with an empty comment."""
    del app, name, of
    lines = more[-1]
    if what in VALUES and lines:
        lines[:0] = ["..", ""]


def keep_annotations(app: Sphinx, of: object, *more: object) -> None:
    """Leave the annotations of a function, or of the one in a property, unevaluated."""
    del app, more
    for part in (of, getattr(of, "fget", None), getattr(of, "func", None)):
        if inspect.isfunction(part):
            part.__no_type_check__ = True  # type: ignore[attr-defined]


def keep_of_member(app: Sphinx, what: str, name: str, of: object, *more: object) -> bool | None:
    """The same for a member of a class; a function that is a field's default is none of its own."""
    del name, more
    keep_annotations(app, of)
    default = what == "class" and inspect.isfunction(of) and "." not in of.__qualname__
    return True if default else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen while autodoc reads."""
    app.connect("autodoc-process-docstring", keep_colons, priority=BEFORE_NAPOLEON)
    app.connect("autodoc-before-process-signature", keep_annotations)
    app.connect("autodoc-skip-member", keep_of_member)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
