"""Detectors in a file of the user's own, named ``FILE.py:NAME``.

The file is run as Python runs a script, so it is as trusted as one; only a name with ``.py`` and a
colon leads here. What is wrong with it is said with its line.
"""

from __future__ import annotations

import inspect
import math
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import Any

from deepir.box_detector import BoxDetector
from deepir.errors import DeepirError, FrameError, UsageError, unknown_name
from deepir.map_detector import MapDetector

Made = MapDetector | BoxDetector
Build = Callable[..., Made]

LONGEST_REASON = 200  # characters of what a user's code says

_FORM = re.compile(r"(?P<file>.+\.py):(?P<name>\w+)", re.DOTALL)


def is_own(name: str) -> bool:
    """Whether a name means a detector in a file, rightly spelt or not.

    >>> is_own("filters/mine.py:DETECTOR"), is_own("mpcm")
    (True, False)
    """
    return ".py" in name


def own_builder(name: str) -> Build:
    """Run the file of ``FILE.py:NAME`` and return the function that builds its detector.

    NAME is a finished `MapDetector` or `BoxDetector`, or a function without required arguments that
    returns one; its keywords are options. Exceptions of its filter or network become a `FrameError`
    of the frame that names file and line.

    Raises:
        UsageError: another form of name, a file that is not there or fails, a name that it does
            not have or that is no detector.
    """
    parts = _FORM.fullmatch(name)
    if parts is None:
        raise UsageError(f"a detector in a file of your own is named FILE.py:NAME, got {name!r}")
    path = Path(parts["file"])
    module = _run(path)
    found = getattr(module, parts["name"], None)
    if found is None:
        there = [key for key, value in vars(module).items() if isinstance(value, Made)]
        raise unknown_name(f"detector in {str(path)!r}", parts["name"], there)
    if isinstance(found, Made):
        return lambda: _guarded(found, path, name)
    _check_builder(found, parts["name"], path)

    @wraps(found)  # with its keywords
    def build(**options: object) -> Made:
        try:
            made = found(**options)
        except DeepirError:
            raise
        except Exception as error:
            raise UsageError(f"{name!r} cannot be built: {_told(error, path)}") from error
        return _guarded(made, path, name)

    return build


def _run(path: Path) -> ModuleType:
    """The module that a file makes; run anew at each call, so that an edit counts."""
    try:
        source = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read the detector's file {str(path)!r}: {reason}") from None
    module = ModuleType(str(path.absolute()))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look for their annotations
    try:
        exec(compile(source, str(path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise UsageError(f"{str(path)!r} cannot be run: {_told(error, path)}") from error
    return module


def _check_builder(found: Any, name: str, path: Path) -> None:  # noqa: ANN401
    """Refuse what is neither a detector nor a function that can be called for one."""
    try:
        parameters = inspect.signature(found).parameters.values()
    except (TypeError, ValueError):  # nothing to call, or something built in
        raise UsageError(
            f"{name!r} in {str(path)!r} is of type {type(found).__name__}, a MapDetector or a"
            " BoxDetector is wanted"
        ) from None
    needed = [one.name for one in parameters if one.default is one.empty and one.kind not in _MANY]
    if needed:
        raise UsageError(
            f"{name!r} in {str(path)!r} needs {', '.join(needed)}, so it is no detector yet; if it"
            f" is a filter, add the line DETECTOR = MapDetector({name!r}, {name}, peak_floor=...,"
            f" peak_operating=...) and name {path}:DETECTOR"
        )


_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Guarded:
    """A function from a user's file whose exceptions name the line of that file."""

    call: Callable[[Any], Any]
    path: Path

    def __call__(self, values: Any) -> Any:  # noqa: ANN401
        """What the function returns.

        Raises:
            FrameError: whatever it raised.
        """
        try:
            return self.call(values)
        except DeepirError:
            raise
        except Exception as error:
            raise FrameError(f"{str(self.path)!r} fails: {_told(error, self.path)}") from error


def _guarded(made: object, path: Path, name: str) -> Made:
    """The detector with its functions guarded.

    Raises:
        UsageError: something else, or one without a name or with thresholds that are no numbers.
    """
    if not isinstance(made, Made):
        raise UsageError(
            f"{name!r} gives a value of type {type(made).__name__}, a MapDetector or a BoxDetector"
            " is wanted"
        )
    title: object = made.name  # a user's file need not keep to types
    if not isinstance(title, str) or not title:
        raise UsageError(f"the detector {name!r} needs a name, got {title!r}")
    levels: dict[str, object] = {"floor": made.floor, "operating threshold": made.operating}
    for kind, value in levels.items():
        if not isinstance(value, Real) or not math.isfinite(value):
            raise UsageError(f"the {kind} of {name!r} is a finite number, got {value!r}")
    if isinstance(made, BoxDetector):
        return replace(made, network=Guarded(made.network, path))
    scale, unit = Guarded(made.scale, path), Guarded(made.unit, path)
    return replace(made, filter=Guarded(made.filter, path), scale=scale, unit=unit)


def _told(error: BaseException, path: Path) -> str:
    """One line on an exception, with the last line of the file that it went through."""
    lines = [
        step.lineno
        for step in traceback.extract_tb(error.__traceback__)
        if step.filename == str(path)
    ]
    text = str(error)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines, text = [error.lineno], error.msg
    reason = " ".join(text.split())[:LONGEST_REASON]
    where = f"line {lines[-1]}, " if lines else ""
    return f"{where}{type(error).__name__}{': ' if reason else ''}{reason}"
