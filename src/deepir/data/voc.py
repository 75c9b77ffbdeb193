"""Annotation files as Pascal VOC introduced them, boxes of an XML file, read and written.

What the numbers of a box mean differs from toolkit to toolkit; `Corners` says which it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from deepir.data.listing import read_limited
from deepir.errors import DeepirError, FrameError
from deepir.structures import Boxes, Sample, as_boxes

SIDES = ("xmin", "ymin", "xmax", "ymax")
MOST_XML_BYTES = 2**22


@dataclass(frozen=True)
class Corners:
    """How a file counts: ``origin`` is the number of the first pixel.

    ``inclusive``: the upper sides name the last pixel that belongs to the box, not the one after.
    """

    origin: int
    inclusive: bool = False

    @property
    def _added(self) -> tuple[int, int, int, int]:
        upper = self.origin - self.inclusive
        return (self.origin, self.origin, upper, upper)

    def stored(self, box: list[float]) -> list[float]:
        """Numbers of the file for a box in half-open pixels from 0.

        >>> Corners(1, inclusive=True).stored([0, 0, 2, 1])
        [1, 1, 2, 1]
        """
        return [side + added for side, added in zip(box, self._added, strict=True)]

    def box(self, stored: list[float]) -> list[float]:
        """Box in half-open pixels from 0 for the numbers of a file."""
        return [number - added for number, added in zip(stored, self._added, strict=True)]

    def keeps(self, boxes: Boxes) -> bool:
        """Whether boxes (N, 4) come back from a file exactly; whole pixels always do."""
        read = as_boxes([self.box(self.stored(box)) for box in boxes.tolist()])
        return np.array_equal(read, boxes)


HALF_OPEN_FROM_1 = Corners(1)
"""SIRST-V2 counts so."""


@dataclass(frozen=True)
class Annotation:
    """One XML file: ``boxes`` (N, 4), half-open pixels from 0; the other fields as they stand.

    ``size`` is width and height, None where the file does not say; ``classes`` are the names of
    the objects that have a box.
    """

    boxes: Boxes
    size: tuple[int, int] | None
    classes: tuple[str, ...]


def read_voc_boxes(path: Path, *, origin: int) -> Boxes:
    """Boxes (N, 4) of one XML file whose boxes are half-open, in half-open pixels from 0.

    ``origin`` is the number that the file gives to the first pixel edge (1 in SIRST-V2); it is
    taken off every side. An ``object`` without ``bndbox`` is no box; none at all gives (0, 4).

    Raises:
        FrameError: the file is missing, or a coordinate lies beyond any frame.
        DeepirError: it is no XML, holds entities, or a word where a number should be.
    """
    return read_annotation(path, Corners(origin)).boxes


def read_annotation(path: Path, corners: Corners) -> Annotation:
    """Read one XML file; errors as `read_voc_boxes`."""
    root = _parsed(path)
    found = list(_boxed(root))
    boxes = [corners.box([_number(box, side, path) for side in SIDES]) for _, box in found]
    classes = tuple((item.findtext("name") or "").strip() for item, _ in found)
    return Annotation(as_boxes(boxes), _size(root), classes)


def _boxed(root: Element) -> Iterator[tuple[Element, Element]]:
    for item in root.iter("object"):
        box = item.find("bndbox")
        if box is not None:
            yield item, box


def _parsed(path: Path) -> Element:
    try:
        root: Element = fromstring(read_limited(path, MOST_XML_BYTES))
    except DeepirError:
        raise
    except OSError as error:
        raise FrameError(f"no annotation at {str(path)!r} ({error.strerror})") from None
    except (ParseError, ValueError, LookupError) as error:
        reason = "entities are refused" if isinstance(error, DefusedXmlException) else error
        raise DeepirError(f"annotation {str(path)!r} is no usable XML: {reason}") from None
    return root


def _number(item: Element, side: str, path: Path) -> float:
    text = item.findtext(side)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DeepirError(f"annotation {str(path)!r} has {text!r} for {side}, a number is wanted")
    return value


def _size(root: Element) -> tuple[int, int] | None:
    """Width and height; some tools write 0, which says nothing."""
    texts = [(root.findtext(f"size/{side}") or "").strip() for side in ("width", "height")]
    if not all(text.isdecimal() and len(text) < 10 and int(text) for text in texts):
        return None
    width, height = map(int, texts)
    return width, height


def annotation_xml(
    sample: Sample, corners: Corners, *, target: str, filename: str, folder: str = ""
) -> bytes:
    """XML file of a sample, every box an object called ``target``.

    With a ``folder`` it has the fields of Pascal VOC, without one those of SIRST-V2.
    """
    root = Element("annotation")
    if folder:
        SubElement(root, "folder").text = folder
    SubElement(root, "filename").text = filename
    size = SubElement(root, "size")
    height, width = sample.image.shape
    for name, value in (("width", width), ("height", height), ("depth", 1)):
        SubElement(size, name).text = str(value)
    for box in sample.boxes.tolist():
        item = SubElement(root, "object")
        SubElement(item, "name").text = target
        for flag in ("truncated", "difficult") if folder else ():  # many readers ask for them
            SubElement(item, flag).text = "0"
        bounds = SubElement(item, "bndbox")
        for side, number in zip(SIDES, corners.stored(box), strict=True):
            SubElement(bounds, side).text = number_text(number)
    indent(root)
    return tostring(root, encoding="unicode").encode()


def number_text(number: float) -> str:
    """The shortest text that reads as the same number; whole numbers without a point.

    >>> number_text(3.0), number_text(0.1)
    ('3', '0.1')
    """
    return str(int(number)) if number == int(number) else repr(number)
