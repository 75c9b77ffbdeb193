"""Partial sum of the tensor nuclear norm (PSTNN): low rank of patches in the Fourier domain."""

from __future__ import annotations

from functools import partial

import numpy as np
import scipy.fft
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from deepir.choices import Mode
from deepir.classical.low_rank.grey_levels import on_grey_scale
from deepir.classical.low_rank.patches import (
    PatchGrid,
    as_columns,
    fold_mean,
    patch_grid,
    unfold_tensor,
)
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget, Separation, Stop
from deepir.classical.low_rank.sparse_score import sparse_detector
from deepir.classical.low_rank.structure_tensor import corner_prior
from deepir.classical.modes import choose
from deepir.errors import UsageError
from deepir.map_detector import MapDetector

Floats = NDArray[np.float64]

SIDE, STEP, FACTOR = 40, 40, 0.7
"""Patch and step in pixels, factor of lambda: the authors' demonstration."""

CAP = 500
"""Iterations at most; three to twelve are usual."""

_EPSILON = 0.01  # of the reweighting, in grey levels
_TOLERANCE = 1e-3
_MU, _RHO, _MU_LAST = 2e-3, 1.05, 1e10  # penalty: at first, its growth, its limit
_ARRAYS = 16  # as large as the patches, at most
_RATIO = 0.1  # singular values from this share of the largest on are protected


