"""The embedded dataset: simulated scenes, so that everything runs without a download."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from deepir.data.dataset import InOrder
from deepir.errors import FrameError, UsageError, unknown_name
from deepir.simulate import SimulatedFrames
from deepir.structures import AnyPath, Sample

SEEDS = {"train": 1, "val": 2, "test": 3}
COUNT = 64


@dataclass(frozen=True)
class Simulated(InOrder):
    """64 simulated 8-bit frames a split, always the same ones.

    An id is the split and the frame's own id, such as ``test-sea_000003``.
    """

    split: str
    frames: SimulatedFrames
    name: str = "simulated"

    @classmethod
    def open(cls, root: AnyPath | None, split: str | None = None) -> Simulated:
        """Open a split (default ``test``).

        Raises:
            UsageError: an unknown split, or a root, which simulated frames do not have.
        """
        if root is not None:
            raise UsageError(
                f"simulated frames lie in no folder, got --root {str(root)!r};"
                " name the dataset that lies there, as with --data sirst-v2"
            )
        chosen = split or "test"
        if chosen not in SEEDS:
            raise unknown_name("split of the simulated frames", chosen, SEEDS)
        return cls(chosen, SimulatedFrames(COUNT, seed=SEEDS[chosen]))

    @property
    def ids(self) -> list[str]:
        """Ids of the split, in its order."""
        return [f"{self.split}-{name}" for name in self.frames.ids]

    def knows(self, sample_id: str) -> bool:
        """Whether any split has the id."""
        return sample_id in _every_id()

    def read(self, sample_id: str) -> Sample:
        """Simulate one frame of the split.

        Raises:
            FrameError: an id that the split does not have.
        """
        if sample_id not in self.ids:
            raise FrameError(f"no simulated frame {sample_id!r} in the split {self.split!r}")
        sample = self.frames[self.ids.index(sample_id)]
        return replace(sample, id=sample_id)


@cache
def _every_id() -> frozenset[str]:
    splits = (Simulated.open(None, split).ids for split in SEEDS)
    return frozenset(name for ids in splits for name in ids)
