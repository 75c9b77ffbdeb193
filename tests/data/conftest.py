"""Files of a test."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from small_frames import noise


@pytest.fixture
def save(tmp_path):
    """Write text, bytes or an image under a name below the test's folder."""

    def write(name, content=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            levels = noise() if content is None else np.asarray(content)
            _, encoded = cv2.imencode(path.suffix, levels)
            path.write_bytes(encoded.tobytes())
        return path

    return write
