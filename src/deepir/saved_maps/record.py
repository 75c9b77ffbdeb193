"""What stands beside saved maps: who made them, how they are read, and of which frame each is."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from deepir import __version__
from deepir.choices import MapFormat
from deepir.errors import DeepirError
from deepir.map_detector import MapDetector, Scale
from deepir.readout import clutter_ratio, robust_z
from deepir.structures import Image

RECORD = "maps.json"
"""Name of the record; a note ends in ``.npy.json`` or ``.png.json``, so that no id can take it."""

OWN_SCALE = "own"
SCALES: dict[str, Scale] = {"clutter_ratio": clutter_ratio, "robust_z": robust_z}
"""Ways from maps to scores that a record can name."""

PROBE_SHAPE = (64, 80)
PROBE_NUMBERS = 8
SAME = 1e-6
"""Probes that differ by a smaller share are the same: other processors round otherwise."""

_Model = TypeVar("_Model", bound=BaseModel)


class Maker(BaseModel):
    """What a map depends on, beside its frame.

    ``options`` are those of the filter beside its mode. ``probe`` are numbers that the map of a
    test frame comes to, so that a change of the code itself, or an option that nobody told, shows.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    deepir: str
    detector: str
    mode: str
    options: dict[str, Any]
    probe: Annotated[list[FiniteFloat], Field(min_length=PROBE_NUMBERS, max_length=PROBE_NUMBERS)]

    @classmethod
    def of(cls, detector: MapDetector) -> Maker:
        """The maker that a detector is now.

        Raises:
            FrameError: a detector that cannot take a frame of 80x64 pixels.
        """
        return cls(
            deepir=__version__,
            detector=detector.name,
            mode=detector.mode,
            options=json.loads(json.dumps(dict(detector.options), default=str)),
            probe=probe(detector),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 that notes state, so that a file of another folder is found out."""
        text = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def difference(self, other: Maker) -> str | None:
        """Why maps of this maker are not those of another, None where they are."""
        for name in ("deepir", "detector", "mode", "options"):
            here, there = getattr(self, name), getattr(other, name)
            if here != there:
                return f"made with {name} {here!r}, this is {there!r}"
        if not np.allclose(
            self.probe, other.probe, rtol=0.0, atol=SAME * np.max(np.abs(self.probe))
        ):
            return "made by code or options that give another map of a test frame than today's"
        return None


class Record(BaseModel):
    """All that the maps of a folder have in common.

    ``floor``, ``operating_threshold`` and ``top_k`` are of the peak read-out of the last run that
    saved into the folder; ``scale`` makes scores of maps: one of `SCALES`, or
    the detector's ``own``.
    """

    model_config = ConfigDict(strict=True)

    version: Literal[1] = 1
    made_by: Maker
    format: MapFormat
    scale: str
    floor: FiniteFloat
    operating_threshold: FiniteFloat
    top_k: int

    @classmethod
    def of(cls, detector: MapDetector, form: MapFormat) -> Record:
        """Record of what a detector saves now."""
        # What guards a user's function holds it as `call`.
        scale = getattr(detector.scale, "call", detector.scale)
        named = [name for name, one in SCALES.items() if one is scale]
        return cls(
            made_by=Maker.of(detector),
            format=form,
            scale=named[0] if named else OWN_SCALE,
            floor=float(detector.peak_floor),
            operating_threshold=float(detector.peak_operating),
            top_k=detector.top_k,
        )


class Note(BaseModel):
    """Of one map: its frame, its maker, its file, and what the making of it told.

    ``image`` and ``file`` are SHA-256 sums of the frame's levels and of the map's file.
    """

    model_config = ConfigDict(strict=True)

    id: str
    made_by: str
    image: str
    file: str
    milliseconds: FiniteFloat
    diagnostics: dict[str, str | int | float | None]


def probe(detector: MapDetector) -> list[float]:
    """Numbers that the map of a test frame comes to: its mean, and sums of it under some waves.

    The frame has a slope, an edge, structure, a target inside and one at the border.
    """
    height, width = PROBE_SHAPE
    y, x = np.mgrid[:height, :width]
    frame = 900 + 2.0 * x + 60 * (y > 40) + np.rint(12 * np.sin(x * 2.3 + y * y * 0.7))
    frame[18:21, 50:53] += 300
    frame[0:2, 20:22] += 200
    values = detector.saliency(frame).ravel()
    places = np.arange(values.size)
    return [
        float(values @ np.cos(0.7548776662 * number * places)) / values.size
        for number in range(PROBE_NUMBERS)
    ]


def image_sum(image: Image) -> str:
    """SHA-256 of a frame's levels, shape and depth.

    >>> image_sum(np.zeros((2, 3))) == image_sum(np.zeros((3, 2)))
    False
    """
    head = f"{image.dtype.str} {image.shape} "
    return hashlib.sha256(head.encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def file_sum(content: bytes) -> str:
    """SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def read_model(path: Path, form: type[_Model]) -> _Model:
    """A record or note from its file.

    Raises:
        DeepirError: it cannot be read or is none.
    """
    try:
        return form.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DeepirError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise DeepirError(f"{str(path)!r} is damaged: {place}: {first['msg']}") from None
