"""Options that several verbs share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token

from deepir.choices import Engine, MapFormat, Mode, ReadOut, Scene

if TYPE_CHECKING:
    from deepir.data import Dataset
    from deepir.detector import Detector
    from deepir.saved_maps import Archives

DEFAULT_DETECTOR = "oscar_nano"


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
Budget = Annotated[
    float | None, Parameter(name="--false-alarms-per-frame", validator=finite, negative=())
]


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """Which frames with truth."""

    data: str = "simulated"
    """Dataset: simulated (embedded), or the format of the one at --root: sirst-v2, mask-folder,
    sirst-v1, dnanet, basicirstd, irstd-1k, coco, voc, voc-half-open, voc-zero-based or yolo."""

    root: Path | None = None
    """Folder of the dataset."""

    split: str | None = None
    """Split: test_full, val_full ... (default: the dataset's test split)."""

    without: Path | None = None
    """Text file of ids to leave out, one a line."""

    def open(self) -> Dataset:
        """Open the dataset."""
        from deepir.data import open_dataset, without_listed

        dataset = open_dataset(self.data, root=self.root, split=self.split)
        return without_listed(dataset, self.without) if self.without else dataset


@Parameter(name="*")
@dataclass(frozen=True)
class SavingOptions:
    """Raw maps in files, for deepir score or to go on later."""

    save_saliency: Annotated[Path | None, Parameter(name="--save-saliency")] = None
    """Folder: save the raw map of each frame of a filter as DETECTOR[-reference]/ID.npy there."""

    saliency_format: Annotated[MapFormat, Parameter(name="--saliency-format")] = "npy"
    """npy: exact; png: 16 bits with the scale, figures to 1e-3."""

    resume: Annotated[bool, Parameter(negative=())] = False
    """Go on with maps that are saved there already, if detector, options and version are the
    same."""

    def open(self) -> Archives | None:
        """Archives of these options; None where nothing is to be saved."""
        from deepir.errors import UsageError
        from deepir.saved_maps import Archives

        if self.save_saliency is None:
            if self.resume or self.saliency_format != "npy":
                raise UsageError(
                    "--resume and --saliency-format are of saved maps: name their folder with"
                    " --save-saliency"
                )
            return None
        return Archives(self.save_saliency, form=self.saliency_format, resume=self.resume)


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
    """Of a network: its weights, .onnx or .safetensors (default: those that came with deepir)."""

    engine: Engine | None = None
    """Of a network: what runs it (default: auto, the faster one that is installed)."""

    scene: Scene | None = None
    """Of a network: whether its view of the whole scene may reorder what it finds (default: on)."""

    false_alarms_per_frame: Budget = None
    """Of a calibrated network: instead of a threshold, a budget to keep to; scores are then those
    of scene off."""

    def load(self, name: str) -> Detector[Any]:
        """Build the detector with these options."""
        from deepir.catalogue import load_detector

        given = {
            "mode": self.mode,
            "threshold": self.threshold,
            "top_k": self.top_k,
            "weights": self.weights,
            "engine": self.engine,
            "scene": self.scene,
            "false_alarms_per_frame": self.false_alarms_per_frame,
        }
        chosen = {key: value for key, value in given.items() if value is not None}
        return load_detector(name, read_out=self.read_out, **chosen)
