"""Reweighted infrared patch-tensor (RIPT): all three unfoldings of the background are low-rank."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.choices import Mode
from deepir.classical.low_rank.grey_levels import on_grey_scale
from deepir.classical.low_rank.patches import (
    PatchGrid,
    as_columns,
    fold_last,
    fold_mean,
    patch_grid,
    unfold_tensor,
)
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget, Separation, Stop
from deepir.classical.low_rank.sparse_score import sparse_detector
from deepir.classical.low_rank.structure_tensor import edge_strength
from deepir.classical.low_rank.unfoldings import (
    EPSILON,
    RHO,
    Explicit,
    Grams,
    Implied,
    Sweep,
    as_rows,
    grams,
    taken,
)
from deepir.errors import UsageError
from deepir.map_detector import MapDetector

Floats = NDArray[np.float64]
Fold = Callable[[Floats, PatchGrid], Floats]

SIDE, STEP, FACTOR, EDGE = 30, 10, 0.7, 1.0
"""Patch and step in pixels, factor of lambda, exponent of edges: the authors' demonstration."""

CAP = 500
"""Iterations at most; three to ten are usual."""

_DEVIATIONS = 5  # of the frame: the first threshold of singular values
_TOLERANCE = 1e-7
_HIGHEST_EDGE = 100.0  # exp of it is still a number
_ARRAYS, _MATRICES = 11, 12  # as large as the patches, as their Gram matrix: at most


