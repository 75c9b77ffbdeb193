"""A dataset of small simulated frames, some of which may refuse to be read."""

from __future__ import annotations

from deepir.errors import FrameError
from deepir.simulate import SimulatedFrames


class Frames:
    """``count`` frames of 60x50 pixels; the ids in ``damaged`` cannot be read."""

    name, split = "in-memory", "all"

    def __init__(self, count, *, damaged=()):
        self.frames = SimulatedFrames(count, seed=5, shape=(50, 60))
        self.ids = list(self.frames.ids)
        self.damaged = damaged

    def __len__(self):
        return len(self.ids)

    def knows(self, sample_id):
        return sample_id in self.ids

    def read(self, sample_id):
        if sample_id in self.damaged:
            raise FrameError("damaged")
        return self.frames[self.ids.index(sample_id)]
