"""Image files: what one file holds is told by its first bytes, not by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from deepir.errors import FrameError
from deepir.frames.headers import announced_size
from deepir.frames.integrity import BMP, JPEG, PNG, check_complete
from deepir.frames.limits import VARIABLE, check_pixels, max_pixels
from deepir.frames.npy import NPY, npy_count, npy_frames
from deepir.frames.quiet import quiet
from deepir.frames.reasons import reason
from deepir.frames.tiff import TIFF, tiff_count, tiff_frames
from deepir.structures import AnyPath, Image, check_image

# Only formats whose end can be verified: a decoder that fills a torn file with grey is worse than
# none. OpenCV itself refuses WebP and PGM files that lack as much as one byte.
_ENCODED = (PNG, JPEG, BMP, b"P5", b"P2")
_WEBP = (b"RIFF", b"WEBP")

_PIXEL_BYTES, _OTHER_BYTES = 16, 2**24
"""No encoding of a pixel takes more, and no picture has more notes beside it."""


def read_image(path: AnyPath) -> Image:
    """Read the one grey frame of an image file, (H, W) in its own depth.

    PNG, JPEG, BMP, TIFF (the first page), WebP, PGM and NumPy (H, W). Colour becomes grey as
    OpenCV's ``IMREAD_GRAYSCALE`` does it, 16-bit levels stay uint16, floating point stays.

    Raises:
        FrameError: no such file, damaged, cut off, nothing of the kinds above, or a frame of more
            pixels than the environment variable ``DEEPIR_MAX_PIXELS`` allows (2**27 unless set).
        UsageError: that variable holds no number.
    """
    path = Path(path)
    try:
        number, outcome = next(image_frames(path))
        if isinstance(outcome, FrameError):
            raise outcome
        if number is not None and _head(path).startswith(NPY):
            raise FrameError("a stack (T, H, W) is no single frame; find_sources reads stacks")
    except FrameError as error:
        raise FrameError(f"{str(path)!r}: {error}") from None
    except MemoryError as error:
        raise FrameError(f"{str(path)!r}: not enough memory: {reason(error)}") from None
    return outcome


def image_frames(path: Path) -> Iterator[tuple[int | None, Image | FrameError]]:
    """Number and frame of each frame of an image file, decoded one at a time.

    The number is None in a file of one frame; a frame that cannot be read comes as its error.

    Raises:
        FrameError: the file as a whole cannot be read, or ends too early.
    """
    head = _head(path)
    if head.startswith(NPY):
        yield from npy_frames(path)
    elif head.startswith(TIFF):
        yield from tiff_frames(path)
    else:
        yield None, _decoded(_content(path))


def image_count(path: Path) -> int:
    """Number of frames of an image file, without decoding any.

    Raises:
        FrameError: the file is missing or none of the known kinds.
    """
    head = _head(path)
    if head.startswith(NPY):
        return npy_count(path)
    if head.startswith(TIFF):
        return tiff_count(path)
    _check_known(head)
    return 1


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise FrameError("it is no file" if path.exists() else "no such file")
        with path.open("rb") as stream:
            return stream.read(16)
    except OSError as error:
        raise FrameError(f"cannot be opened: {reason(error)}") from None


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _PIXEL_BYTES * max_pixels() + _OTHER_BYTES:
            raise FrameError(
                f"it has {size} bytes, more than an image of {max_pixels()} pixels takes; to read"
                f" it all the same set {VARIABLE} in the environment"
            )
        return path.read_bytes()
    except OSError as error:
        raise FrameError(f"cannot be read: {reason(error)}") from None


def _check_known(head: bytes) -> None:
    if not head:
        raise FrameError("the file is empty")
    if not head.startswith(_ENCODED) and (head[:4], head[8:12]) != _WEBP:
        raise FrameError(
            f"no PNG, JPEG, BMP, TIFF, WebP, PGM or NumPy image: it starts with {head[:8]!r}"
        )


def _decoded(content: bytes) -> Image:
    """Grey frame (H, W) of a whole encoded file, as OpenCV converts it, 16 bits kept."""
    _check_known(content[:16])
    check_complete(content)
    check_pixels(*announced_size(content))
    try:
        with quiet():
            image = cv2.imdecode(
                np.frombuffer(content, dtype=np.uint8),
                cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH,
            )
    except (cv2.error, MemoryError) as error:
        raise FrameError(f"cannot be decoded: {reason(error)}") from None
    # cv2 gives None for what it cannot decode; its type hints do not say so.
    if not isinstance(image, np.ndarray):
        raise FrameError("cannot be decoded: the image is damaged")
    return check_image(image)
