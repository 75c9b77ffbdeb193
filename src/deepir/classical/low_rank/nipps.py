"""Non-negative infrared patch-image model by partial sums of singular values (NIPPS)."""

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
from deepir.classical.low_rank.leading import Leading, decomposed
from deepir.classical.low_rank.patches import GridKind, fold_mean, unfold
from deepir.classical.low_rank.products import gram, product
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget, Separation, Stop
from deepir.classical.low_rank.singular_values import kept_share, tall
from deepir.classical.modes import choose
from deepir.errors import UsageError
from deepir.holes import patch_holes
from deepir.map_detector import MapDetector
from deepir.saliency import Saliency

Floats = NDArray[np.float64]

CAP = 1000
"""Iterations at most; 26 to 31 are usual."""

TOLERANCE = 1e-7
"""Norm of what is neither background nor target, as a share of that of the patches."""

RATIO = 0.005
"""Singular values from this share of the largest on are protected."""

PROTECTED = 2
"""So many of them at most in default mode, chosen on val: more take the target for background."""

_FACTOR = 2.0  # of lambda
_START, _GROWTH, _LIMIT = 1.25, 1.5, 1e7  # of the penalty: over the largest value; by iteration


def nipps(
    image: ArrayLike,
    *,
    side: int = SIDE,
    step: int = STEP,
    grid: GridKind = "flush",
    most_protected: int | None = None,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> Separation:
    """Split a frame into a background of nearly low-rank patches and a sparse bright target.

    ``image`` (H, W) of any depth: target (never negative) and background come back in its grey
    levels, and a times the frame gives a times both. NaN and infinite pixels are filled first.
    Patches of ``side`` pixels every ``step`` pixels. The N singular values of the patches that are
    at least 0.005 of the largest are left alone, the target's share in them included: N grows with
    what is in the scene, and a bright target may be lost that way. ``most_protected`` bounds N, and
    was not published. Where all values are that large, as with few patches, N is 1.

    Stops: "tolerance" (what is in neither map is below 1e-7 of the patches), a limit, or "constant
    frame". Details: ``crit``, that share; ``protected``, N; ``patches``; of a constant frame none.

    The result is that of full singular value decompositions to 1e-6 of the highest response, on any
    number of threads, iterations and rank are the same. Who is protected is a matter of order,
    though: where the values around the N-th cross on the way, rounding is amplified up to 1e9
    times, and full decompositions of the same patches in another order differ as well.

    Memory for K patches of p pixels (`needed_bytes`): about 44 K p + 64 min(K, p)^2 bytes, for the
    usual 50/10 1.1 kB a pixel and up to 0.4 GB: 0.7 GB at 640x512, 1.8 GB at 1280x1024.

    Raises:
        FrameError: a frame that needs more memory than ``resources`` allow.
        UsageError: a side, step, number or limit that is not positive, an unknown grid.

    Dai et al., "Non-negative infrared patch-image model: Robust target-background separation via
    partial sum minimization of singular values", Infrared Physics & Technology 81, 2017, as in its
    authors' code.
    """
    _check_most(most_protected)
    layout, budget = Layout(side, step, grid), Budget(max_iter, time_limit)
    resources = resources or Resources()
    return _separate(image, layout, most_protected, budget, resources, background=True)


def nipps_detector(
    *,
    mode: Mode = "default",
    approximate: Approximation = "none",
    step: int | None = None,
    most_protected: int | None = None,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> MapDetector:
    """NIPPS on patches of 50 pixels every 10.

    Default mode protects at most `PROTECTED` singular values, unless ``most_protected`` says
    otherwise, and takes smaller patches of frames shorter than two of them. ``approximate="fast"``
    widens the step where that is more than 520 patches: 25 pixels at 640x512, 50 at 1280x1024.
    """
    _check_most(most_protected)
    most = choose(mode, most_protected, default=PROTECTED, reference=None)
    Budget(max_iter, time_limit)  # says now what is wrong with a limit
    layout = layout_of(approximate, step, "flush", fitted=mode == "default")

    def found(image: Floats) -> Saliency:
        budget, own = Budget(max_iter, time_limit), resources or Resources()
        return _separate(image, layout, most, budget, own, background=False).saliency()

    return chosen_detector("nipps", found, mode)


def _check_most(most_protected: int | None) -> None:
    if most_protected is not None and most_protected < 1:
        raise UsageError(f"most_protected is at least 1, or None, got {most_protected}")


def _separate(
    image: ArrayLike,
    layout: Layout,
    most_protected: int | None,
    budget: Budget,
    resources: Resources,
    *,
    background: bool,
) -> Separation:
    """The whole method; without ``background`` that map stays 0."""
    frame = patch_holes(image).filled.astype(np.float64, copy=False)
    grid = layout.grid(frame.shape)
    resources.check(needed_bytes(grid), frame.shape)
    zeros = np.zeros(frame.shape)
    if frame.min() == frame.max():
        return Separation(zeros, frame.copy(), 0, "constant frame", 1, 0)
    with resources.limited(scipy_alone=True):
        solver = _Solver(unfold(frame, grid).T, most_protected)
        iterations, last, stop = _run(solver, budget)
        sparse, low = solver.finish()
        target = fold_mean(sparse.T, grid)
        behind = fold_mean(low.T, grid) if background else zeros
    details = {"crit": last.crit, "protected": solver.protected, "patches": grid.count}
    return Separation(target, behind, iterations, stop, last.rank, last.positive, details)


@dataclass(frozen=True)
class _Iterate:
    """What one iteration tells: rank of the background, entries of the target, what is in none."""

    rank: int
    positive: int
    crit: float


def _run(solver: _Solver, budget: Budget) -> tuple[int, _Iterate, Stop]:
    iterations = 0
    while True:
        now = solver.step()
        iterations += 1
        stop = budget.hit(iterations)
        if now.crit < TOLERANCE:
            stop = "tolerance"
        if stop is not None:
            return iterations, now, stop


class _Solver:
    """Inexact augmented Lagrangian, `step` by step.

    ``patches`` D (K, p) are rows. An iteration splits a point P into a background B and what is
    lowered off it, C = P - B; the multiplier over the penalty is C times a ratio of penalties. So
    the next target is soft+(D - P + C + ratio C) and the next point D + ratio C less that: three
    matrices beside the patches are enough.
    """

    def __init__(self, patches: Floats, most_protected: int | None) -> None:
        self.patches = patches
        self._size = min(patches.shape)
        self._leading = Leading()
        largest, self.protected = self._count_protected(most_protected)
        self._weight = _FACTOR / float(np.sqrt(self._size))
        self._penalty = _START / largest
        self._last_penalty = _LIMIT * self._penalty
        dual = max(largest, float(np.abs(patches).max()) / self._weight)
        self._lowered = patches / (dual * self._penalty)  # C, then ratio C
        self._point = self._lowered.copy()  # P
        self._free = np.empty_like(patches)
        self._ratio = 1.0
        self._norm = float(np.linalg.norm(patches))

    def _count_protected(self, most: int | None) -> tuple[float, int]:
        """The largest singular value, and how many are left alone."""
        largest = float(self._leading.above(self.patches, np.inf, least=1).values[0])
        least = RATIO * largest
        values = self._leading.above(self.patches, least * (1 - 1e-9)).values
        count = int((values >= least).sum())
        if count == self._size:
            count = 1
        return largest, count if most is None else min(count, most)

    def step(self) -> _Iterate:
        """One iteration."""
        positive = self._move_point()
        rank = self._lower(1 / self._penalty)
        square = 0.0
        for rows in bands(self._point.shape):
            rest = self._free[rows] - self._lowered[rows]
            square += float(np.vdot(rest, rest))
        self._lowered, self._free = self._free, self._lowered
        following = min(_GROWTH * self._penalty, self._last_penalty)
        self._ratio, self._penalty = self._penalty / following, following
        return _Iterate(rank, positive, float(np.sqrt(square)) / self._norm)

    def _move_point(self) -> int:
        """Make the next point; positive entries of the target that it leaves out."""
        positive, level = 0, self._weight / self._penalty
        for rows in bands(self._point.shape):
            lowered, point = self._lowered[rows], self._point[rows]
            sparse = lowered - point
            lowered *= self._ratio
            np.add(self.patches[rows], lowered, out=point)
            sparse += point
            sparse -= level
            np.maximum(sparse, 0, out=sparse)
            positive += int(np.count_nonzero(sparse))
            point -= sparse
        return positive

    def _lower(self, threshold: float) -> int:
        """Write what is lowered off the point; the rank of the background that stays."""
        if self._leading.expects_many(self._size):
            values, vectors = decomposed(self._point)
            taken = 1 - kept_share(values, threshold, self.protected)
            halves = vectors * np.sqrt(taken)
            product(tall(self._point), gram(halves.T), tall(self._free))
            return int((taken < 1).sum())
        parts = self._leading.above(self._point, threshold, least=self.protected)
        kept = kept_share(parts.values, threshold, self.protected)
        parts.write(kept, self._free)
        for rows in bands(self._point.shape):
            np.subtract(self._point[rows], self._free[rows], out=self._free[rows])
        return int((kept > 0).sum())

    def finish(self) -> tuple[Floats, Floats]:
        """Target and background (K, p), in the memory that another step would need."""
        carried, point, lowered = self._free, self._point, self._lowered
        for rows in bands(point.shape):  # exact zeros, as the point was made of the same sum
            carried[rows] += self.patches[rows]
            carried[rows] -= point[rows]
            point[rows] -= lowered[rows]
        return carried, point
