"""Is an encoded image whole? Decoders fill what is missing with grey and say nothing."""

from __future__ import annotations

import re
import zlib

from deepir.errors import FrameError

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
BMP = b"BM"

# In entropy-coded JPEG data ff 00 is a stuffed byte, ff d0 to ff d7 are restart marks and ff ff is
# filling; every other marker ends the scan.
JPEG_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_JPEG_END = 0xD9

_BMP_UNPACKED = (0, 3, 6)  # plain rows, with colour masks, with an opacity mask
_BMP_SMALLEST, BMP_OS2_HEADER = 26, 12


def check_complete(content: bytes) -> None:
    """Make sure that a PNG, JPEG or BMP file is there to its end; other content passes.

    ``content`` is the whole file.

    Raises:
        FrameError: the file is cut off, or a checksum of it is wrong.
    """
    if content.startswith(PNG):
        _check_png(content)
    elif content.startswith(JPEG):
        _check_jpeg(content)
    elif content.startswith(BMP):
        _check_bmp(content)


def _check_png(content: bytes) -> None:
    """Walk length, kind, data and CRC of each chunk to the end mark."""
    position, kind = len(PNG), b""
    while kind != b"IEND":
        length = int.from_bytes(content[position : position + 4], "big")
        kind = content[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(content):
            raise FrameError(f"the PNG file is cut off after {len(content)} bytes")
        stored = int.from_bytes(content[end - 4 : end], "big")
        if zlib.crc32(memoryview(content)[position + 4 : end - 4]) != stored:
            raise FrameError(f"the PNG file is damaged: wrong checksum in its chunk {kind!r}")
        position = end


def _check_jpeg(content: bytes) -> None:
    """Walk the segments and scans to the end mark; what a camera appends after it may stay."""
    cut = FrameError(f"the JPEG file is cut off after {len(content)} bytes")
    position = 2
    while marker := JPEG_MARKER.search(content, position):
        kind, position = content[marker.end() - 1], marker.end()
        if kind == _JPEG_END:
            return
        length = int.from_bytes(content[position : position + 2], "big")
        if length < 2 or position + length > len(content):
            break
        position += length
    raise cut


def _check_bmp(content: bytes) -> None:
    """Compare the file with the size that its rows need, or for packed rows with what it says."""
    if len(content) < _BMP_SMALLEST:
        raise FrameError(f"the BMP file is cut off after {len(content)} bytes")
    start = _little(content, 10, 4)
    if _little(content, 14, 4) == BMP_OS2_HEADER:
        size = _rows(_little(content, 18, 2), _little(content, 20, 2), _little(content, 24, 2))
    elif _little(content, 30, 4) in _BMP_UNPACKED:
        size = _rows(_little(content, 18, 4), _little(content, 22, 4), _little(content, 28, 2))
    else:
        size = _little(content, 34, 4)
    if start + size > len(content):
        raise FrameError(
            f"the BMP file is cut off: {len(content)} bytes of the {start + size} it announces"
        )


def _rows(width: int, height: int, bits: int) -> int:
    """Bytes of all rows, each padded to four bytes; a negative height only turns them over."""
    return (width * bits + 31) // 32 * 4 * abs(height)


def _little(content: bytes, offset: int, length: int) -> int:
    return int.from_bytes(content[offset : offset + length], "little", signed=length == 4)
