"""Infrared patch-image model (IPI): overlapping patches of a background have low rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.choices import Mode
from deepir.classical.bands import bands
from deepir.classical.chosen import chosen_detector
from deepir.classical.low_rank.layout import (
    SIDE,
    STEP,
    Approximation,
    Layout,
    layout_of,
    needed_bytes,
)
from deepir.classical.low_rank.leading import Leading
from deepir.classical.low_rank.patches import GridKind, fold_median, unfold
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget, Separation, Stop
from deepir.classical.low_rank.singular_values import Parts
from deepir.classical.modes import choose
from deepir.errors import UsageError
from deepir.holes import patch_holes
from deepir.map_detector import MapDetector
from deepir.saliency import Saliency

Floats = NDArray[np.float64]

CAP = 1000
"""Iterations at most; 25 to 50 are usual."""

TOLERANCE = 1e-6
"""Relative step at which it counts as converged; the rank rule comes first in practice."""

RANK_SHARE = 0.3
"""Of the largest possible rank: a background above it ends the iteration."""

_FALL, _LAST = 0.9, 0.005  # of the threshold by iteration; its end, times the fourth singular value
_SETTLED, _SAME = 10, 20  # comparisons with an unchanged rank; entries that may come or go then
_SETTLED_SHARE = 0.01  # of the entries that may come or go, in default mode
_SINGLE = 1e-7  # of the largest singular value: what a second one of rounding reaches


def ipi(
    image: ArrayLike,
    *,
    side: int = SIDE,
    step: int = STEP,
    grid: GridKind = "plain",
    weight: float | None = None,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> Separation:
    """Split a frame into a background of low-rank patches and a sparse target, bright or dark.

    ``image`` (H, W) of any depth, since only its range counts: target (signed) and background come
    back as shares of the range of all patches. NaN and infinite pixels are filled first. Patches of
    ``side`` pixels every ``step`` pixels; on the published "plain" ``grid`` the last step - 1 rows
    and columns may be in no patch and are 0 in both maps, on the "flush" one all are. ``weight`` is
    lambda; None: 1 / sqrt(max(H, W)), as released.

    Stops: "rank rule" (rank of the background above 0.3 of the largest possible, or the same for
    more than 10 iterations while fewer than 20 entries of the target come or go), "tolerance", a
    limit, or "constant frame". A frame of fewer than four patches, or of patches that are all
    multiples of one, has nothing to tell a target from: the target is 0 after 0 iterations.
    Details: ``patches``, and ``crit``, the last relative step, if there was one; of a constant
    frame none.

    The result is that of full singular value decompositions to 1e-7 of the highest response, on any
    number of threads; rank and iterations are the same, entries of the target at the very threshold
    may differ. Memory for K patches of p pixels (`needed_bytes`): about 44 K p + 64 min(K, p)^2
    bytes, for the usual 50/10 1.1 kB a pixel and up to 0.4 GB: 0.7 GB at 640x512, 1.8 GB at
    1280x1024.

    Raises:
        FrameError: a frame that needs more memory than ``resources`` allow.
        UsageError: a side, step, weight or limit that is not positive, an unknown grid.

    Gao et al., "Infrared Patch-Image Model for Small Target Detection in a Single Image", IEEE TIP
    22(12), 2013, as in its authors' code.
    """
    _check_weight(weight)
    layout, stops = Layout(side, step, grid), _Stops(Budget(max_iter, time_limit))
    return _separate(image, layout, weight, stops, resources or Resources(), background=True)


def ipi_detector(
    *,
    mode: Mode = "default",
    approximate: Approximation = "none",
    step: int | None = None,
    weight: float | None = None,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> MapDetector:
    """IPI on patches of 50 pixels every 10; reference: the plain grid, default: the flush one.

    Default mode takes smaller patches of frames shorter than two of them. ``approximate="fast"``
    widens the step where that is more than 520 patches: 25 pixels at 640x512, 50 at 1280x1024.
    Default mode also ends where the rank stays while less than 1 % of the target's entries come or
    go: 20 entries are little of 100,000, and one frame in 47 went on for 94 to 264 iterations.
    """
    _check_weight(weight)
    Budget(max_iter, time_limit)  # says now what is wrong with a limit
    share = choose(mode, None, default=_SETTLED_SHARE, reference=0.0)
    kind: GridKind = choose(mode, None, default="flush", reference="plain")
    layout = layout_of(approximate, step, kind, fitted=mode == "default")

    def found(image: Floats) -> Saliency:
        stops, own = _Stops(Budget(max_iter, time_limit), share), resources or Resources()
        return _separate(image, layout, weight, stops, own, background=False).saliency()

    return chosen_detector("ipi", found, mode)


def _check_weight(weight: float | None) -> None:
    if weight is not None and not weight > 0:
        raise UsageError(f"weight, the lambda of the model, is above 0, got {weight}")


def _separate(
    image: ArrayLike,
    layout: Layout,
    weight: float | None,
    stops: _Stops,
    resources: Resources,
    *,
    background: bool,
) -> Separation:
    """The whole method; without ``background`` that map stays 0."""
    frame = patch_holes(image).filled.astype(np.float64, copy=False)
    grid = layout.grid(frame.shape)
    resources.check(needed_bytes(grid), frame.shape)
    zeros = np.zeros(frame.shape)
    with resources.limited(scipy_alone=True):
        patches = unfold(frame, grid).T
        lowest, highest = float(patches.min()), float(patches.max())
        if lowest == highest:
            return Separation(zeros, zeros.copy(), 0, "constant frame", 0, 0)
        patches -= lowest
        patches /= highest - lowest
        solver = _Solver(patches, weight or 1 / float(np.sqrt(max(frame.shape))))
        if not solver.separable:
            behind = fold_median(patches.T, grid) if background else zeros
            return Separation(zeros, behind, 0, "tolerance", 1, 0, {"patches": grid.count})
        iterations, last, stop = _run(solver, stops)
        sparse, low = solver.finish()
        target = fold_median(sparse.T, grid)
        behind = fold_median(low.T, grid) if background else zeros
    details = {"crit": last.crit, "patches": grid.count}
    return Separation(target, behind, iterations, stop, last.rank, last.nonzeros, details)


@dataclass(frozen=True)
class _Iterate:
    """What one iteration tells: rank of the background, entries of the target, relative step."""

    rank: int
    nonzeros: int
    crit: float


class _Stops:
    """The rules and limits that end the iteration.

    Where the rank stays fewer than 20 entries of the target may come or go, or less than
    ``settled_share`` of them, whichever is more.
    """

    def __init__(self, budget: Budget, settled_share: float = 0.0) -> None:
        self._budget = budget
        self._share = settled_share
        self._rank, self._unchanged, self._kept = 0, 0, 0

    def reached(self, now: _Iterate, iterations: int, most: float) -> Stop | None:
        """What ends it after so many iterations; ``most`` is the rank that is too much."""
        if now.rank == self._rank:
            self._unchanged += 1
        else:
            self._rank, self._unchanged, self._kept = now.rank, 0, now.nonzeros
        if now.crit <= TOLERANCE:
            return "tolerance"
        if now.rank > most or (self._unchanged > _SETTLED and self._target_stays(now)):
            return "rank rule"
        return self._budget.hit(iterations)

    def _target_stays(self, now: _Iterate) -> bool:
        return abs(now.nonzeros - self._kept) < max(_SAME, self._share * self._kept)


def _run(solver: _Solver, stops: _Stops) -> tuple[int, _Iterate, Stop]:
    """Iterate until something ends it."""
    most = RANK_SHARE * min(solver.patches.shape)
    iterations = 0
    while True:
        now = solver.step()
        iterations += 1
        stop = stops.reached(now, iterations, most)
        if stop is not None:
            return iterations, now, stop


class _Solver:
    """Accelerated proximal gradient with a falling threshold, `step` by step.

    ``patches`` (K, p) are rows in [0, 1]. Both gradient steps depend on background and target by
    their difference W alone: with E = W + beta (W - W_before), the singular values of (D + E) / 2
    are lowered, and the entries of (D - E) / 2, which is D less that. So three matrices beside the
    patches are enough.
    """

    def __init__(self, patches: Floats, weight: float) -> None:
        self.patches = patches
        self._weight = weight
        self._leading = Leading()
        top = self._leading.above(patches, np.inf, least=4)
        self.separable = len(top.values) == 4 and bool(top.values[1] > _SINGLE * top.values[0])
        self._first: Parts | None = Parts(top.values / 2, top.vectors, top.images / 2)
        self._threshold = float(top.values[min(1, len(top.values) - 1)]) / 2
        self._last_threshold = _LAST * float(top.values[-1]) / 2
        self._now, self._before = np.zeros_like(patches), np.zeros_like(patches)  # W
        self._point = np.empty_like(patches)  # (D + E) / 2
        self._momentum, self._beta = 1.0, 0.0
        self._level = 0.0  # that entries were lowered by

    def step(self) -> _Iterate:
        """One iteration."""
        point, low = self._before, self._point
        self._extrapolate(point)
        parts = self._parts(point)
        lowered = parts.values - self._threshold
        parts.write(lowered / parts.values, low)
        self._level = self._weight * self._threshold
        nonzeros, square, moved = self._subtract_target(point, low)
        size = float(np.sqrt(float(lowered @ lowered) + square))
        self._before, self._now, self._point = self._now, low, point
        self._threshold = max(_FALL * self._threshold, self._last_threshold)
        following = (1 + float(np.sqrt(1 + 4 * self._momentum**2))) / 2
        self._beta, self._momentum = (self._momentum - 1) / following, following
        return _Iterate(len(lowered), nonzeros, float(np.sqrt(moved / 2)) / max(1.0, size))

    def _parts(self, point: Floats) -> Parts:
        """The parts of (D + E) / 2 above the threshold; at first that is D / 2."""
        if self._first is None:
            return self._leading.above(point, self._threshold)
        first, self._first = self._first, None
        return first.first(int((first.values > self._threshold).sum()))

    def _extrapolate(self, point: Floats) -> None:
        """Write (D + E) / 2 over the W of the iteration before."""
        for rows in bands(point.shape):
            here = point[rows]
            here *= -self._beta / 2
            here += (1 + self._beta) / 2 * self._now[rows]
            here += 0.5 * self.patches[rows]

    def _subtract_target(self, point: Floats, low: Floats) -> tuple[int, float, float]:
        """Make W of the background ``low``; entries and squared norm of the target, |E - W|^2."""
        nonzeros, square, moved = 0, 0.0, 0.0
        for rows in bands(point.shape):
            here = point[rows]
            sparse = self.patches[rows] - here
            step = here - sparse
            sparse -= np.clip(sparse, -self._level, self._level)
            nonzeros += int(np.count_nonzero(sparse))
            square += float(np.vdot(sparse, sparse))
            low[rows] -= sparse
            step -= low[rows]
            moved += float(np.vdot(step, step))
        return nonzeros, square, moved

    def finish(self) -> tuple[Floats, Floats]:
        """Target and background (K, p), in the memory that another step would need."""
        sparse, low = self._before, self._now
        for rows in bands(sparse.shape):
            part = self.patches[rows] - self._point[rows]
            sparse[rows] = part - np.clip(part, -self._level, self._level)
            low[rows] += sparse[rows]
        return sparse, low
