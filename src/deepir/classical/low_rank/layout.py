"""Which patches a method takes of a frame, fitted to small frames where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from deepir.classical.low_rank.patches import GridKind, PatchGrid, patch_grid
from deepir.errors import unknown_name

Approximation = Literal["none", "fast"]
"""Patches at the published step, or at a wider one, which gives another result."""

SIDE, STEP = 50, 10
"""Patch and step in pixels, as released with IPI and NIPPS."""

_STEPS: dict[str, int] = {"none": STEP, "fast": 25}


def step_of(approximate: Approximation) -> int:
    """Step in pixels.

    Raises:
        UsageError: an unknown approximation.

    >>> step_of("fast")
    25
    """
    if approximate not in _STEPS:
        raise unknown_name("approximation", approximate, _STEPS)
    return _STEPS[approximate]


@dataclass(frozen=True)
class Layout:
    """Patches of ``side`` pixels every ``step`` pixels on a grid of some kind.

    With ``fitted`` a frame that is shorter than two patches gets smaller ones, half as long as its
    shorter side and at steps shortened alike: a patch as large as the frame has nothing that it
    could be compared with.

    Raises:
        UsageError: a side or step below 1, an unknown kind.
    """

    side: int = SIDE
    step: int = STEP
    kind: GridKind = "plain"
    fitted: bool = False

    def __post_init__(self) -> None:
        self.grid((1, 1))  # says what is wrong

    def grid(self, shape: tuple[int, ...]) -> PatchGrid:
        """The patches of a frame of ``shape`` (H, W).

        >>> Layout(fitted=True).grid((40, 60)).side, Layout(fitted=True).grid((128, 160)).side
        (20, 50)
        """
        side, step = self.side, self.step
        shorter = min(shape) // 2
        if self.fitted and shorter < side:
            side, step = max(shorter, 1), max(step * shorter // side, 1)
        return patch_grid(shape, side=side, step=step, kind=self.kind)
