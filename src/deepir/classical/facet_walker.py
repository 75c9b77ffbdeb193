"""FKRW: pixels that a facet kernel picks out, each weighed by a random walk around it.

A walk from the pixels of a small window to its centre or to its edge tells a blob with a steep rim
from an edge or a ramp. Walks are solved for the brightest candidates first; a candidate within the
region of an earlier one is not solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepir.classical.levels import HIGHEST, eight_bit_scale
from deepir.classical.local_walk import INNER, REACH, Places, Walks, walks_around
from deepir.errors import unknown_name
from deepir.saliency import Saliency

Seeds = Literal["ring", "ring and white"]

DEVIATIONS = 4.0
BETA = 200.0
POWER = 6.0
"""Constants of the authors' demonstration, for levels in [0, 1]."""

ELSEWHERE = 0.75
"""Weight of responses that no walk confirms; on val 0.1 to 0.75 differ by 0.002."""

_ACROSS = np.array([2.0, -1.0, -2.0, -1.0, 2.0])
_DISK = [(y, x) for y in range(-2, 3) for x in range(-2, 3) if y * y + x * x <= 4]
_LEAST = 1e-12

Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FacetWalk:
    """All maps (H, W) on the way to FKRW's map, and how many walks were solved.

    ``smooth`` levels in [0, 1]; ``facet``, the signed response to the kernel; ``chosen``, the
    candidates; ``coefficient`` and ``contrast``, what the walks say, 0 outside their regions and
    where they found nothing that stands out.
    """

    smooth: Floats
    facet: Floats
    chosen: Masks
    coefficient: Floats
    contrast: Floats
    solves: int

    def fused(self) -> Floats:
        """Product of the three measures: FKRW's map before it is divided by its maximum."""
        product: Floats = self.coefficient * self.contrast * self.facet
        return product

    def diagnostics(self) -> dict[str, int | float]:
        """Candidates, walks solved, and the maximum that FKRW's map is divided by."""
        return {
            "candidates": int(self.chosen.sum()),
            "solves": self.solves,
            "raw_peak": float(self.fused().max(initial=0.0)),
        }


def fkrw(
    image: ArrayLike,
    *,
    deviations: float = DEVIATIONS,
    beta: float = BETA,
    power: float = POWER,
    seeds: Seeds = "ring and white",
) -> Saliency:
    """Facet kernel and random walker, as published: a map (H, W) below 1, mostly 0.

    See `facet_walk` for the options. The map is the product of the three measures over its maximum
    plus 1e-6, so every frame's best pixel is near 1; ``raw_peak`` of the diagnostics is that
    maximum. A pixel (r, c) stands for the mean of r, r + 1 and c, c + 1: it lies half a pixel too
    far up and left. Without any response the map is zero.

    Raises:
        UsageError: unknown seeds.

    Qin et al., "Infrared Small Target Detection Based on Facet Kernel and Random Walker", IEEE
    TGRS 57(9), 2019; constants of the authors' demonstration.

    >>> image = np.full((20, 20), 50.0); image[8:12, 8:12] = 120.0; image[0, 0] = 51.0
    >>> found = fkrw(image)
    >>> np.argwhere(found.values > 0.5).tolist()
    [[8, 8], [8, 9], [8, 10], [9, 8], [9, 9], [9, 10], [10, 8], [10, 9], [10, 10]]
    >>> found.diagnostics["candidates"], found.diagnostics["solves"]
    (9, 1)
    """
    walk = facet_walk(image, deviations=deviations, beta=beta, power=power, seeds=seeds)
    values = walk.fused()
    highest = float(values.max())
    scaled = values / (highest + 1e-6) if highest > 0 else np.zeros(values.shape)
    return Saliency(scaled, walk.diagnostics())


def walked_facet(
    image: ArrayLike,
    *,
    deviations: float = DEVIATIONS,
    beta: float = BETA,
    seeds: Seeds = "ring",
) -> Saliency:
    """The facet response, less of it where no walk finds a blob: our default of FKRW.

    A map (H, W), never negative, for levels in [0, 1]. The sixth power of a ratio says little of
    how sure a target is; so here the walks decide and do not weigh. What they reject stays at
    `ELSEWHERE` of its response, since it is what a frame's clutter is measured by. Means are those
    of four pixels of the frame, and each is given to all four, which takes back the half pixel.

    Raises:
        UsageError: unknown seeds.
    """
    walk = facet_walk(image, deviations=deviations, beta=beta, seeds=seeds, repeated=False)
    found = np.maximum(walk.facet, 0) * np.where(walk.coefficient > 0, 1.0, ELSEWHERE)
    around = np.pad(found, 1)
    rows = np.maximum(around[:-1], around[1:])
    return Saliency(np.maximum(rows[:, :-1], rows[:, 1:]), walk.diagnostics())


def facet_walk(
    image: ArrayLike,
    *,
    deviations: float = DEVIATIONS,
    beta: float = BETA,
    power: float = POWER,
    seeds: Seeds = "ring",
    repeated: bool = True,
) -> FacetWalk:
    """Candidates of the facet kernel, and a random walk around each that is not yet explained.

    ``image`` (H, W) is brought to levels from 0 to 255 (`eight_bit_scale`). Candidates lie
    ``deviations`` above the mean response. ``beta`` is the steepness of the walks' weights for
    levels in [0, 1], ``power`` that of the contrast ratio. Walks end at the ring around a window;
    with ``seeds="ring and white"``, as in the authors' demonstration, in white pixels (255) too,
    which makes saturated targets vanish. A saturated centre stays where walks are headed for.
    Without ``repeated`` all maps lack the last row and column, whose means repeat the border.

    Raises:
        UsageError: unknown seeds.
    """
    if seeds not in get_args(Seeds):
        raise unknown_name("seeds", seeds, get_args(Seeds))
    smooth = smoothed(eight_bit_scale(image), repeated=repeated)
    facet = facet_response(smooth)
    places = candidates(smooth, facet, deviations)
    white = 1.0 if seeds == "ring and white" else np.inf
    walks = walks_around(smooth, places, beta=beta, white=white)
    values = np.stack([coefficients(walks), contrasts(walks) ** power])
    coefficient, contrast = painted(walks, values, smooth.shape)
    chosen = np.zeros(smooth.shape, dtype=bool)
    chosen[places] = True
    return FacetWalk(smooth, facet, chosen, coefficient, contrast, len(walks.rows))


