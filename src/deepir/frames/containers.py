"""Do video files reach as far as their containers say? Read from the container, not the frames.

The number of frames in a header is an estimate in most containers (duration times mean rate) and
counts frames that a player drops on purpose, so fewer frames than promised prove nothing. The
length in bytes is exact: a file that is shorter than the AVI, Matroska or MP4 structure around it
has lost its end. A recording that was never closed says no length, nor do MPEG streams and WMV
(whose last frame may be torn, too): those end where they end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_RIFF_OPEN = (0, 0xFFFFFFFF)
# Some writers count the eight bytes of the RIFF header in; no frame hides in the difference.
_RIFF_SLACK = 8
_MP4_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")


def missing_bytes(path: Path) -> int | None:
    """How many bytes the file lacks by its own container; 0 where that is whole or still open.

    None for a container that does not say how long it is.

    Raises:
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[:4] == b"RIFF":
            ends = _riff_ends(stream)
        elif head[:4] == _EBML:
            ends = _matroska_ends(stream)
        elif head[4:8] in _MP4_FIRST:
            ends = _mp4_ends(stream, size)
        else:
            return None
        return max(max(ends, default=0) - size, 0)


def _riff_ends(stream: BinaryIO) -> Iterator[int]:
    """Where each RIFF chunk ends; files beyond 2 GB have several."""
    position = 0
    while True:
        stream.seek(position)
        header = stream.read(8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] != b"RIFF" or length in _RIFF_OPEN:
            return
        yield position + 8 + length - _RIFF_SLACK
        position += 8 + length + length % 2


def _matroska_ends(stream: BinaryIO) -> Iterator[int]:
    """Where the segment, that is all frames, ends; nothing for a live stream of unknown length."""
    stream.seek(0)
    while name := _vint(stream, keep_marker=True):
        length = _vint(stream, keep_marker=False)
        if length is None:
            return
        if name.to_bytes(4, "big") == _SEGMENT:
            yield stream.tell() + length
            return
        stream.seek(length, 1)


def _vint(stream: BinaryIO, *, keep_marker: bool) -> int | None:
    """One variable-length number of EBML (RFC 8794, section 4), None where it says "unknown"."""
    first = stream.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + stream.read(width - 1), "big")
    if keep_marker:
        return value if width <= 4 else None
    value -= 1 << (7 * width)
    return None if value == (1 << (7 * width)) - 1 else value


def _mp4_ends(stream: BinaryIO, size: int) -> Iterator[int]:
    """Where each box at the top ends (ISO 14496-12, section 4.2)."""
    position = 0
    while position + 8 <= size:
        stream.seek(position)
        header = stream.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:], "big")
        # A box of length 0 reaches to the end; what has no name of letters is not a box.
        if length < 8 or not header[4:8].isalnum():
            return
        position += length
        yield position
