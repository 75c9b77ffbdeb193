"""Small frame files and a short way to read them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from deepir.frames import BadFrame, Frame, find_sources

Read = Callable[[Path], list[Frame | BadFrame]]


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Random levels over the whole range of a type."""

    def make(*shape: int, dtype: str = "uint8", seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if np.dtype(dtype).kind == "f":
            return rng.normal(size=shape).astype(dtype)
        return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)

    return make


@pytest.fixture
def read() -> Read:
    """Everything that one file yields."""
    return lambda path: list(find_sources([path])[0].frames())


@pytest.fixture
def write_video() -> Callable[[Path, str, Sequence[np.ndarray]], bytes]:
    """Write grey frames (H, W) as they are if the codec can; the bytes of the file come back."""

    def write(path: Path, codec: str, frames: Sequence[np.ndarray]) -> bytes:
        depth = cv2.CV_16U if frames[0].dtype == np.uint16 else cv2.CV_8U
        grey = codec == "FFV1"
        options = [cv2.VIDEOWRITER_PROP_IS_COLOR, int(not grey)]
        options += [cv2.VIDEOWRITER_PROP_DEPTH, depth] if grey else []
        height, width = frames[0].shape
        code = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 25, (width, height), options)
        assert writer.isOpened(), f"this OpenCV cannot write {codec}"
        for frame in frames:
            writer.write(frame if grey else cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
        writer.release()
        return path.read_bytes()

    return write


@pytest.fixture
def shared_data() -> Path:
    """The real frames and clips beside the checkout."""
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data beside the checkout) is not on this disk")
    return folder
