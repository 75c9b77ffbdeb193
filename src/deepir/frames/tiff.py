"""TIFF files page by page: scientific stacks, ImageJ stacks, any depth."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import tifffile

from deepir.errors import FrameError, UsageError
from deepir.frames.inflating import check_inflated
from deepir.frames.limits import check_pixels
from deepir.frames.quiet import quiet
from deepir.frames.reasons import reason
from deepir.structures import Image, check_image

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MOST_VALUES = 8
"""Of a pixel; tifffile takes memory for all of them before one is looked at."""

# Bytes a value of each type (TIFF 6.0 and BigTIFF); text is left out, no pixel depends on it.
_TYPE_BYTES = {1: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_PRIVATE_TAGS = 32768

_LUMA = (0.299, 0.587, 0.114)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2


def tiff_frames(path: Path) -> Iterator[tuple[int | None, Image | FrameError]]:
    """Number and frame of each page, one in memory at a time; the number of an only page is None.

    Colour becomes grey at its own depth; reduced copies of a page (pyramids, thumbnails) are left
    out. A page that cannot be read comes as the error that says so.

    Raises:
        FrameError: the file is no TIFF file, or after the last good page: its list of pages is
            cut off.
    """
    with _opened(path) as tiff:
        plan = _planned(tiff, path)
        for number, index in enumerate(plan.indices):
            yield (None if plan.is_still else number), _outcome(plan.read, index)
        if not plan.whole:
            raise FrameError(f"the TIFF file is cut off after {len(plan.indices)} frames")


def tiff_count(path: Path) -> int:
    """Number of frames by the list of pages alone.

    Raises:
        FrameError: the file is no TIFF file.
    """
    with _opened(path) as tiff:
        return len(_planned(tiff, path).indices)


@dataclass(frozen=True)
class _Plan:
    """Which pages or planes are frames, how to read one, and whether all that belong are there."""

    indices: Sequence[int]
    read: Callable[[int], Image]
    whole: bool

    @property
    def is_still(self) -> bool:
        return self.whole and len(self.indices) == 1


@contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise FrameError(f"cannot read the TIFF file: {reason(error)}") from None
    with stream:
        yield _parsed(stream)


def _parsed(stream: BinaryIO) -> tifffile.TiffFile:
    try:
        # A stream, not a name: so tifffile cannot follow an OME file into the files beside it.
        tiff = tifffile.TiffFile(stream)
        pages = len(tiff.pages)
    except Exception as error:  # a damaged list of tags fails in any way
        raise FrameError(f"cannot read the TIFF file: {reason(error)}") from None
    if pages == 0:
        raise FrameError("the TIFF file holds no page, it may be cut off")
    return tiff


def _planned(tiff: tifffile.TiffFile, path: Path) -> _Plan:
    try:
        pages = len(tiff.pages)
        if pages == 1 and (promised := _promised_planes(tiff)) > 1:
            present = _present_planes(tiff)
            planes = range(min(promised, present))
            return _Plan(planes, partial(_contiguous_plane, tiff), promised <= present)
        full = [index for index in range(pages) if not _is_copy(tiff, index)]
        read = partial(_page_plane, tiff, path)
        return _Plan(full or range(pages), read, _list_is_whole(tiff))
    except Exception as error:  # what ImageJ and others wrote beside the pages is free text
        raise FrameError(f"cannot read the TIFF file: {reason(error)}") from None


def _present_planes(tiff: tifffile.TiffFile) -> int:
    page = tiff.pages.first
    return int((tiff.filehandle.size - page.dataoffsets[0]) // max(page.nbytes, 1))


def _promised_planes(tiff: tifffile.TiffFile) -> int:
    """Planes behind a single page by what ImageJ or tifffile wrote into its description.

    Read here, because tifffile drops the promise without a word where a cut file breaks it.
    """
    page = tiff.pages.first
    if not page.is_contiguous:
        return 1
    if tiff.imagej_metadata is not None:
        return int(tiff.imagej_metadata.get("images", 1))
    shaped = tiff.shaped_metadata
    return prod(shaped[0]["shape"]) // max(page.size, 1) if shaped else 1


def _is_copy(tiff: tifffile.TiffFile, index: int) -> bool:
    """Whether a page is a smaller copy or a mask of another one."""
    try:
        page = tiff.pages.get(index)
    except Exception:  # said when the page is read
        return False
    return isinstance(page, tifffile.TiffPage) and (page.is_reduced or page.is_mask)


def _list_is_whole(tiff: tifffile.TiffFile) -> bool:
    """Whether the chain of pages ends with the mark of its end; tifffile takes any end."""
    position = tiff.pages.next_page_offset
    if position is None:
        return False
    tiff.filehandle.seek(position)
    end = tiff.filehandle.read(tiff.tiff.offsetsize)
    return len(end) == tiff.tiff.offsetsize and not any(end)


def _outcome(read: Callable[[int], Image], index: int) -> Image | FrameError:
    try:
        return check_image(read(index))
    except UsageError:  # the limit itself, not what is compared with it
        raise
    except FrameError as error:
        return error
    except Exception as error:  # a damaged page fails in any way
        return FrameError(f"cannot decode the TIFF page: {reason(error)}")


def _contiguous_plane(tiff: tifffile.TiffFile, index: int) -> Image:
    page = tiff.pages.first
    _check_size(page)
    tiff.filehandle.seek(page.dataoffsets[0] + index * page.nbytes)
    content = tiff.filehandle.read(page.nbytes)
    levels = np.frombuffer(content, dtype=_dtype(page).newbyteorder(tiff.byteorder))
    return _grey_page(page, levels.reshape(page.shape))


def _page_plane(tiff: tifffile.TiffFile, path: Path, index: int) -> Image:
    page = tiff.pages.get(index)
    assert isinstance(page, tifffile.TiffPage)
    _check_tags(tiff, page.offset)
    _check_size(page)
    _check_data(page, tiff.filehandle.size)
    check_inflated(page, tiff.filehandle)
    if page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        try:
            return _grey_page(page, np.asarray(page.asarray()))
        except ValueError:
            pass  # a compression that tifffile has no codec for, as LZW: to OpenCV below
    elif _dtype(page).itemsize > 1:
        # OpenCV turns other colours into 8 bits and says nothing.
        raise FrameError(f"cannot read colours {page.photometric!r} of more than 8 bits")
    return _by_opencv(path, index)


def _dtype(page: tifffile.TiffPage) -> np.dtype[np.generic]:
    if page.dtype is None:
        raise FrameError(
            f"pixels of {page.bitspersample} bits in format {page.sampleformat} are unknown"
        )
    return page.dtype


def _check_tags(tiff: tifffile.TiffFile, offset: int) -> None:
    """Make sure that what describes the pixels is in the file: tifffile assumes what is not."""
    form, stream = tiff.tiff, tiff.filehandle
    stream.seek(offset)
    (count,) = struct.unpack(form.tagnoformat, stream.read(form.tagnosize))
    for entry in struct.iter_unpack(
        form.tagformat1 + form.tagformat2[1:], stream.read(count * form.tagsize)
    ):
        code, kind, length, inline = entry
        size = length * _TYPE_BYTES.get(kind, 0)
        if code >= _PRIVATE_TAGS or size <= len(inline):
            continue
        (start,) = struct.unpack(form.offsetformat, inline)
        if start + size > stream.size:
            raise FrameError(f"the TIFF file is cut off in tag {code} of the page")


def _check_size(page: tifffile.TiffPage) -> None:
    """Refuse what takes too much memory by its tags: the page, and each of its tiles."""
    if page.size <= 0 or page.samplesperpixel > MOST_VALUES:
        raise FrameError(
            f"a page of {page.imagewidth}x{page.imagelength} pixels of {page.samplesperpixel}"
            " values is no frame"
        )
    check_pixels(page.imagewidth, page.imagelength, planes=page.imagedepth)
    if page.is_tiled:
        check_pixels(page.tilewidth, page.tilelength, planes=page.tiledepth)


def _check_data(page: tifffile.TiffPage, file_size: int) -> None:
    """Make sure that every strip or tile is in the file: readers put zeros for what is not."""
    ends = [
        offset + count
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        if offset and count
    ]
    wanted = prod(page.chunked)
    if len(ends) < wanted:
        raise FrameError(f"the TIFF page holds {len(ends)} of its {wanted} strips or tiles")
    if max(ends) > file_size:
        raise FrameError(f"the TIFF file is cut off: {file_size} bytes of {max(ends)}")
    stored = sum(page.databytecounts)
    if page.compression == 1 and page.bitspersample >= 8 and stored < page.nbytes:
        raise FrameError(f"the TIFF page holds {stored} of its {page.nbytes} bytes")


def _grey_page(page: tifffile.TiffPage, levels: Image) -> Image:
    """Grey (H, W) of decoded levels (H, W), (H, W, samples) or (samples, H, W)."""
    if page.axes.startswith("S") and levels.ndim == 3:
        levels = np.moveaxis(levels, 0, -1)
    if page.photometric == _RGB:
        return grey(levels)
    if levels.ndim == 3 and levels.shape[-1] == 2 and len(page.extrasamples) == 1:
        levels = levels[..., 0]  # the other one is opacity
    if page.photometric == _WHITE_IS_ZERO:
        return _inverted(levels, page.bitspersample)
    return levels


def grey(colours: Image) -> Image:
    """Grey (H, W) of red, green, blue and perhaps opacity (H, W, 3 or 4), in their own depth.

    0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded for whole numbers.

    >>> grey(np.array([[[65535, 0, 0]]], dtype=np.uint16))
    array([[19595]], dtype=uint16)
    """
    with np.errstate(invalid="ignore"):  # infinite levels of both signs
        mixed = colours[..., :3] @ np.array(_LUMA)
    whole = colours.dtype.kind in "biu"
    levels: Image = (np.rint(mixed) if whole else mixed).astype(colours.dtype)
    return levels


def _inverted(levels: Image, bits: int) -> Image:
    if levels.dtype.kind == "b":
        return ~levels
    if levels.dtype.kind != "u":
        raise FrameError(f"cannot invert a page of {levels.dtype} where white is zero")
    turned: Image = (levels.dtype.type(2**bits - 1) - levels).astype(levels.dtype)
    return turned


def _by_opencv(path: Path, index: int) -> Image:
    """One page through OpenCV, in its own depth."""
    content = np.memmap(path, dtype=np.uint8, mode="r")
    with quiet():
        done, pages = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
    if not done or len(pages) != 1:
        raise FrameError("cannot decode the TIFF page: it is damaged or its compression is unknown")
    levels: Image = np.asarray(pages[0])
    return levels if levels.ndim == 2 else grey(levels[..., 2::-1])
