"""Width and height that an encoded image announces, read before a decoder takes memory for them."""

from __future__ import annotations

import re
import struct

from deepir.errors import FrameError
from deepir.frames.integrity import BMP, BMP_OS2_HEADER, JPEG, JPEG_MARKER, PNG

Size = tuple[int, int]
"""Width and height in pixels."""

# Every start of a frame but the tables that share the row: Huffman, arithmetic conditioning, JPG.
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

_GAP = rb"\s(?:\s|#[^\r\n]*+[\r\n])*+"
_PGM = re.compile(rb"P[25]" + _GAP + rb"(\d{1,18})" + _GAP + rb"(\d{1,18})")


def announced_size(content: bytes) -> Size:
    """Width and height by the header of a PNG, JPEG, BMP, PGM or WebP file.

    ``content`` is the whole file.

    Raises:
        FrameError: the header does not say.

    >>> announced_size(b"P5 # a comment" + bytes([10]) + b"640 512 255 ...")
    (640, 512)
    """
    for start, read in _READERS.items():
        if content.startswith(start):
            size = read(content)
            if size is not None:
                return size
    raise FrameError("cannot be decoded: its header does not say how many pixels it has")


def _png(content: bytes) -> Size | None:
    if content[12:16] != b"IHDR":
        return None
    return _big(content, 16, 4), _big(content, 20, 4)


def _jpeg(content: bytes) -> Size | None:
    position = 2
    while marker := JPEG_MARKER.search(content, position):
        kind, position = content[marker.end() - 1], marker.end()
        if kind in _JPEG_SIZES:
            return _big(content, position + 5, 2), _big(content, position + 3, 2)
        position += _big(content, position, 2)
    return None


def _bmp(content: bytes) -> Size:
    """A negative height only turns the rows over."""
    (kind,) = struct.unpack_from("<i", content, 14)
    sides = struct.unpack_from("<HH" if kind == BMP_OS2_HEADER else "<ii", content, 18)
    return abs(sides[0]), abs(sides[1])


def _pgm(content: bytes) -> Size | None:
    found = _PGM.match(content)
    return (int(found[1]), int(found[2])) if found else None


def _webp(content: bytes) -> Size | None:
    """Of the canvas, of a lossy or of a lossless picture (RFC 9649, sections 2.5 to 2.7)."""
    kind = content[12:16]
    if kind == b"VP8X":
        return _little(content, 24, 3) + 1, _little(content, 27, 3) + 1
    if kind == b"VP8 ":
        return _little(content, 26, 2) & 0x3FFF, _little(content, 28, 2) & 0x3FFF
    if kind == b"VP8L":
        bits = _little(content, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


_READERS = {PNG: _png, JPEG: _jpeg, BMP: _bmp, b"P5": _pgm, b"P2": _pgm, b"RIFF": _webp}


def _big(content: bytes, offset: int, length: int) -> int:
    return int.from_bytes(content[offset : offset + length], "big")


def _little(content: bytes, offset: int, length: int) -> int:
    return int.from_bytes(content[offset : offset + length], "little")
