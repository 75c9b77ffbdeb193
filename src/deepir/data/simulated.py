"""The embedded dataset: simulated scenes, so that everything runs without a download."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepir.errors import FrameError, UsageError, unknown_name
from deepir.simulate import SimulatedFrames
from deepir.structures import Sample

SEEDS = {"train": 1, "val": 2, "test": 3}
COUNT = 64


@dataclass(frozen=True)
class Simulated:
    """64 simulated 8-bit frames a split, always the same ones."""

    split: str
    frames: SimulatedFrames
    name: str = "simulated"
    _index: dict[str, int] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path | None, split: str | None = None) -> Simulated:
        """Open a split (default ``test``).

        Raises:
            UsageError: an unknown split, or a root, which simulated frames do not have.
        """
        if root is not None:
            raise UsageError(f"simulated frames lie in no folder, got --root {str(root)!r}")
        chosen = split or "test"
        if chosen not in SEEDS:
            raise unknown_name("split", chosen, SEEDS)
        frames = SimulatedFrames(COUNT, seed=SEEDS[chosen])
        return cls(chosen, frames, _index={name: k for k, name in enumerate(frames.ids)})

    @property
    def ids(self) -> list[str]:
        """Ids of the split, in its order."""
        return self.frames.ids

    def __len__(self) -> int:
        return len(self.frames)

    def knows(self, sample_id: str) -> bool:
        """Whether any split has the id."""
        splits = (SimulatedFrames(COUNT, seed=seed) for seed in SEEDS.values())
        return sample_id in self._index or any(sample_id in frames.ids for frames in splits)

    def read(self, sample_id: str) -> Sample:
        """Simulate one frame of the split.

        Raises:
            FrameError: an id that the split does not have.
        """
        if sample_id not in self._index:
            raise FrameError(f"no simulated frame {sample_id!r} in the split {self.split!r}")
        return self.frames[self._index[sample_id]]
