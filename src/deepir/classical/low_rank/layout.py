"""Which patches a method takes of a frame, fitted to small frames where that is asked for.

For IPI and NIPPS, which are laid out alike and need the same memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from deepir.classical.low_rank.patches import GridKind, PatchGrid, patch_grid
from deepir.errors import unknown_name

Approximation = Literal["none", "fast"]
"""Patches at the published step, or at a wider one, which gives another result."""

SIDE, STEP = 50, 10
"""Patch and step in pixels, as released with IPI and NIPPS."""

FEW = 520
"""Patches that the fast approximation takes at most, if side by side they are no more: it widens
the step of larger frames, to 25 pixels at 640x512, and leaves that of small ones."""


@dataclass(frozen=True)
class Layout:
    """Patches of ``side`` pixels every ``step`` pixels on a grid of some kind.

    With ``fitted`` a frame that is shorter than two patches gets smaller ones, half as long as its
    shorter side and at steps shortened alike: a patch as large as the frame has nothing that it
    could be compared with. Where that is more than ``few`` patches
    the step is widened, up to ``side``.

    Raises:
        UsageError: a side or step below 1, an unknown kind.
    """

    side: int = SIDE
    step: int = STEP
    kind: GridKind = "plain"
    fitted: bool = False
    few: int | None = None

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
        grid = patch_grid(shape, side=side, step=step, kind=self.kind)
        while self.few is not None and grid.count > self.few and step < side:
            step += 1
            grid = patch_grid(shape, side=side, step=step, kind=self.kind)
        return grid


def layout_of(
    approximate: Approximation, step: int | None, kind: GridKind, *, fitted: bool
) -> Layout:
    """The layout that the options of a detector ask for; the fast one reaches the border.

    Raises:
        UsageError: an unknown approximation, a step below 1.

    >>> fast = layout_of("fast", None, "plain", fitted=False)
    >>> [fast.grid(shape).step for shape in [(200, 300), (512, 640), (1024, 1280)]]
    [10, 25, 50]
    """
    if approximate == "none":
        return Layout(SIDE, STEP if step is None else step, kind, fitted)
    if approximate == "fast":
        return Layout(SIDE, STEP if step is None else step, "flush", fitted, FEW)
    raise unknown_name("approximation", approximate, get_args(Approximation))


def needed_bytes(grid: PatchGrid) -> float:
    """Bytes that IPI or NIPPS takes at most for a frame laid out so.

    For K patches of p pixels 44 K p + 64 min(K, p)^2: as much as five and a half matrices of all
    patches in double precision and eight square ones of their shorter side.

    >>> round(needed_bytes(Layout().grid((512, 640))) / 1e9, 1)
    0.7
    """
    return 5.5 * grid.nbytes + 64 * min(grid.count, grid.pixels) ** 2
