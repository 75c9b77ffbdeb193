"""Options that several verbs share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token

from deepir.choices import Engine, Mode, ReadOut

if TYPE_CHECKING:
    from deepir.data import Dataset
    from deepir.detector import Detector

DEFAULT_DETECTOR = "mpcm"  # ignores a sensor's pedestal, and ranks best beside top-hat and LCM


def whole(_: object, tokens: Sequence[Token]) -> int:
    """Integer of the command line; a fraction is refused instead of rounded."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"a whole number is wanted, got {text!r}") from None


def finite(_: object, value: float | None) -> None:
    """Refuse NaN and infinity on the command line."""
    if value is not None and not math.isfinite(value):
        raise ValueError("A finite number is wanted.")


Whole = Annotated[int, Parameter(converter=whole)]
Threshold = Annotated[float | None, Parameter(validator=finite)]


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """Which frames with truth."""

    data: str = "simulated"
    """Dataset: simulated (embedded) or sirst-v2."""

    root: Path | None = None
    """Folder of the dataset."""

    split: str | None = None
    """Split: test_full, val_full ... (default: the dataset's test split)."""

    def open(self) -> Dataset:
        """Open the dataset."""
        from deepir.data import open_dataset

        return open_dataset(self.data, root=self.root, split=self.split)


@Parameter(name="*")
@dataclass(frozen=True)
class DetectorOptions:
    """How to detect."""

    mode: Mode | None = None
    """Of a filter: our settings (default), or the published ones (reference)."""

    read_out: Annotated[ReadOut, Parameter(name="--read-out")] = "peak"
    """How points are read: our NoCo peak, or the published rule."""

    threshold: Threshold = None
    """Score from which a detection counts (default: the detector's own, see deepir list)."""

    top_k: Annotated[int | None, Parameter(name="--top-k", converter=whole)] = None
    """At most this many candidates a frame."""

    weights: Path | None = None
    """Of a network: its weights, an .onnx file (default: those that came with deepir)."""

    engine: Engine | None = None
    """Of a network: what runs it (default: auto, the faster one that is installed)."""

    def load(self, name: str) -> Detector[Any]:
        """Build the detector with these options."""
        from deepir.catalogue import load_detector

        given = {
            "mode": self.mode,
            "threshold": self.threshold,
            "top_k": self.top_k,
            "weights": self.weights,
            "engine": self.engine,
        }
        chosen = {key: value for key, value in given.items() if value is not None}
        return load_detector(name, read_out=self.read_out, **chosen)
