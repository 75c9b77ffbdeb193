"""The five published losses of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from deepir.models.losses import diou_loss, normalised, quality_focal_loss, sigmoid_focal_loss
from deepir.models.oscar.proposals import coarse_corners, refined_corners
from deepir.models.oscar.raw import Raw
from deepir.models.oscar.targets import Targets

ALPHA = 0.25
GAMMA = 3.0
SCORE_WEIGHT = 2.0
NOCO_WEIGHT = 1000.0


def count(targets: Targets) -> dict[str, Tensor]:
    """What the losses are divided by, of these images alone: whole numbers that may be summed."""
    return {
        "coarse_positives": targets.coarse_positive.sum(),
        "refine_positives": targets.refine_positive.sum(),
        "locations": torch.tensor(targets.noco.numel(), device=targets.noco.device),
    }


def weighted_losses(
    raw: Sequence[Tensor], targets: Targets, normalisers: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The five losses, weighted; their sum is what is minimised.

    ``raw``: the five outputs in the order of `Raw`, in any precision. ``normalisers``: as `count`
    names them, summed over all images that make one step; each counts as at least 1. Without a
    positive the box losses are 0, with gradients of zeros.
    """
    outputs = Raw(*(output.float() for output in raw))
    proposals = coarse_corners(outputs.coarse_box)
    refined = refined_corners(proposals, outputs.refine_box)
    coarse_count, refine_count = normalisers["coarse_positives"], normalisers["refine_positives"]
    noco = quality_focal_loss(outputs.refine_noco, targets.noco)
    return {
        "coarse_score": _score_loss(outputs.coarse_score, targets.coarse_positive, coarse_count),
        "coarse_box": _box_loss(
            proposals, targets.coarse_boxes, targets.coarse_positive, coarse_count
        ),
        "refine_score": _score_loss(outputs.refine_score, targets.refine_positive, refine_count),
        "refine_box": _box_loss(
            refined, targets.refine_boxes, targets.refine_positive, refine_count
        ),
        "refine_noco": normalised(noco, normalisers["locations"], weight=NOCO_WEIGHT),
    }


def _score_loss(logits: Tensor, positive: Tensor, positives: Tensor) -> Tensor:
    focal = sigmoid_focal_loss(logits[:, 0], positive.float(), alpha=ALPHA, gamma=GAMMA)
    return normalised(focal, positives, weight=SCORE_WEIGHT)


def _box_loss(corners: Tensor, boxes: Tensor, positive: Tensor, positives: Tensor) -> Tensor:
    predicted = corners.permute(0, 2, 3, 1)[positive]
    return normalised(diou_loss(predicted, boxes[positive]), positives)
