"""Packed TIFF pages that become more than they say: their decoders have no limit of their own."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from math import prod

import tifffile

from deepir.errors import FrameError

HARMLESS = 2**30
"""Bytes that a page may become at worst without being looked at before."""

DEFLATE_RATIO = 1040
"""A byte becomes 1032 at most (RFC 1951: 258 for two bits)."""

SPARE = 2**16
"""Bytes that a writer may leave behind the last row."""

_STEP = 2**20
_DICTIONARY = 2**28


def _deflated(data: bytes) -> Iterator[int]:
    unpacker = zlib.decompressobj()
    while data and not unpacker.eof:
        yield len(unpacker.decompress(data, _STEP))
        data = unpacker.unconsumed_tail


def _lzma(data: bytes) -> Iterator[int]:
    while data:  # one stream after the other
        unpacker = lzma.LZMADecompressor(memlimit=_DICTIONARY)
        piece = unpacker.decompress(data, _STEP)
        while piece:
            yield len(piece)
            piece = b"" if unpacker.eof else unpacker.decompress(b"", _STEP)
        data = unpacker.unused_data


_PIECES: dict[int, Callable[[bytes], Iterator[int]]] = {
    8: _deflated,
    32946: _deflated,
    34925: _lzma,
}
"""How many bytes come out piece by piece, by the number of the compression."""


def check_inflated(page: tifffile.TiffPage, file: tifffile.FileHandle) -> None:
    """Make sure that no strip or tile of a page becomes larger than the page itself.

    Raises:
        FrameError: one does, or it cannot be unpacked.
    """
    pieces = _PIECES.get(page.compression)
    harmless = sum(page.databytecounts) * DEFLATE_RATIO <= HARMLESS and pieces is not _lzma
    if pieces is None or harmless:
        return
    most = max(page.nbytes, prod(page.chunks) * page.nbytes // max(page.size, 1)) + SPARE
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        total = 0
        try:
            for length in pieces(file.read(count)):
                total += length
                if total > most:
                    raise FrameError(f"a strip or tile of the TIFF page becomes over {most} bytes")
        except (zlib.error, lzma.LZMAError) as error:
            raise FrameError(f"cannot unpack the TIFF page: {error}") from None
