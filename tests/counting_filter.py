"""A filter that counts how often it is asked, and tells of its way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from deepir.classical.background import white_top_hat
from deepir.saliency import Saliency
from deepir.saved_maps.record import PROBE_SHAPE


@dataclass
class Counting:
    """Filter that counts the frames that it saw and tells how it stopped."""

    size: int = 9
    offset: float = 0.0
    frames: list = field(default_factory=list)

    def __call__(self, image):
        if image.shape != PROBE_SHAPE:
            self.frames.append(image)
        values = white_top_hat(image, size=self.size) / 3 + self.offset
        told = {"stop": "max_iter" if len(self.frames) % 2 else "tolerance", "residual": np.nan}
        return Saliency(values, told | {"iterations": np.int64(len(self.frames))})
