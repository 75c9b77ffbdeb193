"""Stable multi-subspace learning (SMSL), experimental: a re-derivation from its description.

Neither code nor text of the published method was available. What is known of it (patches, an
orthonormal dictionary learnt with groups of coefficients, a sparse target, a dense noise term, no
singular value decomposition in the iteration) is put together here from robust orthonormal subspace
learning; its published figures are no measure of this.

Group-orthonormal subspace recovery of this form is covered by a granted patent, US 8,935,308 B2.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, get_args

import cv2
import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from deepir.choices import Mode
from deepir.classical.chosen import chosen_detector
from deepir.classical.low_rank.patches import fold_mean, patch_grid, unfold
from deepir.classical.low_rank.resources import Resources
from deepir.classical.low_rank.separation import Budget, Separation, Stop
from deepir.classical.modes import choose
from deepir.errors import UsageError, unknown_name
from deepir.holes import patch_holes
from deepir.map_detector import MapDetector
from deepir.saliency import Saliency
from deepir.structures import check_image

Floats = NDArray[np.float64]

Noise = Literal["variance", "deviation"]
"""What the weight of the dense noise follows from: 1 / variance, or lambda / (3 deviations)."""

SIDE, STEP, FACTOR = 30, 30, 1.0
"""Patch and step in pixels as later comparisons quote them, factor of lambda."""

CAP = 100
"""Iterations at most; about 20 are usual."""

_RHO, _MU_SPAN, _TOLERANCE = 1.5, 1e7, 1e-7
_ARRAYS = 12  # as large as the patches, at most
_DEVIATIONS = 3  # that an entry of the dense noise may have
_LAPLACIAN = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])


def smsl(
    image: ArrayLike,
    *,
    step: int = STEP,
    factor: float = FACTOR,
    noise: Noise = "deviation",
    seed: int | None = None,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> Separation:
    """Split a frame into few orthonormal patches' mixtures, dense noise and a sparse bright target.

    Experimental, see the module. ``image`` (H, W) in its own grey levels, holes filled; so are
    target (never negative) and background. Patches of 30 pixels every ``step`` pixels on the flush
    grid: columns X = D A + T + N with ``D.T D`` = I, for the least sum of the lengths of A's rows
    + lambda |T|_1 + gamma / 2 |N|^2. ``factor`` scales lambda = factor / sqrt(least side of X).
    gamma comes from the frame's noise s: 1 / s^2 ("variance"), or lambda / (3 s) ("deviation"),
    which lets a number of N reach three deviations and the result scale with the frame. Without a
    ``seed`` A starts as the singular vectors of X, and nothing is random; with one as random
    numbers, and another seed gives another result, in small frames a very different one.

    Stops: "tolerance" (relative residual below 1e-7), a limit, or "constant frame". ``rank`` is the
    number of dictionary patches left. Details: ``crit``, the relative residual; ``noise``, s in
    grey levels; ``patches``.

    30/30 needs 0.1 kB a pixel: 0.03 GB for 640x512; a smaller step about (30 / step)^2 as much.

    Raises:
        UsageError: step, factor or a limit that is not positive, an unknown noise.
        FrameError: a frame that needs more memory than ``resources`` allow.

    Wang et al., "Infrared Dim and Small Target Detection Based on Stable Multisubspace Learning in
    Heterogeneous Scene", IEEE TGRS 55(10), 2017; the inner step: Shu, Porikli, Ahuja, "Robust
    Orthonormal Subspace Learning", CVPR 2014, algorithm 1.
    """
    if not factor > 0:
        raise UsageError(f"factor of lambda is above 0, got {factor}")
    if noise not in get_args(Noise):
        raise unknown_name("noise", noise, get_args(Noise))
    budget, resources = Budget(max_iter, time_limit), resources or Resources()
    frame = patch_holes(image).filled.astype(np.float64, copy=False)
    grid = patch_grid(frame.shape, side=SIDE, step=step, kind="flush")
    if np.ptp(frame) == 0:
        return Separation(np.zeros(grid.shape), frame.copy(), 0, "constant frame", 0, 0)
    unit = float(np.abs(frame).max())  # in units of it nothing can overflow
    least = min(grid.pixels, grid.count)
    resources.check(_ARRAYS * grid.nbytes + 16 * least * (grid.count + least), frame.shape)
    weight = factor / float(np.sqrt(least))
    deviation = noise_deviation(frame)
    with np.errstate(divide="ignore"):
        stiff = np.divide(weight * unit, _DEVIATIONS * deviation)
        if noise == "variance":
            stiff = np.divide(unit, deviation**2)
    with resources.limited():
        columns = unfold(frame / unit, grid)
        solver = _Solver(columns, weight, float(stiff), seed)
        iterations, stop = _run(solver, budget)
    return Separation(
        fold_mean(solver.target, grid) * unit,
        fold_mean(solver.background, grid) * unit,
        iterations,
        stop,
        len(solver.coefficients),
        int(np.count_nonzero(solver.target)),
        {"crit": solver.crit, "noise": deviation, "patches": grid.count},
    )


def smsl_detector(
    *,
    mode: Mode = "default",
    step: int = STEP,
    factor: float = FACTOR,
    noise: Noise | None = None,
    seed: int | None = None,
    max_iter: int = CAP,
    time_limit: float | None = None,
    resources: Resources | None = None,
) -> MapDetector:
    """SMSL, experimental; reference: random start, default: the frame's own, and milder noise.

    Without a ``seed`` reference takes 0. Covered by US 8,935,308 B2, see the module.
    """
    settings = partial(
        smsl,
        step=step,
        factor=factor,
        noise=choose(mode, noise, default="deviation", reference="variance"),
        seed=choose(mode, seed, default=None, reference=0),
        max_iter=max_iter,
        time_limit=time_limit,
        resources=resources,
    )
    settings(np.zeros((1, 1)))  # says now what is wrong with an option

    def found(image: Floats) -> Saliency:
        return settings(image).saliency()

    return chosen_detector("smsl", found, mode)


def noise_deviation(image: ArrayLike) -> float:
    """Deviation of a frame's noise in grey levels, from second differences both ways.

    1.4826 times the median of their sizes (where that is 0, as in smooth 8-bit frames, 1.2533 times
    the mean), over 6: white noise of deviation 1 makes them 6. A frame below 3 x 3 pixels gives 0.

    Immerkaer, "Fast Noise Variance Estimation", CVIU 64(2), 1996, with the median.
    """
    frame = check_image(image).astype(np.float64, copy=False)
    if min(frame.shape) < 3:
        return 0.0
    sizes = np.abs(cv2.filter2D(frame, cv2.CV_64F, _LAPLACIAN)[1:-1, 1:-1])
    middle = float(np.median(sizes))
    return 1.4826 * middle / 6 if middle > 0 else 1.2533 * float(sizes.mean()) / 6


def orthonormal_sweep(
    columns: Floats, dictionary: Floats | None, coefficients: Floats, threshold: float
) -> tuple[Floats, Floats]:
    """One Gauss-Seidel sweep of robust orthonormal subspace learning, over all atoms at once.

    ``columns`` P (n, K); ``dictionary`` D (n, k) with orthonormal columns, None before the first
    sweep; ``coefficients`` A (k, K). Atom by atom the text reads: R_i = P without all other atoms;
    d_i = R_i a_i made orthogonal to the new atoms before it, and of length 1; a_i = d_i R_i with
    its length lowered by ``threshold``. What the new atoms before i contribute to R_i a_i lies in
    their span and goes; so all directions come from one product of old values, and the
    Gram-Schmidt of all is one QR decomposition. Nor do new atoms contribute to d_i R_i.

    Returns the new D and A; an atom without direction has zeros in both.
    """
    if not len(coefficients):
        return np.zeros((len(columns), 0)), coefficients
    raw = columns @ coefficients.T
    if dictionary is not None:
        raw -= dictionary @ np.tril(coefficients @ coefficients.T, -1)
    axes, triangle = scipy.linalg.qr(raw, mode="economic", overwrite_a=True, check_finite=False)
    new = np.multiply(axes, np.sign(triangle.diagonal()), dtype=np.float64)
    fitted = new.T @ columns
    if dictionary is not None:
        fitted -= np.triu(new.T @ dictionary, 1) @ coefficients
    lengths = np.linalg.norm(fitted, axis=1)
    share = np.zeros_like(lengths)
    np.divide(lengths - threshold, lengths, out=share, where=lengths > threshold)
    return new, fitted * share[:, None]


def singular_start(columns: Floats, threshold: float) -> Floats:
    """Multiples (k, K) of the right singular vectors of a matrix (n, K), the largest value first.

    Only those above a threshold: a first `orthonormal_sweep` drops all others, in the order in
    which they stand.
    """
    rows, count = columns.shape
    gram = columns.T @ columns if count <= rows else columns @ columns.T
    squares, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False)
    kept = vectors[:, ::-1][:, : int(np.count_nonzero(squares > threshold**2))].T
    return kept if count <= rows else kept @ columns


class _Solver:
    """Augmented Lagrangian with a scaled multiplier, one `step` an iteration."""

    def __init__(self, columns: Floats, weight: float, stiff: float, seed: int | None) -> None:
        self._columns, self._weight, self._stiff = columns, weight, stiff
        self._norm = float(np.linalg.norm(columns))
        self._penalty = 10 * weight / float(np.abs(columns).max())
        self._last_penalty = _MU_SPAN * self._penalty
        self._noise = np.zeros_like(columns)
        self._multiplier = np.zeros_like(columns)
        self._dictionary: Floats | None = None
        self.coefficients = (
            singular_start(columns, 1 / self._penalty)
            if seed is None
            else np.random.default_rng(seed).standard_normal((min(columns.shape), columns.shape[1]))
        )
        self.background = columns
        self.target = np.zeros_like(columns)
        self.crit = np.inf

    def step(self) -> None:
        """Target, noise, atoms, multiplier and penalty anew, in this order."""
        penalty = self._penalty
        held = self._columns + self._multiplier
        rest = held - self.background
        self.target = np.maximum(rest - self._noise - self._weight / penalty, 0)
        self._noise = (penalty / (penalty + self._stiff)) * (rest - self.target)
        held -= self.target
        held -= self._noise
        dictionary, coefficients = orthonormal_sweep(
            held, self._dictionary, self.coefficients, 1 / penalty
        )
        used = coefficients.any(axis=1)
        self._dictionary, self.coefficients = dictionary[:, used], coefficients[used]
        self.background = self._dictionary @ self.coefficients
        held -= self.background  # the multiplier and what the constraint lacks
        self.crit = float(np.linalg.norm(held - self._multiplier)) / self._norm
        self._multiplier = held / _RHO
        self._penalty = min(_RHO * penalty, self._last_penalty)


def _run(solver: _Solver, budget: Budget) -> tuple[int, Stop]:
    """Iterate until a rule or a limit ends it; how many times, and what did."""
    iterations = 0
    while True:
        solver.step()
        iterations += 1
        if solver.crit < _TOLERANCE:
            return iterations, "tolerance"
        if (limit := budget.hit(iterations)) is not None:
            return iterations, limit