def ript(
    image: ArrayLike,
    *,
    side: int = SIDE,
    step: int = STEP,
    factor: float = FACTOR,
    edge: float = EDGE,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> Separation:
    """Split a frame into a background of low-rank patches and a sparse bright target.

    ``image`` (H, W): whole numbers from 0 to 255 are taken as they are, anything else is mapped
    there linearly from its own extremes (`on_grey_scale`), holes filled; target (never negative)
    and background come back in the frame's own grey levels. Patches of ``side`` pixels every
    ``step`` pixels on the flush grid, folded by their mean; ``factor`` scales lambda; a target on
    an edge has to exceed a threshold up to exp(``edge``) times as high.

    Stops: "tolerance" (relative residual below 1e-7), "support rule" (as many positive entries as
    before), a limit, or "constant frame". Details: ``crit``, the relative residual; ``patches``;
    ``rank_down`` and ``rank_across`` a patch, beside ``rank`` through all patches.

    30/10 needs 0.3 kB a pixel and 60 MB, and 0.5 kB more for each pixel in patches that hold a
    candidate: 0.2 GB for 640x512. An iteration's time depends on those patches alone.

    Raises:
        UsageError: side, step, factor or a limit that is not positive, a negative edge.
        FrameError: a frame that may need more memory than ``resources`` allow.

    Dai and Wu, "Reweighted Infrared Patch-Tensor Model With Both Nonlocal and Local Priors for
    Single-Frame Small Target Detection", IEEE JSTARS 10(8), 2017, as in its authors' code.
    """
    tuning = _Tuning(side, step, factor, edge)
    return _separate(image, tuning, Budget(max_iter, time_limit), resources or Resources())


def ript_as_released(
    image: ArrayLike,
    *,
    side: int = SIDE,
    step: int = STEP,
    factor: float = FACTOR,
    edge: float = EDGE,
    max_iter: int = CAP,
) -> Separation:
    """RIPT with the fold that its release picks up by mistake: later patches overwrite earlier.

    For comparisons with that program's output alone; the text means the mean, as `ript` takes it.
    """
    tuning = _Tuning(side, step, factor, edge, fold_last)
    return _separate(image, tuning, Budget(max_iter), Resources())


def ript_detector(
    *,
    mode: Mode = "default",
    side: int = SIDE,
    step: int = STEP,
    factor: float = FACTOR,
    edge: float = EDGE,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> MapDetector:
    """RIPT on patches of 30 pixels every 10; default: its target in deviations of the frame."""
    tuning = _Tuning(side, step, factor, edge)
    Budget(max_iter, time_limit)  # says now what is wrong with a limit
    limits = resources or Resources()

    def separate(image: Floats) -> Separation:
        budget = Budget(max_iter, time_limit)
        return _separate(image, tuning, budget, limits, background=False)

    return sparse_detector("ript", separate, mode)


@dataclass(frozen=True)
class _Tuning:
    """What the user may choose, checked."""

    side: int
    step: int
    factor: float
    edge: float
    fold: Fold = fold_mean

    def __post_init__(self) -> None:
        patch_grid((1, 1), side=self.side, step=self.step, kind="flush")
        if not self.factor > 0:
            raise UsageError(f"factor of lambda is above 0, got {self.factor}")
        if not 0 <= self.edge <= _HIGHEST_EDGE:
            raise UsageError(f"edge is from 0 to {_HIGHEST_EDGE}, got {self.edge}")


def _separate(
    image: ArrayLike,
    tuning: _Tuning,
    budget: Budget,
    resources: Resources,
    *,
    background: bool = True,
) -> Separation:
    """The whole method; without ``background`` that map stays 0, for a fifth less of time."""
    grey = on_grey_scale(image)
    shape = grey.values.shape
    if np.ptp(grey.values) == 0:
        return Separation(np.zeros(shape), grey.level(grey.values), 0, "constant frame", 0, 0)
    grid = patch_grid(shape, side=tuning.side, step=tuning.step, kind="flush")
    matrix = 8 * min(grid.pixels, grid.count) ** 2
    resources.check(_ARRAYS * grid.nbytes + _MATRICES * matrix, shape)
    frame = _blocks(grey.values, grid)
    edges = _blocks(np.exp(tuning.edge * edge_strength(grey.values)), grid)
    solver = _Solver(frame, edges, tuning.factor, keep=background)
    with resources.limited():
        end = _run(solver, _DEVIATIONS * float(frame.std(ddof=1)), budget)
        solver.gather()
    behind = tuning.fold(_columns(solver.background()), grid) if background else np.zeros(shape)
    down, across, through = solver.ranks
    return Separation(
        grey.difference(tuning.fold(_columns(solver.whole.target), grid)),
        grey.level(behind),
        end.iterations,
        end.stop,
        through,
        end.positive,
        {
            "crit": end.crit,
            "patches": grid.count,
            "rank_down": down,
            "rank_across": across,
        },
    )


def _blocks(image: Floats, grid: PatchGrid) -> Floats:
    return np.moveaxis(unfold_tensor(image, grid), 2, 0)


def _columns(blocks: Floats) -> Floats:
    return as_columns(np.moveaxis(blocks, 0, 2))


@dataclass(frozen=True)
class _End:
    iterations: int
    stop: Stop
    positive: int
    crit: float


def _run(solver: _Solver, threshold: float, budget: Budget) -> _End:
    """Iterate with a falling threshold until a rule or a limit ends it."""
    frame = solver.whole.frame
    norm, before, iterations = float(np.linalg.norm(frame)), frame.size, 0
    while True:
        positive, square = solver.step(threshold)
        iterations += 1
        crit = float(np.sqrt(max(square, 0.0))) / norm
        stop: Stop | None = budget.hit(iterations)
        if positive == before:
            stop = "support rule"
        if crit < _TOLERANCE:
            stop = "tolerance"
        if stop is not None:
            return _End(iterations, stop, positive, crit)
        before, threshold = positive, threshold / RHO


class _Solver:
    """Alternating directions on patches (K, s, s), `step` by step.

    Entries of the target that are 0 after the first step stay 0: what a threshold t takes from an
    unfolding has singular values up to t, so no entry above t, while an entry of 0 has to exceed
    t lambda w / (3 EPSILON) with a weight w of at least 1. Where that factor is above 1, patches
    without target go on by their Gram matrix alone (`Implied`).
    """

    def __init__(self, frame: Floats, edges: Floats, factor: float, *, keep: bool) -> None:
        count, side, _ = frame.shape
        self.whole = Explicit(frame, edges, from_left=count < side**2)
        self.ranks = (side, side, min(count, side**2))
        self._weight = factor / float(np.sqrt(min(side, count)))
        self._keep = keep
        self._active = self.whole
        self._picked: NDArray[np.intp] | None = None
        self._implied: Implied | None = None
        self._first: tuple[Sweep, Grams] | None = None

    def step(self, threshold: float) -> tuple[int, float]:
        """One iteration; positive entries of the target, and |F - B - T|^2."""
        if self._first is not None and self._picked is None:
            self._pick(*self._first)
        matrices = self._active.grams()
        if self._implied is not None:
            pairs = zip(matrices, self._implied.grams(), strict=True)
            down, across, through = (one + other for one, other in pairs)
            matrices = down, across, through
        sweep = self._sweep(matrices, threshold)
        lost = self._active.take_through(sweep.through)
        if self._picked is None:
            self._first = sweep, matrices
            return self.whole.start(sweep)
        square = 0.0 if self._implied is None else self._implied.step(sweep, lost)
        positive, explicit = self._active.update(sweep)
        return positive, square + explicit

    def _sweep(self, matrices: Grams, threshold: float) -> Sweep:
        down, across = (taken(gram, threshold) for gram in matrices[:2])
        through = taken(matrices[2], threshold, expected=self.ranks[2])
        self.ranks = down.rank, across.rank, through.rank
        return Sweep(down, across, through, threshold * self._weight / 3)

    def _pick(self, sweep: Sweep, matrices: Grams) -> None:
        """After the first step, choose which patches go on number by number."""
        whole = self.whole
        count, numbers = as_rows(whole.frame).shape
        held = np.flatnonzero(as_rows(whole.target).any(axis=1))
        worth_it = count - len(held) > numbers
        implied = worth_it and self._weight > 3 * EPSILON * (1 + 1e-9)
        self._picked = held if implied else np.arange(count)
        self._active = whole.pick(self._picked, sweep)
        if implied:
            frame = self._active.frame
            own = grams(frame, frame, frame, from_left=False)
            down, across, through = (a - b for a, b in zip(matrices, own, strict=True))
            self._implied = Implied(through, (down, across), keep=self._keep)
            self._implied.step(sweep, as_rows(self._active.residual))
        self._first = None

    def gather(self) -> None:
        """Put the patches that went on number by number back among all."""
        if self._picked is None:
            return
        if self._implied is not None and self._keep:
            self._implied.residual(self.whole.frame, self.whole.residual)
        self.whole.target[self._picked] = self._active.target
        self.whole.residual[self._picked] = self._active.residual

    def background(self) -> Floats:
        """Mean of the three backgrounds (K, s, s), after `gather`."""
        whole = self.whole
        return whole.frame - whole.target - whole.residual
