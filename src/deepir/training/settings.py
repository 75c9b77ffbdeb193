"""Everything that decides a training run beside the network and the data.

Light to import: the command line reads names, defaults and help from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from deepir.errors import UsageError, unknown_name

Precision = Literal["auto", "on", "off"]
Schedule = Literal["cosine", "epochs"]


@dataclass(frozen=True)
class Mixture:
    """Shares of the crops of each kind, and probabilities of what happens to a crop.

    Raises:
        UsageError: a number that is no probability, or kinds that make more than all crops.
    """

    target: float = 0.5
    """Share of the crops around a target."""
    false_alarm: float = 0.25
    """Share of the crops around a mined false alarm; the rest lies anywhere."""
    empty: float = 0.75
    """Of the crops anywhere: those from frames without a target, where there are any."""
    rescale: float = 0.6
    """Probability that a crop is taken at another scale."""
    turn: float = 1.0
    """Probability of a flip or a quarter turn (one of eight, the identity among them)."""
    expose: float = 0.5
    """Probability of another gain, offset and gamma."""
    worsen: float = 0.3
    """Probability of noise or blur."""
    paste: float = 0.3
    """Probability of a pasted real target."""
    plant: float = 0.1
    """Probability of planted simulated targets in crops of frames with targets of their own."""
    plant_empty: float = 0.45
    """The same in crops of frames without, so that no camera is known for having none."""

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(f"mixture.{one.name}", getattr(self, one.name), 0, 1)
        if self.target + self.false_alarm > 1:
            raise UsageError(
                "mixture.target and mixture.false_alarm are shares of all crops, got"
                f" {self.target:g} + {self.false_alarm:g}"
            )


@dataclass(frozen=True)
class Mining:
    """When and how false alarms are collected.

    Raises:
        UsageError: a number out of its range.
    """

    start: int = 1000
    """Iteration after which false alarms are collected for the first time."""
    every: int = 500
    """Iterations between two collections."""
    frames: int = 160
    """Training frames that one collection searches; 0: nothing is ever collected."""
    score: float = 0.12
    """Score above which a candidate away from all targets is collected."""
    apart_px: float = 4.0
    """Distance from every target's box, in pixels, from which a candidate is a false alarm."""

    def __post_init__(self) -> None:
        _check("mining.start", self.start, 0)
        _check("mining.every", self.every, 1)
        _check("mining.frames", self.frames, 0)
        _check("mining.score", self.score, 0, 1)
        _check("mining.apart_px", self.apart_px, 0)


@dataclass(frozen=True)
class Settings:
    """Numbers of a run; a batch may be split over processes and parts without changing it.

    Raises:
        UsageError: a number out of its range, or an unknown choice.
    """

    iterations: int = 4000
    """Steps of the optimiser."""
    batch: int = 8
    """Crops of a step, over all processes."""
    parts: int = 1
    """A batch goes through a process in this many parts, whose gradients add up."""
    crop: int = 256
    """Side of a crop in pixels."""
    lr: float = 2e-3
    """Highest learning rate (AdamW)."""
    weight_decay: float = 0.03
    """Weight decay of convolution kernels."""
    warm_up: float = 0.1
    """Share of the iterations in which the learning rate rises."""
    final_lr: float = 1e-2
    """Last learning rate as a share of the highest (cosine)."""
    clip: float = 5.0
    """Largest gradient norm; 0: gradients are not clipped."""
    average: float = 0.999
    """Weight of the past in the running average of the weights; 0: no averaging."""
    seed: int = 0
    """Of the start and of every draw."""
    bf16: Precision = "auto"
    """Forward pass in bfloat16; auto: where the processor computes in it."""
    checkpoint_every: int = 500
    """Iterations between two checkpoints."""
    val_every: int = 1000
    """Iterations between two validations."""
    schedule: Schedule = "cosine"
    """How the learning rate falls after the rise; epochs: linearly, once an epoch."""
    epoch: int = 577
    """Iterations of an epoch, for the schedule of that name."""
    decay_all: bool = False
    """Weight decay for biases and normalisations too."""
    scene_floor: float = 1.0
    """Smallest factor that the kind of scene puts on a frame's scores; 1: none is fitted."""
    scene_start: float = 0.2
    """Scores up to it stay as they are, whatever the scene."""
    mixture: Mixture = field(default_factory=Mixture)
    mining: Mining = field(default_factory=Mining)

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            _check(name, getattr(self, name), low, high)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise unknown_name(name, str(getattr(self, name)), choices)

    def check_processes(self, count: int) -> None:
        """Make sure that so many processes can share a batch.

        Raises:
            UsageError: a batch that cannot give every part of every process an image.
        """
        hands = count * self.parts
        if self.batch < hands:
            raise UsageError(
                f"a batch of {self.batch} cannot be divided into {self.parts} parts for"
                f" {count} processes: take a batch of {hands} or more"
            )


SMALLEST_CROP = 64
"""Pixels: batch statistics need more than one cell at the deepest stride, 32."""

LARGEST_SEED = 2**63 - 1
"""What torch takes."""

MOST = 10**15
"""Limit of what has none of its own: a number beyond it is a slip."""

_RANGES = {
    "iterations": (1, MOST),
    "batch": (1, 65536),
    "parts": (1, 65536),
    "crop": (SMALLEST_CROP, 8192),
    "lr": (0, 10),
    "weight_decay": (0, 10),
    "warm_up": (0, 1),
    "final_lr": (0, 1),
    "clip": (0, MOST),
    "average": (0, 1),
    "seed": (0, LARGEST_SEED),
    "checkpoint_every": (1, MOST),
    "val_every": (1, MOST),
    "epoch": (1, MOST),
    "scene_floor": (0, 1),
    "scene_start": (0, 1),
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "bf16": get_args(Precision),
    "schedule": get_args(Schedule),
}


def _check(name: str, value: float, low: float, high: float = MOST) -> None:
    """Make sure that a setting lies within its range; NaN and infinity do not."""
    if not low <= value <= high:
        below = high == MOST and value < low
        reach = f"{_said(low)} or more" if below else f"{_said(low)} to {_said(high)}"
        raise UsageError(f"{name}: {reach} is wanted, got {_said(value)}")


def _said(value: float) -> str:
    """Whole numbers digit by digit, unless they never end."""
    text = str(value) if isinstance(value, int) else f"{value:g}"
    return text if len(text) <= _DIGITS else f"a number of {len(text)} digits"


_DIGITS = 20
