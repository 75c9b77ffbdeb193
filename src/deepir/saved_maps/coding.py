"""One map as the bytes of a file, and back.

A PNG holds levels of 0 to 65535. A map of whole numbers takes one level each, and is exact. Other
maps have heavy tails: the background of MPCM's takes less than a hundred-thousandth of its range,
so even steps would make one level of it. Steps grow with the distance from the median instead, by
an inverse hyperbolic sine: even within a robust deviation, beyond it a fixed share (about 1e-4) of
that distance. Zero and every sign stay, since the published read-out clips there.
"""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from deepir.choices import MapFormat
from deepir.errors import FrameError
from deepir.frames import read_image
from deepir.frames.reasons import reason
from deepir.readout import robust_spread
from deepir.structures import Image

Floats = NDArray[np.float64]

TOP_LEVEL = 65535
"""Of a PNG of 16 bits."""

KEYWORD = b"deepir-map"
"""Of the text chunk that holds the scale as JSON."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEAD = 33  # bytes of the signature and of the first chunk, the header


@dataclass(frozen=True)
class Steps:
    """What a level of a PNG stands for: ``offset + step * level``."""

    offset: float
    step: float

    def levels(self, values: Floats) -> NDArray[np.uint16]:
        """Nearest level of each value."""
        return _clipped(np.rint((values - self.offset) / self.step))

    def values(self, levels: NDArray[Any]) -> Floats:
        """Value of each level."""
        return self.offset + self.step * levels.astype(np.float64)


@dataclass(frozen=True)
class Curve:
    """The same with steps that grow: ``median + spread * sinh((level - zero) * step)``.

    Level 0 is kept for the value 0.

    >>> values = np.array([[-2.5, 0.0, 0.1, 0.1, 1e6]])
    >>> curve = Curve.over(values)
    >>> np.allclose(curve.values(curve.levels(values)), values, rtol=2e-4)
    True
    """

    median: float
    spread: float
    zero: float
    step: float

    @classmethod
    def over(cls, values: Floats) -> Curve:
        """The finest curve that holds all of a finite map (H, W)."""
        median, spread = robust_spread(values)
        spread = spread or float(np.abs(values - median).max()) or 1.0
        bent = np.arcsinh((values - median) / spread)
        low, high = float(bent.min()), float(bent.max())
        step = (high - low) / (TOP_LEVEL - 5) or 1.0
        return cls(median, spread, round(3 - low / step), step)

    def levels(self, values: Floats) -> NDArray[np.uint16]:
        """Nearest level of each value that has its sign."""
        bent = np.arcsinh((values - self.median) / self.spread)
        level = self.zero + np.rint(bent / self.step)
        sign = np.sign(values)
        level += sign * (np.sign(self._at(level)) != sign)
        return _clipped(np.where(values == 0, 0, level))

    def values(self, levels: NDArray[Any]) -> Floats:
        """Value of each level; those of 0 and of the median are exact."""
        level = levels.astype(np.float64)
        return np.where(level == 0, 0.0, self._at(level))

    def _at(self, level: Floats) -> Floats:
        with np.errstate(over="ignore"):  # of a scale that somebody made up: infinite, and refused
            value: Floats = self.median + self.spread * np.sinh((level - self.zero) * self.step)
        return value


def _clipped(level: Floats) -> NDArray[np.uint16]:
    kept: NDArray[np.uint16] = np.clip(level, 0, TOP_LEVEL).astype(np.uint16)
    return kept


def scale_for(values: Floats) -> Steps | Curve:
    """How the levels of a finite map (H, W) are spaced: exactly where it holds whole numbers.

    >>> scale_for(np.array([[-3.0, 4.0]]))
    Steps(offset=-3.0, step=1.0)
    """
    low, high = float(values.min()), float(values.max())
    whole = high - low <= TOP_LEVEL and np.array_equal(values, np.rint(values))
    return Steps(low, 1.0) if whole else Curve.over(values)


def encoded(values: Floats, form: MapFormat) -> bytes:
    r"""A finite map (H, W) as the bytes of a file.

    >>> encoded(np.zeros((2, 3)), "npy")[:6]
    b'\x93NUMPY'
    """
    if form == "npy":
        stream = io.BytesIO()
        np.save(stream, values.astype(np.float64, copy=False), allow_pickle=False)
        return stream.getvalue()
    scale = scale_for(values)
    _, image = cv2.imencode(".png", scale.levels(values))
    content = image.tobytes()
    text = KEYWORD + b"\0" + json.dumps(asdict(scale)).encode()
    return content[:_HEAD] + _chunk(b"tEXt", text) + content[_HEAD:]


def read_levels(path: Path, shape: tuple[int, ...]) -> Image:
    """Numbers of a map or mask for a frame of ``shape`` (H, W), in the depth of its file.

    A PNG with our scale comes as float64 in the units of its filter. NaN may be among them.

    Raises:
        FrameError: damaged, cut off, another shape or no real numbers.
    """
    if path.suffix.lower() == ".npy":
        return _npy(path, shape)
    levels = read_image(path)
    _check_shape(path, levels.shape, shape)
    scale = _scale(path)
    return levels if scale is None else scale.values(levels)


def _npy(path: Path, shape: tuple[int, ...]) -> Image:
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # numpy evaluates the header: nearly any exception can come of it
        raise FrameError(f"cannot read the map {str(path)!r}: {reason(error)}") from None
    _check_shape(path, array.shape, shape)
    if array.dtype.kind not in "buif":
        raise FrameError(f"a map holds real numbers, {str(path)!r} has dtype {array.dtype}")
    return np.array(array, order="C", subok=False)


def _check_shape(path: Path, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if found != wanted:
        raise FrameError(f"the map {str(path)!r} has shape {found}, its frame {wanted} (H, W)")


def _scale(path: Path) -> Steps | Curve | None:
    """Scale that a PNG carries; None where it carries none."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD + 8 + len(KEYWORD))
        if not head.startswith(_SIGNATURE) or not head.endswith(b"tEXt" + KEYWORD):
            return None
        length = int.from_bytes(head[_HEAD : _HEAD + 4], "big")
        text = stream.read(length - len(KEYWORD))[1:]
    try:
        parts = json.loads(text)
        form = Steps if "offset" in parts else Curve
        found = form(**{name: float(value) for name, value in parts.items()})
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        found = None
    if found is None or not np.isfinite(list(asdict(found).values())).all():
        raise FrameError(f"the scale in the PNG {str(path)!r} is damaged: {text[:60]!r}")
    return found


def _chunk(kind: bytes, content: bytes) -> bytes:
    """Chunk of a PNG: length, kind, content, check sum (PNG specification, section 5.3)."""
    body = kind + content
    return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
