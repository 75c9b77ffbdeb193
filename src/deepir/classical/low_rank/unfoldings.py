"""Thresholds on the three unfoldings of a patch tensor, without singular value decompositions.

Lowering the singular values of a matrix M by t takes ``M @ N`` from it, N a function of the Gram
matrix ``M.T @ M``. With patches of side s as rows of s * s numbers, what each of the three
unfoldings (down a patch, across a patch, through all patches) loses in one patch depends on other
patches through N alone. `Explicit` patches are updated number by number. `Implied` ones hold no
target and never will: all that the next N needs of them is the Gram matrix of the frame there, so
an iteration costs them nothing that grows with the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from deepir.classical.low_rank.singular_values import pairs_above

Floats = NDArray[np.float64]
Grams = tuple[Floats, Floats, Floats]

RHO = 1.5
"""By which the threshold falls from one iteration to the next."""

EPSILON = 0.01
"""Grey levels added to a target before a weight is divided by it."""

_BAND_BYTES = 262_144  # of one array worked on at a time, so that half a dozen stay in the cache
_PATCHES = 64  # multiplied at a time, for the same reason
_FEW = 12  # up to a twelfth of all, eigenvectors are quicker to find one by one


@dataclass(frozen=True, eq=False)
class Taken:
    """What a threshold t takes from the singular values of a matrix M, by its Gram matrix (n, n).

    What is left is ``M @ kept @ kept.T``, of rank r. ``gram`` (n, n) is the Gram matrix of what is
    taken: t^2 along singular vectors above the threshold, the square of their value along others.
    """

    kept: Floats  # (n, r)
    gram: Floats

    @property
    def rank(self) -> int:
        """That of what is left."""
        return int(self.kept.shape[1])

    @cached_property
    def share(self) -> Floats:
        """N (n, n), for ``M @ N`` is what is taken."""
        share = -_squared(self.kept)
        share.flat[:: len(share) + 1] += 1
        return share

    def of_rows(self, matrix: Floats, out: Floats | None = None) -> Floats:
        """``matrix @ N``, by the shorter way."""
        if 2 * self.rank >= len(self.kept):
            whole: Floats = np.matmul(matrix, self.share, out=out)
            return whole
        left: Floats = np.matmul(matrix @ self.kept, self.kept.T, out=out)
        return np.subtract(matrix, left, out=left)


def taken(gram: Floats, threshold: float, *, expected: int | None = None) -> Taken:
    """What lowering singular values by a threshold takes away, by the Gram matrix (n, n).

    Where few are ``expected`` to stay above the threshold, only their vectors are computed, which
    is quicker then and gives the same to rounding.

    >>> (taken(np.diag([9.0, 1.0]), 2.0).share + 0.0).round(3).tolist()
    [[0.667, 0.0], [0.0, 1.0]]
    """
    if expected is not None and expected * _FEW <= len(gram):
        squares, vectors = pairs_above(gram, threshold**2)
        return _taken_from_few(gram, squares, vectors, threshold)
    squares, vectors = scipy.linalg.eigh(gram, driver="evd", check_finite=False)
    low = int(np.searchsorted(squares, threshold**2, side="right"))
    if 2 * low > len(gram):
        return _taken_from_few(gram, squares[low:], vectors[:, low:], threshold)
    kept = vectors[:, low:] * np.sqrt(1 - threshold / np.sqrt(squares[low:]))
    lower = threshold**2 - np.maximum(squares[:low], 0)
    inner = -_squared(vectors[:, :low] * np.sqrt(lower))
    inner.flat[:: len(inner) + 1] += threshold**2
    return Taken(kept, inner)


def _taken_from_few(gram: Floats, squares: Floats, vectors: Floats, threshold: float) -> Taken:
    """From the eigenvalues above the squared threshold, and their vectors."""
    kept = vectors * np.sqrt(1 - threshold / np.sqrt(squares))
    return Taken(kept, gram - _squared(vectors * np.sqrt(squares - threshold**2)))


def _squared(matrix: Floats) -> Floats:
    product: Floats = matrix @ matrix.T  # one operand, so that half of the products are enough
    return product


@dataclass(frozen=True, eq=False)
class Sweep:
    """What one iteration takes from the unfoldings, and its thresholds in grey levels.

    ``target`` is the threshold of a target's entry of weight 1.
    """

    down: Taken
    across: Taken
    through: Taken
    target: float


def grams(down: Floats, across: Floats, through: Floats, *, from_left: bool) -> Grams:
    """Gram matrices of three tensors (n, s, s), each of another unfolding.

    Down and across a patch they are (s, s); through all patches (n, n) with ``from_left``, the
    sums of products of two patches, else (s * s, s * s).
    """
    side = down.shape[1]
    first = np.zeros((side, side))
    for start in range(0, len(down), _PATCHES):
        some = down[start : start + _PATCHES]
        first += np.matmul(some, some.transpose(0, 2, 1)).sum(axis=0)
    columns, rows = across.reshape(-1, side), as_rows(through)
    return first, columns.T @ columns, rows @ rows.T if from_left else rows.T @ rows


class Explicit:
    """Patches (n, s, s) with their target, updated number by number.

    ``parts`` are F + mu Y - T for the three unfoldings: frame F, multipliers mu Y, target T.
    ``residual`` is F - B - T of the last iteration, B the mean of the three backgrounds. With
    ``from_left`` the third unfolding has fewer patches than a patch has numbers, and its Gram
    matrix is that of patches.
    """

    def __init__(self, frame: Floats, edges: Floats, *, from_left: bool) -> None:
        self.frame, self.edges, self.from_left = frame, edges, from_left
        self.target = np.zeros_like(frame)
        self.residual = np.empty_like(frame)
        self.parts: tuple[Floats, ...] = (frame, frame, frame)

    def grams(self) -> Grams:
        """Gram matrices of the three parts."""
        return grams(*self.parts, from_left=self.from_left)

    def take_through(self, taken: Taken) -> Floats:
        """What the third unfolding (patches as rows) loses (n, s * s); kept in ``residual``."""
        third, out = as_rows(self.parts[2]), as_rows(self.residual)
        if self.from_left:
            return np.matmul(taken.share, third, out=out)
        return taken.of_rows(third, out)

    def start(self, sweep: Sweep) -> tuple[int, float]:
        """First target, after `take_through`; its positive entries, and |residual|^2."""
        positive, square = 0, 0.0
        for band in self._bands():
            mean = _mean(self._losses(band, sweep))
            target = np.maximum(mean - self.edges[band] * sweep.target, 0, out=self.target[band])
            mean -= target
            self.residual[band] = mean
            positive += int(np.count_nonzero(target))
            square += float(np.vdot(mean, mean))
        return positive, square

    def pick(self, patches: NDArray[np.intp], sweep: Sweep) -> Explicit:
        """Some of the patches as they are after `start`, ready for `update`.

        Their ``residual`` holds what they lost through all patches.
        """
        some = Explicit(self.frame[patches], self.edges[patches], from_left=self.from_left)
        some.target = self.target[patches]
        if self.from_left:
            as_rows(some.residual)[:] = sweep.through.share[patches] @ as_rows(self.frame)
        else:
            some.take_through(sweep.through)
        base = some.frame - (1 + 1 / RHO) * some.target
        losses = some._losses(slice(None), sweep)
        some.parts = tuple(base + loss / RHO for loss in losses)
        return some

    def update(self, sweep: Sweep) -> tuple[int, float]:
        """Next target and parts, after `take_through`; positive entries, and |residual|^2.

        What is left of ``F + mu Y`` without its background, loss + T, gives the next target by its
        mean, and the next ``F + mu Y`` as F + (loss + T - next T) / RHO.
        """
        positive, square = 0, 0.0
        for band in self._bands():
            losses, target, frame = self._losses(band, sweep), self.target[band], self.frame[band]
            parts = [part[band] for part in self.parts]
            mean = _mean(losses)
            residual = frame + mean
            residual -= _mean(parts)
            base = target / RHO + frame
            mean += target
            target += EPSILON
            mean -= self.edges[band] * sweep.target / target
            np.maximum(mean, 0, out=target)
            residual -= target
            base -= (1 + 1 / RHO) * target
            for part, loss in zip(parts, losses, strict=True):
                np.multiply(loss, 1 / RHO, out=part)
                part += base
            self.residual[band] = residual
            positive += int(np.count_nonzero(target))
            square += float(np.vdot(residual, residual))
        return positive, square

    def _losses(self, band: slice, sweep: Sweep) -> tuple[Floats, Floats, Floats]:
        """What each unfolding loses, that through all patches from where `take_through` left it."""
        down, across, _ = (part[band] for part in self.parts)
        side = down.shape[1]
        beside = (across.reshape(-1, side) @ sweep.across.share).reshape(across.shape)
        return np.matmul(sweep.down.share, down), beside, self.residual[band]

    def _bands(self) -> Iterator[slice]:
        patches = max(1, _BAND_BYTES // (8 * self.frame.shape[1] ** 2))
        for start in range(0, len(self.frame), patches):
            yield slice(start, start + patches)


def _mean(three: Sequence[Floats]) -> Floats:
    total = three[0] + three[1]
    total += three[2]
    total *= 1 / 3
    return total


class Implied:
    """Patches without a target, by the Gram matrix (s * s, s * s) of the frame there.

    Their part is X K for a frame X (patches as rows) and a matrix K per unfolding that starts as
    the identity; each iteration takes X D with D = K N and leaves K = I + D / rho. So the Gram
    matrix of the part follows from X.T X and X.T X D. Down and across a patch, D is the product of
    a matrix (s, s) with the identity. With ``keep`` D itself is kept, for `residual`.
    """

    def __init__(self, gram: Floats, small: tuple[Floats, Floats], *, keep: bool) -> None:
        side = len(small[0])
        self._frame, self._small = gram, small
        self._through = gram  # Gram matrix of the part
        self._pulled = np.zeros_like(gram)  # X.T X D of the last iteration
        self._square = 0.0  # |X D|^2 of it
        self._inner = (np.zeros((side, side)), np.zeros((side, side)))  # D down and across
        self._keep, self._whole = keep, np.empty((0, 0))  # D through all patches
        self._gaps: tuple[Floats, ...] = ()

    def grams(self) -> Grams:
        """Gram matrices of the three unfoldings of the parts."""
        down, across = (np.eye(len(inner)) + inner / RHO for inner in self._inner)
        first, second = self._small
        return down @ first @ down.T, across.T @ second @ across, self._through

    def step(self, sweep: Sweep, lost: Floats) -> float:
        """Go through one iteration, in which `Explicit` ones lose ``lost``; |residual|^2 here."""
        base = self._pulled * (1 / RHO)
        base += self._frame  # X.T times the part
        pulled = sweep.through.of_rows(base)
        inner = sweep.through.gram - lost.T @ lost
        square = float(inner.trace())
        cross = float(np.vdot(sweep.through.share, self._through) - pulled.trace())
        gap = square - 2 * cross + self._square / RHO**2  # cross: <X D, X D before> / RHO
        np.subtract(pulled, base, out=base)
        base += self._frame
        self._through = pulled + pulled.T
        self._through *= 1 / RHO
        self._through += self._frame
        inner *= 1 / RHO**2
        self._through += inner
        self._pulled, self._square = pulled, square
        return (gap + self._step_inside(sweep, base)) / 9

    def _step_inside(self, sweep: Sweep, third: Floats) -> float:
        """Go down and across; their part of 9 |residual|^2, given X.T X P of the third unfolding.

        The residual is a third of the sum of X P, with P = D - D before / RHO.
        """
        down, across = self._inner
        new_down = sweep.down.share @ (np.eye(len(down)) + down / RHO)
        new_across = (np.eye(len(across)) + across / RHO) @ sweep.across.share
        self._inner = new_down, new_across
        p, q = new_down - down / RHO, new_across - across / RHO
        self._gaps = p, q
        if self._keep:
            before, share = self._whole / RHO, sweep.through.share
            self._whole = sweep.through.of_rows(before) + share if before.size else share
            self._gaps = p, q, self._whole - before if before.size else share
        return _inner_products(p, q, self._small, self._frame, third)

    def residual(self, frame: Floats, out: Floats) -> None:
        """Residual of patches (n, s, s) of the frame, written to ``out``; needs ``keep``."""
        down, across, through = self._gaps
        np.matmul(as_rows(frame), through, out=as_rows(out))
        for patch, result in zip(frame, out, strict=True):
            result += down @ patch + patch @ across
        out /= 3


def _inner_products(
    down: Floats, across: Floats, small: tuple[Floats, Floats], gram: Floats, third: Floats
) -> float:
    """Squares of P1 x and x P2, summed over patches x, and twice all products of unlike ones.

    ``small`` are the sums of ``x @ x.T`` and of ``x.T @ x``, ``gram`` (s * s, s * s) that of all
    products of two numbers of a patch, ``third`` the product of it with P3.
    """
    side = len(down)
    four, pulled = (matrix.reshape(side, side, side, side) for matrix in (gram, third))
    own = np.vdot(down @ small[0], down) + np.vdot(across, small[1] @ across)
    both = np.einsum("ab,bcae->ec", down, four)
    with_down, with_across = np.einsum("bcac->ab", pulled), np.einsum("aeac->ec", pulled)
    unlike = np.vdot(both, across) + np.vdot(down, with_down) + np.vdot(across, with_across)
    return float(own + 2 * unlike)


def as_rows(patches: Floats) -> Floats:
    """Patches (n, s, s) as rows (n, s * s)."""
    count, height, width = patches.shape
    return patches.reshape(count, height * width)
