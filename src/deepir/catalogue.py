"""Detectors by name."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, cast, get_args

import numpy as np

from deepir import classical, networks
from deepir.box_detector import BoxDetector
from deepir.choices import ReadOut
from deepir.detector import Detector
from deepir.errors import DeepirError, UsageError, unknown_name
from deepir.map_detector import MapDetector
from deepir.own_detectors import Build, is_own, own_builder
from deepir.weights import packaged

CATALOGUE: dict[str, Callable[..., MapDetector | BoxDetector]] = {
    **classical.CATALOGUE,
    **networks.CATALOGUE,
}

COMMON_OPTIONS = ("read_out", "threshold", "top_k")
"""Options that every detector takes beside its own."""


def load_detector(name: str, **options: object) -> Detector[Any]:
    """Build a detector of the catalogue or of a file of your own, ready to ``detect``.

    ``name`` in any case, words joined by ``_``, ``-`` or nothing; or ``FILE.py:NAME``, which runs
    that file and takes the detector of that name (docs/own-detector.md). Options that all take:
    ``read_out`` ("peak", the default, or "published"), ``threshold`` (what `detect` returns;
    default: the detector's operating threshold) and ``top_k`` (candidates a frame); the others
    are the keywords of the detector's function in the catalogue, such as ``mode`` of a filter,
    or ``weights`` (a path), ``engine`` and ``false_alarms_per_frame`` of a network.

    Raises:
        UsageError: an unknown name, option or choice (the message names the known ones), or a file
            of your own that fails or holds no such detector.
        DeepirError: a network whose weights are not there or cannot be used.

    >>> load_detector("lcm", mode="reference").name
    'lcm'
    """
    build = own_builder(name) if is_own(name) else CATALOGUE[find_name(name)]
    known = _keywords(build)
    for option in options:
        if option not in (*known, *COMMON_OPTIONS):
            raise unknown_name(f"option of {name!r}", option, (*known, *COMMON_OPTIONS))
    _check_common(options)
    try:
        detector = build(**{key: value for key, value in options.items() if key in known})
        if not is_own(name):  # whose filter may need more than one pixel
            detector.respond(np.ones((1, 1)))  # an option that does not fit shows here, not later
    except DeepirError:
        raise
    except (TypeError, ValueError) as error:
        raise UsageError(f"an option of {name!r} does not fit: {error}") from error
    told = {key: options[key] for key in COMMON_OPTIONS if options.get(key) is not None}
    if isinstance(detector, MapDetector):
        told["options"] = {key: options[key] for key in known if key in options and key != "mode"}
    return replace(detector, **cast(dict[str, Any], told))


def own_options(name: str) -> tuple[str, ...]:
    """Options of a detector (by its exact name) beside `COMMON_OPTIONS`.

    >>> own_options("oscar_nano")
    ('weights', 'engine', 'scene', 'false_alarms_per_frame')
    """
    return _keywords(CATALOGUE[name])


def is_ready(name: str) -> bool:
    """Whether a detector (by its exact name) can be loaded without naming weights.

    >>> is_ready("mpcm")
    True
    """
    return name not in networks.CATALOGUE or packaged(name) is not None


def find_name(name: str) -> str:
    """Name in the catalogue for a user's spelling; ``FILE.py:NAME`` stays as it is.

    Raises:
        UsageError: no such detector, with the nearest one.

    >>> find_name("Top-Hat")
    'top_hat'
    """
    if is_own(name):
        return name
    plain = {_letters(known): known for known in CATALOGUE}
    if _letters(name) not in plain:
        raise unknown_name("detector", name, CATALOGUE)
    return plain[_letters(name)]


def _keywords(build: Build) -> tuple[str, ...]:
    """Names of a builder's options."""
    parameters = inspect.signature(build).parameters.values()
    return tuple(
        one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    )


def _check_common(options: Mapping[str, object]) -> None:
    """Refuse values that no detector takes.

    Raises:
        UsageError: the first one that does not fit.
    """
    read_out, top_k = options.get("read_out", "peak"), options.get("top_k", 1)
    if read_out not in get_args(ReadOut):
        raise unknown_name("read-out", str(read_out), get_args(ReadOut))
    if not isinstance(top_k, Integral) or top_k < 1:
        raise UsageError(f"top_k is a whole number of candidates, at least 1, got {top_k!r}")
    threshold, budget = options.get("threshold"), options.get("false_alarms_per_frame")
    for option, value in (("threshold", threshold), ("false_alarms_per_frame", budget)):
        if value is not None and not _is_finite(value):
            raise UsageError(f"{option} is a finite number, got {value!r}")
    if threshold is not None and budget is not None:
        raise UsageError(
            f"threshold {threshold} and false_alarms_per_frame {budget} both say what is returned:"
            " leave one out"
        )


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _letters(name: str) -> str:
    return name.lower().translate(str.maketrans("", "", "_- "))