def smoothed(levels: Floats, *, repeated: bool = True) -> Floats:
    """Means of 2 x 2 pixels, in [0, 1], without pixels brighter than all their neighbours.

    ``levels`` (H, W) from 0 to 255. The mean at (r, c) is that of the pixels r, r + 1 and c, c + 1,
    the border repeated, or not, which leaves one row and column less; pixels outside count as 0 for
    the neighbours. Whole levels are summed before they are divided, so that equal means are equal
    to the last bit.

    >>> smoothed(np.array([[0, 0, 0], [0, 0, 255], [0, 0, 255]])).tolist()
    [[0.0, 0.25, 0.5], [0.0, 0.5, 1.0], [0.0, 0.5, 1.0]]
    """
    padded = np.pad(levels, 1)
    upright = np.maximum(padded[:-2], padded[2:])
    sides = np.maximum(upright, padded[1:-1])
    brightest = np.maximum(sides[:, :-2], sides[:, 2:])
    np.maximum(brightest, upright[:, 1:-1], out=brightest)
    kept = np.pad(np.minimum(levels, brightest), (0, int(repeated)), mode="edge")
    rows = kept[:-1] + kept[1:]
    means: Floats = (rows[:, :-1] + rows[:, 1:]) / (4 * HIGHEST)
    return means


def facet_response(smooth: Floats) -> Floats:
    """Minus 35 times the Laplacian of the cubic surface fitted to 5 x 5 pixels around each.

    Signed, high in the middle of a bright blob, 0 for a constant; the border is mirrored about the
    edge pixel.
    """
    if not smooth.size:
        return np.zeros(smooth.shape)
    centred = smooth - smooth.flat[0]  # flat frames of real numbers cancel exactly
    box = np.ones(5)
    response = np.zeros(smooth.shape)
    for across, along in ((_ACROSS, box), (box, _ACROSS)):
        response -= cv2.sepFilter2D(
            centred, cv2.CV_64F, across, along, borderType=cv2.BORDER_REFLECT_101
        )
    return response


def candidates(smooth: Floats, facet: Floats, deviations: float) -> Places:
    """Rows and columns of high response, the brightest first; equal ones column by column.

    High: at least so many standard deviations above the mean. A flat response has none.
    """
    if not facet.size or facet.min() == facet.max():
        none = np.zeros(0, dtype=np.intp)
        return none, none
    least = facet.mean() + deviations * facet.std(ddof=1)
    columns, rows = np.nonzero((facet >= least).T)
    order = np.argsort(-smooth[rows, columns], kind="stable")
    return rows[order], columns[order]


def coefficients(walks: Walks) -> Floats:
    """Mean chance inside each region over the mean chance outside: (N,).

    The centre, whose chance is 1, counts outside; a region of the centre alone gives 0.
    """
    pixels = walks.regions.sum(axis=(1, 2)) - 1
    inside = np.where(walks.regions, walks.chances, 0).sum(axis=(1, 2)) - 1
    outside = np.where(walks.regions, 0, walks.chances).sum(axis=(1, 2)) + 1
    side = INNER + 2
    ratios: Floats = inside / np.maximum(pixels, 1) / (outside / (side * side - pixels))
    return np.where(pixels > 0, ratios, 0)


def contrasts(walks: Walks) -> Floats:
    """Mean level of each region over the highest of a ring around it: (N,).

    The ring lies between the region grown by a disk of radius 2 and the same grown again, inside
    the window. 0 where that ratio is at most 1, where the ring is empty, and for a region of the
    centre alone.
    """
    grown = _grown(walks.regions)
    ring = _grown(grown) & ~grown
    pixels = walks.regions.sum(axis=(1, 2))
    levels = np.where(walks.regions, walks.windows, 0).sum(axis=(1, 2)) / np.maximum(pixels, 1)
    beside = np.where(ring, walks.windows, -np.inf).max(axis=(1, 2), initial=-np.inf)
    stands_out = (pixels > 1) & ring.any(axis=(1, 2)) & (levels > beside)
    ratios: Floats = np.zeros(len(levels))
    np.divide(levels, np.maximum(beside, _LEAST), out=ratios, where=stands_out)
    return ratios


def painted(walks: Walks, values: Floats, shape: tuple[int, ...]) -> Floats:
    """Values (M, N) of N regions in M maps (M, H, W); where regions overlap the first counts."""
    walk, down, right = np.nonzero(walks.regions)
    rows, columns = walks.rows[walk] + down - REACH, walks.columns[walk] + right - REACH
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    last_first = np.flatnonzero(inside)[::-1]
    maps = np.zeros((len(values), *shape))
    maps[:, rows[last_first], columns[last_first]] = values[:, walk[last_first]]
    return maps


def _grown(regions: Masks) -> Masks:
    """Regions (N, 11, 11) dilated by the disk of radius 2."""
    side = regions.shape[1]
    padded = np.pad(regions, ((0, 0), (2, 2), (2, 2)))
    grown = np.zeros_like(regions)
    for down, right in _DISK:
        grown |= padded[:, 2 + down :, 2 + right :][:, :side, :side]
    return grown
