"""What travels with a network's weights: its name and the thresholds that val chose for it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from deepir.clutter_level import ClutterLevel
from deepir.errors import DeepirError

FORMAT = "1"
"""Version of these properties; a file that states another is refused."""

SHOWN = 10
"""At most this many names in a message."""

THRESHOLDS = ("candidate_threshold", "operating_threshold")


@dataclass(frozen=True)
class Card:
    """Name and thresholds of a trained network.

    Boxes that score above ``candidate_threshold`` are candidates, those that reach
    ``operating_threshold`` are believed. ``calibration`` is a JSON object that says what scores
    mean (`deepir.calibration.Calibration`), or None. ``scene_start`` is the score up to which a
    network's judgement of the whole scene leaves scores as they are; None where it has none.
    ``clutter`` is how scores are measured against the clutter of their frame, before thresholds;
    None: not at all.

    Raises:
        DeepirError: no name, not 0 <= candidate <= operating <= 1, or a start outside [0, 1].

    >>> card = Card("oscar_nano", 0.02, 0.3)
    >>> read_card(card.properties(), "x.onnx") == card
    True
    """

    name: str
    candidate_threshold: float
    operating_threshold: float
    calibration: Mapping[str, object] | None = None
    scene_start: float | None = None
    clutter: ClutterLevel | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise DeepirError("a network needs a name, got an empty one")
        low, high = self.candidate_threshold, self.operating_threshold
        if not 0 <= low <= high <= 1:
            raise DeepirError(
                f"0 <= candidate <= operating <= 1 is wanted, got {low:g} and {high:g}"
            )
        if self.scene_start is not None and not 0 <= self.scene_start <= 1:
            raise DeepirError(f"scene_start is a score in [0, 1], got {self.scene_start:g}")

    def properties(self) -> dict[str, str]:
        """Strings to store beside the weights; `read_card` gives the same card back."""
        stored = {
            "deepir": FORMAT,
            "name": self.name,
            "candidate_threshold": repr(float(self.candidate_threshold)),
            "operating_threshold": repr(float(self.operating_threshold)),
        }
        if self.calibration is not None:
            stored["calibration"] = json.dumps(self.calibration, allow_nan=False)
        if self.scene_start is not None:
            stored["scene_start"] = repr(float(self.scene_start))
        if self.clutter is not None:
            stored["clutter"] = self.clutter.to_json()
        return stored


def read_card(properties: Mapping[str, str], source: str) -> Card:
    """Card from the properties stored in a file; ``source`` names it in errors.

    Raises:
        DeepirError: a property is missing or does not fit, or the format is another one.
    """
    if "deepir" not in properties:
        raise DeepirError(
            f"{source} holds no network of deepir: its properties are {_some(properties)},"
            " 'deepir' is wanted; only networks that deepir exported can be run"
        )
    if properties["deepir"] != FORMAT:
        raise DeepirError(
            f"{source} has format {properties['deepir']!r:.40}, this deepir reads {FORMAT!r}:"
            " another version of deepir wrote it"
        )
    missing = [key for key in ("name", *THRESHOLDS) if key not in properties]
    if missing:
        raise DeepirError(f"{source} lacks the property {missing[0]!r}; export it again")
    try:
        low, high = (float(properties[key]) for key in THRESHOLDS)
        start = float(properties["scene_start"]) if "scene_start" in properties else None
        calibration = _calibration(properties.get("calibration"))
        clutter = properties.get("clutter")
        level = None if clutter is None else ClutterLevel.from_json(clutter)
        return Card(properties["name"], low, high, calibration, start, level)
    except ValueError as error:
        raise DeepirError(f"the properties of {source} do not fit: {error!s:.200}") from None


def _some(properties: Mapping[str, str]) -> str:
    """The first few names."""
    names = sorted(properties)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{[name[:40] for name in names[:SHOWN]]}{more}"


def _calibration(text: str | None) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        value = json.loads(
            text, object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite
        )
    except RecursionError:
        raise DeepirError("calibration is a plain JSON object, got one nested too deep") from None
    if not isinstance(value, dict):
        raise DeepirError(f"calibration is a JSON object, got {text[:60]!r}")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"calibration holds {text[:60]!r}, finite numbers are wanted")
    return number


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON, no name of which stands there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"calibration holds {twice[:60]!r} twice")
    return found
