"""A split without some of its frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepir.data.dataset import Dataset, InOrder
from deepir.data.listing import MOST_LIST_BYTES, read_limited
from deepir.errors import DeepirError, UsageError
from deepir.structures import AnyPath, Sample


@dataclass(frozen=True)
class Excluding(InOrder):
    """All frames of ``whole`` but those in ``left_out``; ``split`` says so."""

    whole: Dataset
    left_out: frozenset[str]
    label: str
    ids: list[str] = field(init=False)

    def __post_init__(self) -> None:
        kept = [sample_id for sample_id in self.whole.ids if sample_id not in self.left_out]
        object.__setattr__(self, "ids", kept)

    @property
    def name(self) -> str:
        """Name of the whole dataset."""
        return self.whole.name

    @property
    def split(self) -> str:
        """Name of the split, and what it is without."""
        return f"{self.whole.split} without {self.label}"

    def read(self, sample_id: str) -> Sample:
        """Read one sample, as the whole dataset does."""
        return self.whole.read(sample_id)

    def knows(self, sample_id: str) -> bool:
        """Whether the whole dataset has the id."""
        return self.whole.knows(sample_id)


def without_listed(dataset: Dataset, path: AnyPath) -> Excluding:
    """Split of a dataset without the ids in a text file, one a line; ``#`` begins a comment.

    Ids of other splits are passed over, so that one list serves all.

    Raises:
        DeepirError: the file cannot be read.
        UsageError: an id that the dataset does not have, or nothing would be left.
    """
    path = Path(path)
    try:
        lines = read_limited(path, MOST_LIST_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DeepirError(f"the list of ids {str(path)!r} is not readable: {error}") from None
    listed = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    own = frozenset(dataset.ids)
    unknown = sorted(one for one in listed - own if not dataset.knows(one))
    if unknown:
        raise UsageError(
            f"{str(path)!r} lists {unknown[0]!r}, which {dataset.name} does not have;"
            f" ids there look like {dataset.ids[0]!r}"
        )
    left_out = frozenset(listed & own)
    if left_out == own:
        raise UsageError(f"without the ids in {str(path)!r} nothing is left of {dataset.split!r}")
    return Excluding(dataset, left_out, f"{len(left_out)} ids of {path.name}")
