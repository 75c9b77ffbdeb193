"""A small target: what it looks like on the sensor, and how bright it must be for a local SCR."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf

from deepir.errors import DeepirError
from deepir.scr import local_scr, ring_pixels
from deepir.structures import Boxes, Image, Mask, as_boxes, check_image

Field = NDArray[np.float64]

REACH_SIGMA = 5.0
"""The pattern ends 5 standard deviations outside the disc: what is left is below 1e-6 of it."""

LEAST_SIGMA = 0.1
"""A sharper PSF is the same point to every pixel, and would need ever finer quadrature."""

SCR_TOLERANCE = 0.1
"""Share of the wanted SCR by which a rounded, clipped frame may miss it."""

POINT_RADIUS = 1e-4
"""A disc whose radius is this share of sigma or less is a point: the two differ by 1e-9."""

EXACT_LEVELS = 2.0**53
"""Above it a float64 can no longer tell neighbouring integer levels apart."""


class PlantError(DeepirError):
    """The wanted target cannot be had at this place of this frame; another place may do."""


@dataclass(frozen=True)
class Target:
    """A disc of even brightness seen through a Gaussian PSF.

    ``x``, ``y`` are its centre in pixel indices (the centre of pixel j is j); ``scr`` its local
    signal-to-clutter ratio (`deepir.scr.local_scr`); ``sigma`` the standard deviation of the PSF
    and ``size`` the diameter of the disc, both in pixels; size 0 is a point.

    Raises:
        ValueError: a number that is not finite, an SCR that is not positive, a sigma below 0.1 or
            a negative size.

    >>> Target(x=20.25, y=7.5, scr=5.0).sigma
    1.0
    """

    x: float
    y: float
    scr: float
    sigma: float = 1.0
    size: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.scr, self.sigma, self.size))):
            raise ValueError(f"a target is described by finite numbers, got {self}")
        if self.scr <= 0:
            raise ValueError(f"a target has a positive local SCR, got {self.scr:g}")
        if self.sigma < LEAST_SIGMA:
            raise ValueError(f"sigma of the PSF is at least {LEAST_SIGMA} px, got {self.sigma:g}")
        if self.size < 0:
            raise ValueError(f"size is a diameter in px, 0 or more, got {self.size:g}")


@dataclass(frozen=True, eq=False)
class Planted:
    """A frame with one more target.

    ``image`` (H, W) of the dtype that came in; ``box`` (4,) float32, half-open, the tight bounds
    of ``mask`` (H, W): the pixels where the pattern reaches half of its maximum.
    """

    image: Image
    box: Boxes
    mask: Mask


class Stamp(NamedTuple):
    """The pattern of a target where it is not zero: its place in the frame and its values."""

    rows: slice
    columns: slice
    values: Field
    """(h, w), 1 at the brightest pixel that lies in the frame."""

    @property
    def core(self) -> Mask:
        """(h, w), True where the pattern reaches half of its maximum; at least one pixel."""
        core: Mask = self.values >= 0.5 - 1e-9  # mirrored patterns differ by rounding errors
        return core

    @property
    def box(self) -> Boxes:
        """(4,) bounds of the core in the frame."""
        rows, columns = np.nonzero(self.core)
        x, y = self.columns.start + columns, self.rows.start + rows
        return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], dtype=np.float32)


def stamp(target: Target, shape: tuple[int, int]) -> Stamp:
    """Pattern of ``target`` in a frame of ``shape`` (H, W), integrated over each pixel.

    A point is exact; a disc is exact along x and a quadrature along y, together within 1e-9 of
    the peak. Beyond 5 sigma outside the disc the pattern is cut.

    Raises:
        ValueError: the centre lies outside the frame.

    >>> stamp(Target(x=4, y=0, scr=5, sigma=0.8), (1, 9)).box.tolist()
    [3.0, 0.0, 6.0, 1.0]
    """
    height, width = shape
    if not (-0.5 <= target.x <= width - 0.5 and -0.5 <= target.y <= height - 0.5):
        raise ValueError(
            f"target at ({target.x:g}, {target.y:g}) lies outside a frame of {width}x{height}"
            " pixels: the centre of its first pixel is (0, 0)"
        )
    reach = REACH_SIGMA * target.sigma + target.size / 2
    rows, columns = _window(target.y, reach, height), _window(target.x, reach, width)
    y = np.arange(rows.start, rows.stop) - target.y
    x = np.arange(columns.start, columns.stop) - target.x
    values = _disc(y, x, target.sigma, target.size / 2)
    # Where the chords cancel, rounding leaves values a little below zero.
    return Stamp(rows, columns, np.maximum(values / values.max(), 0))


def plant(
    image: ArrayLike, target: Target, *, boxes: ArrayLike = (), ceiling: float | None = None
) -> Planted:
    """Add ``target`` to a real frame so that its local SCR is exactly the wanted one.

    ``image`` (H, W), integer or floating point, is not modified; ``boxes`` (N, 4) are the frame's
    other targets, left out of the ring as `deepir.scr.local_scr` does; ``ceiling`` is the highest
    level that the sensor stores, by default the dtype's (16383 for 14 bits stored as uint16).
    The SCR, ``local_scr(image, box, boxes=boxes, mask=mask)`` of the result, counts the
    target's own tail in the ring and is exact before rounding. A constant ring has no spread: it
    counts as 1 grey level there.

    Raises:
        ValueError: the centre lies outside the frame.
        PlantError: the SCR cannot be had here: no background or an unreadable one, one that is
            too bright already, a target too wide for its ring, or levels too few or too coarse
            (the stored SCR would miss the wanted one by more than 10 %).
        FrameError: an unusable frame.

    >>> frame = np.random.default_rng(0).normal(100, 2, (64, 64))
    >>> planted = plant(frame, Target(x=30.7, y=31.8, scr=6))
    >>> planted.box.tolist()
    [30.0, 31.0, 32.0, 34.0]
    >>> round(local_scr(planted.image, planted.box, mask=planted.mask), 6)
    6.0
    """
    frame = check_image(image)
    shape = (frame.shape[0], frame.shape[1])
    mark = stamp(target, shape)
    pattern, mask = np.zeros(shape), np.zeros(shape, dtype=bool)
    pattern[mark.rows, mark.columns] = mark.values
    mask[mark.rows, mark.columns] = mark.core
    inside = np.stack([frame[mask].astype(np.float64), pattern[mask]])
    ring = np.stack([ring_pixels(layer, mark.box, boxes) for layer in (frame, pattern)])
    if not ring.size:
        raise PlantError(f"no background pixel around {target} in a frame of shape {frame.shape}")
    if not (np.isfinite(inside).all() and np.isfinite(ring).all()):
        raise PlantError(f"pixels on or around {target} are not finite numbers")
    peak = _peak_level(inside, ring, target)
    planted = Planted(_store(frame, mark, peak, ceiling), mark.box, mask)
    _check_stored(planted, target, as_boxes(boxes), flat=_is_flat(ring[0]))
    return planted


def _window(centre: float, reach: float, length: int) -> slice:
    """Pixels of an axis that the pattern touches; symmetric, so mirrored targets mirror."""
    start, stop = math.floor(centre - reach), math.ceil(centre + reach) + 1
    return slice(max(start, 0), min(stop, length))


def _disc(y: Field, x: Field, sigma: float, radius: float) -> Field:
    """Gaussian-blurred disc integrated over the pixels at offsets y (h,) and x (w,): (h, w).

    The disc is cut into chords at ``radius * sin(angle)`` for equidistant angles, which makes it
    Gauss-Chebyshev quadrature of the second kind; a chord blurred along x has a closed form.
    """
    if radius <= POINT_RADIUS * sigma:  # a shorter chord would cancel to rounding errors
        return np.outer(_gauss(y, sigma), _gauss(x, sigma))
    count = 24 + math.ceil(6 * radius / sigma)
    angles = np.pi * (np.arange(1, count + 1) / (count + 1) - 0.5)
    half = radius * np.cos(angles)[:, None]
    across = _gauss(y - radius * np.sin(angles)[:, None], sigma) * half
    along = _blurred_chord(x, half, sigma)
    # Not a matrix product: the sums of BLAS depend on the number of threads.
    values: Field = np.einsum("kh,kw->hw", across, along)
    return values


def _gauss(offset: Field, sigma: float) -> Field:
    """Integral of the unit Gaussian over the pixel whose centre is ``offset`` away."""
    scale = sigma * math.sqrt(2)
    values: Field = (erf((offset + 0.5) / scale) - erf((offset - 0.5) / scale)) / 2
    return values


def _blurred_chord(x: Field, half: Field, sigma: float) -> Field:
    """Integral over each pixel of a chord [-half, half] of height 1, blurred by the Gaussian."""

    def ramp(edge: Field) -> Field:
        """Second antiderivative of the Gaussian, up to a straight line that cancels below."""
        t = edge / sigma
        gauss = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
        values: Field = sigma * (t * erf(t / math.sqrt(2)) / 2 + gauss)
        return values

    right, left = x + half, x - half
    return ramp(right + 0.5) - ramp(right - 0.5) - ramp(left + 0.5) + ramp(left - 0.5)


def _is_flat(ring: Field) -> bool:
    """Whether a ring has no spread of its own."""
    return bool(ring.min() == ring.max())


def _peak_level(inside: Field, ring: Field, target: Target) -> float:
    """Grey levels at the pattern's brightest pixel that give the wanted SCR s.

    ``inside`` (2, M) and ``ring`` (2, K) hold background and pattern. With the level A, contrast
    is d + A g and the ring's variance v + 2 A c + A² u, hence
    ``(g² - s² u) A² + 2 (d g - s² c) A + d² - s² v = 0``.
    """
    d, g = inside.mean(axis=1) - ring.mean(axis=1)
    deviations = ring - ring.mean(axis=1, keepdims=True)
    v, u = (deviations**2).mean(axis=1)
    c = (deviations[0] * deviations[1]).mean()
    s = target.scr
    if _is_flat(ring[0]):
        v, u, c = 1.0, 0.0, 0.0
    if d >= s * math.sqrt(v):
        raise PlantError(
            f"background at ({target.x:g}, {target.y:g}) is {d:.3g} levels brighter than its ring"
            f" with a spread of {math.sqrt(v):.3g}: an SCR of {s:g} is reached without a target"
        )
    levels = [
        level
        for level in _roots(g**2 - s**2 * u, d * g - s**2 * c, d**2 - s**2 * v)
        if level > 0 and d + level * g > 0
    ]
    if not levels:
        raise PlantError(
            f"an SCR of {s:g} cannot be reached with sigma {target.sigma:g} and size"
            f" {target.size:g}: the target's own tail raises the spread of its ring too much"
        )
    return min(levels)


def _roots(a: float, b: float, c: float) -> list[float]:
    """Real roots of ``a t² + 2 b t + c``, without cancellation."""
    inner = b * b - a * c
    if inner < 0:
        return []
    sure = -(b + math.copysign(math.sqrt(inner), b))
    return [top / bottom for top, bottom in ((sure, a), (c, sure)) if bottom]


def _store(frame: Image, mark: Stamp, peak: float, ceiling: float | None) -> Image:
    """Copy of the frame with the pattern added, rounded and clipped as its dtype asks."""
    whole = frame.dtype.kind in "ui"
    limit = min(np.iinfo(frame.dtype).max, EXACT_LEVELS) if whole else np.finfo(frame.dtype).max
    top = float(limit) if ceiling is None else min(float(limit), ceiling)
    window = frame[mark.rows, mark.columns].astype(np.float64)
    levels = window + peak * mark.values
    # Pixels that lie above a caller's ceiling already stay as they are.
    levels = np.minimum(np.rint(levels) if whole else levels, np.maximum(window, top))
    result = frame.copy()
    result[mark.rows, mark.columns] = levels.astype(frame.dtype)
    return result


def _check_stored(planted: Planted, target: Target, boxes: Boxes, *, flat: bool) -> None:
    """Refuse a stored frame whose SCR is further off than the tolerance allows."""
    image, box, mask = planted.image, planted.box, planted.mask
    got = local_scr(image, box, boxes=boxes, mask=mask)
    slack = SCR_TOLERANCE * target.scr
    if flat:  # its spread counts as one level, of which rounding may take a half
        got = float(image[mask].mean(dtype=np.float64) - ring_pixels(image, box, boxes).mean())
        slack = max(slack, 0.5) if image.dtype.kind in "ui" else slack
    if not abs(got - target.scr) <= slack:
        raise PlantError(
            f"target at ({target.x:g}, {target.y:g}) would be stored with an SCR of {got:.3g}"
            f" instead of {target.scr:g}: the levels of {image.dtype} are too few or too coarse"
        )
