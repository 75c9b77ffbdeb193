"""Boxes of a Pascal VOC annotation file."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from deepir.errors import DeepirError, FrameError
from deepir.structures import Boxes, as_boxes

SIDES = ("xmin", "ymin", "xmax", "ymax")


def read_voc_boxes(path: Path, *, origin: int) -> Boxes:
    """Boxes (N, 4) of one XML file, half-open pixels from 0.

    ``origin`` is the number that the file gives to the first pixel edge (1 in SIRST-V2); it is
    taken off every side. An ``object`` without ``bndbox`` is no box; none at all gives (0, 4).

    Raises:
        FrameError: the file is missing, or a coordinate lies beyond any frame.
        DeepirError: it is no XML, holds entities, or a word where a number should be.
    """
    try:
        root = fromstring(path.read_bytes())
    except OSError as error:
        raise FrameError(f"no annotation at {str(path)!r} ({error.strerror})") from None
    except (ParseError, ValueError, LookupError) as error:
        reason = "entities are refused" if isinstance(error, DefusedXmlException) else error
        raise DeepirError(f"annotation {str(path)!r} is no usable XML: {reason}") from None
    found = (item.find("bndbox") for item in root.iter("object"))
    return as_boxes([_box(item, path, origin) for item in found if item is not None])


def _box(item: Element, path: Path, origin: int) -> list[float]:
    return [_number(item.findtext(side), side, path) - origin for side in SIDES]


def _number(text: str | None, side: str, path: Path) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DeepirError(f"annotation {str(path)!r} has {text!r} for {side}, a number is wanted")
    return value
