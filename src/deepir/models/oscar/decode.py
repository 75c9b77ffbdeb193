"""From raw outputs to scored boxes, by the published rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from deepir.models.nms import greedy_nms
from deepir.models.oscar.proposals import coarse_corners, on_grid_of, refined_corners
from deepir.models.oscar.raw import Raw


@dataclass(frozen=True)
class Rules:
    """What is kept of the locations; the defaults are published."""

    floor: float = 0.05
    """A location is a candidate when its gated refine score exceeds this."""

    candidates: int = 1000
    """Best of them by that score. (The reference takes -1 for "all", and then drops the last.)"""

    iou: float = 0.5
    """A box that overlaps a better one by more is suppressed."""

    keep: int = 100
    """Boxes of an image at most."""


PUBLISHED = Rules()


class Scored(NamedTuple):
    """Boxes of one image, best first."""

    boxes: Tensor
    """(K, 4) corners in pixels of the original image; a corner pair may be inverted."""

    scores: Tensor
    """(K,) in [0, 1]."""


class Dense(NamedTuple):
    """A box and two scores at every fine location, row by row: L = h w locations."""

    boxes: Tensor
    """(B, L, 4) corners in input pixels, not clipped yet."""

    ranking: Tensor
    """(B, L) gated refine score: the threshold and the best candidates go by it."""

    scores: Tensor
    """(B, L) product of refine score, coarse score and NoCo: what is suppressed and reported."""


def decode_dense(raw: Sequence[Tensor]) -> Dense:
    """Boxes and scores of every location, without any choice: shapes depend on shapes alone."""
    outputs = Raw(*(output.float() for output in raw))
    boxes = refined_corners(coarse_corners(outputs.coarse_box), outputs.refine_box)
    ranking = torch.sigmoid(outputs.refine_score)
    coarse = on_grid_of(ranking, outputs.coarse_score)
    scores = ranking * torch.sigmoid(coarse) * torch.sigmoid(outputs.refine_noco)
    return Dense(boxes.flatten(2).transpose(1, 2), ranking.flatten(1), scores.flatten(1))


def decode(
    raw: Sequence[Tensor],
    *,
    sizes: Sequence[tuple[int, int]],
    scales: Sequence[tuple[float, float]],
    rules: Rules = PUBLISHED,
) -> list[Scored]:
    """Scored boxes of each image, in its original pixels.

    ``raw``: the five outputs in the order of `Raw`; ``sizes``: (h, w) of each image after its
    resize and before its padding, to which boxes are clipped; ``scales``: factors (x, y) of that
    resize, by which boxes are divided. An image where nothing exceeds the floor has none.

    Raises:
        ValueError: other numbers of sizes or scales than of images.
    """
    dense = decode_dense(raw)
    images = len(dense.scores)
    if len(sizes) != images or len(scales) != images:
        raise ValueError(
            f"{images} images need as many sizes and scales, got {len(sizes)} and {len(scales)}"
        )
    return [
        _select(Dense(*each), size, scale, rules)
        for *each, size, scale in zip(*dense, sizes, scales, strict=True)
    ]


def _select(
    dense: Dense, size: tuple[int, int], scale: tuple[float, float], rules: Rules
) -> Scored:
    """Choose among the locations of one image, fields without their first axis."""
    above = (dense.ranking > rules.floor).nonzero()[:, 0]
    best = dense.ranking[above].argsort(descending=True, stable=True)[: rules.candidates]
    chosen = above[best]
    height, width = size
    limit = dense.boxes.new_tensor([width, height, width, height])
    clipped = torch.minimum(dense.boxes[chosen].clamp(min=0), limit)
    boxes, scores = clipped / dense.boxes.new_tensor([*scale, *scale]), dense.scores[chosen]
    kept = greedy_nms(boxes, scores, iou=rules.iou)[: rules.keep]
    return Scored(boxes[kept], scores[kept])
