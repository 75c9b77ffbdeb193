"""What a training run is asked for; light to import, as the command line reads it for its help."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from deepir.errors import UsageError, unknown_name
from deepir.training.presets import RECIPES, Recipe
from deepir.training.settings import Settings

DeviceChoice = Literal["auto", "cpu", "cuda"]

SPLITS = {"sirst-v2": ("train_full", "val_full")}
"""Splits that are trained on and validated on if none are named, where they are not `USUAL`."""

USUAL = ("train", "val")

NO_VALIDATION = "none"


@dataclass(frozen=True)
class Source:
    """Which frames."""

    data: str = "simulated"
    """Dataset: simulated (embedded), or the format of the one at --root: sirst-v2, mask-folder,
    sirst-v1, dnanet, basicirstd, irstd-1k, coco, voc, voc-half-open, voc-zero-based or yolo."""
    root: Path | None = None
    """Folder of the dataset."""
    train_split: str | None = None
    """Split to train on, such as trainval_full (default: train_full of sirst-v2, else train)."""
    val_split: str | None = None
    """Split that chooses the best weights, or none (default: val_full of sirst-v2, else val)."""

    def __post_init__(self) -> None:
        if self.root is not None:
            object.__setattr__(self, "root", Path(self.root))

    def splits(self) -> tuple[str, str | None]:
        """Names of the training and the validation split; None: no validation.

        Raises:
            UsageError: one split for both.
        """
        usual = SPLITS.get(self.data, USUAL)
        train, val = self.train_split or usual[0], self.val_split or usual[1]
        if train == val:
            raise UsageError(
                f"split {train!r} is trained on, so it cannot validate: name another --val-split,"
                " or none"
            )
        return train, None if val == NO_VALIDATION else val


@dataclass(frozen=True)
class Execution:
    """How a run is carried out: nothing here changes its result.

    Raises:
        UsageError: a number out of its range, or an unknown device.
    """

    processes: int = 1
    """Processes that share each batch."""
    device: DeviceChoice = "auto"
    """Where to compute; auto: on a graphics card where torch finds one."""
    readers: int = 1
    """Threads of each process that draw the coming batch."""
    time_limit: float | None = None
    """Minutes after which the run stops with a checkpoint; the same command goes on."""
    log_every: int = 50
    """Iterations between two rows of the log."""
    tensorboard: bool = True
    """Curves for TensorBoard too, where it is installed."""

    def __post_init__(self) -> None:
        for name in ("processes", "readers", "log_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}: 1 or more is wanted, got {getattr(self, name)}")
        limit = self.time_limit
        if limit is not None and not (limit > 0 and math.isfinite(limit)):
            raise UsageError(f"time_limit: minutes above 0 are wanted, got {limit:g}")
        if self.device not in get_args(DeviceChoice):
            raise unknown_name("device", self.device, get_args(DeviceChoice))


@dataclass(frozen=True)
class Request:
    """Everything that decides the result of a run.

    Raises:
        UsageError: an unknown recipe, or fine-tuning without weights to begin with.
    """

    model: str
    """Network of the catalogue."""
    source: Source = field(default_factory=Source)
    settings: Settings = field(default_factory=Settings)
    recipe: Recipe = "crops"
    init: str | None = None
    """Weights to begin with: a network whose weights come with the package, or a file."""

    def __post_init__(self) -> None:
        if self.recipe not in RECIPES:
            raise unknown_name("recipe", self.recipe, RECIPES)
        if self.recipe == "fine-tune" and self.init is None:
            raise UsageError(
                f"the recipe 'fine-tune' begins with trained weights, and none are given for"
                f" {self.model!r}: name them with --init"
            )

    def options(self) -> dict[str, Any]:
        """The same as options of the command line by name; root and init where there are any.

        Raises:
            UsageError: splits that do not fit.
        """
        train, val = self.source.splits()
        every = {
            "model": self.model,
            "data": self.source.data,
            "root": str(self.source.root) if self.source.root else None,
            "train_split": train,
            "val_split": val or NO_VALIDATION,
            "recipe": self.recipe,
            "init": self.init,
            **asdict(self.settings),
        }
        return {name: value for name, value in every.items() if value is not None}
