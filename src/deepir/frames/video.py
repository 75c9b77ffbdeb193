"""Video files through OpenCV's FFmpeg, grey, 8 or 16 bits."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import cv2
import numpy as np

from deepir.errors import FrameError
from deepir.frames.containers import missing_bytes
from deepir.frames.limits import check_pixels
from deepir.frames.quiet import quiet
from deepir.frames.reasons import reason
from deepir.structures import Image, check_image

# Names of pixel layouts (FFmpeg, libavcodec/raw.c) that hold more than 8 bits.
_GRAY16 = b"Y1\0\x10"
_DEEP_FAMILIES = (b"Y1", b"Y2", b"Y3", b"Y4", b"G3", b"G4")
_DEEP_NAMES = (b"RGB\x30", b"BGR\x30", b"RBA\x40", b"BRA\x40", b"XYZ\x24")
_DEEP_TAGS = (b"P010", b"P012", b"P016", b"Y210", b"Y212", b"Y216", b"b16g", b"b48r", b"b64a")

# FFmpeg opens the files that such a playlist names; a frame file speaks for itself alone.
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"v=0", b"<")
_TAG = b"ID3"
"""FFmpeg steps over such a tag, so a list could hide behind it."""

_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OPTIONS_LOCK = threading.Lock()


def video_frames(path: Path) -> Iterator[tuple[int, Image | FrameError]]:
    """Number from 0 and grey frame (H, W) of a video, one in memory at a time.

    8-bit video becomes uint8 grey, 16-bit grey video stays uint16.

    Raises:
        FrameError: no video that OpenCV reads, or one deeper than 8 bits in a layout that it
            would squeeze, or frames of too many pixels; after the last good frame: the file is cut
            off.
    """
    missing = _missing(path)
    capture = _opened(path, missing)
    try:
        _check_size(capture)
        promised = _promised(capture, path)
        _keep_depth(capture)
        number = 0
        while (frame := _next_frame(capture)) is not None:
            yield number, frame
            number += 1
    finally:
        capture.release()
    if missing and (promised is None or number < promised):
        total = f" of {promised}" if promised else ""
        raise FrameError(f"the video ends after {number}{total} frames: {_cut(missing)}")
    if number == 0:
        raise FrameError("the video holds no frame that can be decoded")


def video_count(path: Path) -> int | None:
    """Number of frames that the header announces, often an estimate; None without a sane one.

    Raises:
        FrameError: no video that OpenCV reads.
    """
    capture = _opened(path, _missing(path))
    try:
        return _promised(capture, path)
    finally:
        capture.release()


def _missing(path: Path) -> int | None:
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
        if not head:
            raise FrameError("the file is empty")
        if head.startswith(_PLAYLISTS):
            raise FrameError(f"a list of other files is no video: it starts with {head[:8]!r}")
        if head.startswith(_TAG):
            raise FrameError("a tag of a sound file (ID3) stands before the video: remove it")
        return missing_bytes(path)
    except OSError as error:
        raise FrameError(f"cannot be opened: {reason(error)}") from None


def _cut(missing: int) -> str:
    return f"the file is cut off, {missing} bytes are missing"


def _opened(path: Path, missing: int | None) -> cv2.VideoCapture:
    """An open capture, FFmpeg's messages off; ``missing`` is None where no length is told."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # Absolute, so that FFmpeg takes no part of a file's name for a protocol ("cam:1.avi").
    name = str(path.absolute())
    try:
        with quiet(), nullcontext() if missing is None else _torn_packets_dropped():
            capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    except cv2.error as error:
        raise FrameError(f"cannot be opened as a video: {reason(error)}") from None
    if not capture.isOpened():
        raise FrameError(_cut(missing) if missing else "no video that can be decoded")
    return capture


@contextmanager
def _torn_packets_dropped() -> Iterator[None]:
    """Let FFmpeg drop packets that the end of the file tears; it would half decode them.

    Only for containers whose packets say their length: in MPEG transport streams good packets bear
    the same mark. OpenCV has no other door to this option than the environment.
    """
    with _OPTIONS_LOCK:
        before = os.environ.get(_OPTIONS)
        os.environ[_OPTIONS] = "fflags;discardcorrupt"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_OPTIONS]
            else:
                os.environ[_OPTIONS] = before


def _check_size(capture: cv2.VideoCapture) -> None:
    """Refuse frames of too many pixels by the header; FFmpeg's own limit is 2**28."""
    width, height = (
        capture.get(each) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    check_pixels(int(width), int(height))


def _promised(capture: cv2.VideoCapture, path: Path) -> int | None:
    """Frames by the header; None for what is negative, zero or more than the file has bytes."""
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if 0 < count <= path.stat().st_size else None


def _keep_depth(capture: cv2.VideoCapture) -> None:
    """Have 16-bit grey handed out as it is; refuse the layouts that OpenCV would cut to 8 bits."""
    tag = int(capture.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) & 0xFFFFFFFF
    layout = tag.to_bytes(4, "little")
    if layout == _GRAY16:
        with quiet():
            capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    elif is_deep(layout):
        raise FrameError(
            f"the video has more than 8 bits in the layout {layout!r}, which OpenCV would cut to"
            " 8; store it as 16-bit grey FFV1 (gray16le) or as a TIFF stack"
        )


def is_deep(layout: bytes) -> bool:
    r"""Whether FFmpeg's name of a pixel layout, 4 bytes, stands for more than 8 bits a sample.

    A layout without a name (zeros) counts as deep: floating-point ones have none. Big-endian
    layouts bear the name of the little-endian one backwards.

    >>> is_deep(b"I420"), is_deep(b"Y3\x0b\x0a"), is_deep(b"\x10\x001Y")
    (False, True, True)
    """
    if not any(layout) or layout in _DEEP_TAGS:
        return True
    return any(
        name in _DEEP_NAMES or (name[:2] in _DEEP_FAMILIES and 8 < name[3] <= 16)
        for name in (layout, layout[::-1])
    )


def _next_frame(capture: cv2.VideoCapture) -> Image | None:
    """The next grey frame, None at the end."""
    try:
        with quiet():
            found, frame = capture.read()
            if not found:
                return None
            grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    except cv2.error as error:
        raise FrameError(f"a frame of the video cannot be decoded: {reason(error)}") from None
    return check_image(np.asarray(grey))