def pstnn(
    image: ArrayLike,
    *,
    side: int = SIDE,
    step: int = STEP,
    factor: float = FACTOR,
    mixed: bool = True,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> Separation:
    """Split a frame into patches whose Fourier slices are low-rank and a sparse bright target.

    ``image`` (H, W): whole numbers from 0 to 255 are taken as they are, anything else is mapped
    there linearly from its own extremes (`on_grey_scale`), holes filled; target (never negative)
    and background come back in the frame's own grey levels. Patches of ``side`` pixels every
    ``step`` pixels on the flush grid, down the columns first: their order matters. ``factor``
    scales lambda. The number N of protected singular values is counted in a matrix of the patches:
    with ``mixed``, as released, the tensor in memory order cut into rows that mix patches, else its
    first unfolding. In flat scenes both give 1, in others they may differ by one or two.

    Where the structure tensor is 0 the published prior is 0 / 0 and the target stays 0.

    Stops: "tolerance" (relative step below 1e-3), "support rule" (as many positive entries as
    before, and some), a limit, or "constant frame". ``rank`` is the largest of any slice. Details:
    ``crit``, the relative step; ``protected``, N; ``patches``.

    40/40 needs 0.12 kB a pixel: 0.04 GB for 640x512.

    Raises:
        UsageError: side, step, factor or a limit that is not positive.
        FrameError: a frame that needs more memory than ``resources`` allow.

    Zhang and Peng, "Infrared Small Target Detection Based on Partial Sum of the Tensor Nuclear
    Norm", Remote Sensing 11(4), 382, 2019, as in its authors' code.
    """
    if not factor > 0:
        raise UsageError(f"factor of lambda is above 0, got {factor}")
    budget, resources = Budget(max_iter, time_limit), resources or Resources()
    grey = on_grey_scale(image)
    shape = grey.values.shape
    grid = patch_grid(shape, side=side, step=step, kind="flush")
    if np.ptp(grey.values) == 0:
        return Separation(np.zeros(shape), grey.level(grey.values), 0, "constant frame", 0, 0)
    resources.check(_ARRAYS * grid.nbytes, shape)
    with resources.limited():
        frame = _blocks(grey.values, grid)
        protected = _protected(frame, mixed=mixed)
        weight = factor / float(np.sqrt(side * grid.count))
        solver = _Solver(frame, _blocks(corner_prior(grey.values), grid), weight, protected)
        iterations, stop = _run(solver, budget)
    return Separation(
        grey.difference(fold_mean(_columns(solver.target), grid)),
        grey.level(fold_mean(_columns(solver.background), grid)),
        iterations,
        stop,
        solver.rank,
        solver.positive,
        {"crit": solver.crit, "protected": protected, "patches": grid.count},
    )


def pstnn_detector(
    *,
    mode: Mode = "default",
    side: int = SIDE,
    step: int = STEP,
    factor: float = FACTOR,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> MapDetector:
    """PSTNN on patches of 40 pixels; default: its target in deviations of the frame."""
    settings = partial(
        pstnn,
        side=side,
        step=step,
        factor=factor,
        mixed=choose(mode, None, default=False, reference=True),
        max_iter=max_iter,
        time_limit=time_limit,
        resources=resources,
    )
    settings(np.zeros((1, 1)))  # says now what is wrong with an option
    return sparse_detector("pstnn", settings, mode)


def _blocks(image: Floats, grid: PatchGrid) -> Floats:
    return np.moveaxis(unfold_tensor(image, grid), 2, 0)


def _columns(blocks: Floats) -> Floats:
    return as_columns(np.moveaxis(blocks, 0, 2))


def _protected(blocks: Floats, *, mixed: bool) -> int:
    """Singular values of a matrix of the patches from a tenth of the largest on, at least 1."""
    if mixed:
        matrix = blocks.transpose(0, 2, 1).reshape(-1, len(blocks))
    else:
        matrix = blocks.transpose(0, 2, 1).reshape(-1, blocks.shape[1])
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    squares = scipy.linalg.eigvalsh(gram, check_finite=False)
    return max(1, int(np.count_nonzero(squares >= _RATIO**2 * squares[-1])))


class _Solver:
    """Alternating directions on patches (K, s, s), `step` by step."""

    def __init__(self, frame: Floats, prior: Floats, weight: float, protected: int) -> None:
        self._frame, self._prior, self._weight = frame, prior, weight
        self._protected = protected
        self._norm = float(np.linalg.norm(frame))
        self._multiplier = np.zeros_like(frame)
        self._penalty = _MU
        self._weights = np.ones_like(frame)
        self.target = np.zeros_like(frame)
        self.background = np.zeros_like(frame)
        self.rank, self.positive, self.crit = 0, 0, np.inf

    def step(self) -> None:
        """One iteration up to the step of the multiplier, which `go_on` takes."""
        shifted = self._frame - self._multiplier / self._penalty
        self.background, self.rank = lowered_slices(
            shifted - self.target, 1 / self._penalty, self._protected
        )
        shifted -= self.background
        shifted -= self._weights * (self._weight / self._penalty)
        np.maximum(shifted, 0, out=self.target)
        self.positive = int(np.count_nonzero(self.target))
        self._gap = self.background + self.target - self._frame
        self.crit = float(np.linalg.norm(self._gap)) / self._norm

    def go_on(self) -> None:
        """Weights, multiplier and penalty of the next iteration."""
        self._weights.fill(np.inf)  # without a prior the target stays 0
        sizes = (self.target + _EPSILON) * self._prior
        with np.errstate(over="ignore"):
            np.divide(self._protected, sizes, out=self._weights, where=sizes > 0)
        self._multiplier += self._penalty * self._gap
        self._penalty = min(_RHO * self._penalty, _MU_LAST)


def lowered_slices(blocks: Floats, threshold: float, protected: int) -> tuple[Floats, int]:
    """Lower singular values of all frontal slices of the Fourier transform along the patches.

    ``blocks`` (K, s, s) real; the largest ``protected`` values of each slice stay. Returns the
    result, as large and real, and the largest rank of any slice. A real tensor has slices in
    conjugate pairs, of which one is enough.

    >>> lowered_slices(np.array([[[5.0]], [[3.0]]]), 1.0, 0)[0].ravel().tolist()
    [4.0, 3.0]
    """
    slices = scipy.fft.rfft(blocks, axis=0)
    left, values, right = np.linalg.svd(slices)
    kept = np.maximum(values - threshold, 0)
    kept[:, :protected] = values[:, :protected]
    slices = (left * kept[:, None, :]) @ right
    back: Floats = scipy.fft.irfft(slices, n=len(blocks), axis=0, overwrite_x=True)
    return back, int(np.count_nonzero(kept, axis=1).max())


def _run(solver: _Solver, budget: Budget) -> tuple[int, Stop]:
    """Iterate until a rule or a limit ends it; how many times, and what did."""
    iterations = 0
    while True:
        before = solver.positive
        solver.step()
        iterations += 1
        if solver.crit < _TOLERANCE:
            return iterations, "tolerance"
        if solver.positive == before > 0:
            return iterations, "support rule"
        if (limit := budget.hit(iterations)) is not None:
            return iterations, limit
        solver.go_on()
