"""What the cascade is trained to minimise."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from deepir.models.cascade.maps import Raw
from deepir.models.cascade.targets import Targets

FOCUS = 2.0
NEIGHBOURHOOD = 4.0
COARSE_WEIGHT = 0.5
BOX_WEIGHT = 1.0


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss, summed (Law and Deng, CornerNet, ECCV 2018, equation 1).

    ``heat`` is 1 at targets; elsewhere the penalty of a high score shrinks as (1 - heat)^4.
    """
    score = torch.sigmoid(logits)
    hit = F.logsigmoid(logits) * (1 - score) ** FOCUS
    miss = F.logsigmoid(-logits) * score**FOCUS * (1 - heat) ** NEIGHBOURHOOD
    return -torch.where(heat == 1.0, hit, miss).sum()


def sides_loss(log_sides: Tensor, sides: Tensor, weight: Tensor) -> Tensor:
    """DIoU loss between boxes given by distances from one place, weighted and summed.

    ``log_sides`` and ``sides`` (B, 4, h, w) left, top, right, bottom; ``weight`` (B, 1, h, w), only
    places above 0 count. Zheng et al., Distance-IoU Loss, AAAI 2020.
    """
    place = weight[:, 0] > 0
    given = log_sides.permute(0, 2, 3, 1)[place].clamp(max=LARGEST_LOG).exp()
    wanted = sides.permute(0, 2, 3, 1)[place]
    if not len(wanted):
        return log_sides.sum() * 0.0
    overlap = _spans(torch.minimum(given, wanted)).clamp(min=0).prod(dim=1)
    union = _spans(given).prod(dim=1) + _spans(wanted).prod(dim=1) - overlap
    around = _spans(torch.maximum(given, wanted)).square().sum(dim=1)
    apart = ((given[:, 2:] - given[:, :2]) - (wanted[:, 2:] - wanted[:, :2])).square().sum(dim=1)
    loss = 1 - overlap / union.clamp(min=1e-6) + apart / 4 / around.clamp(min=1e-6)
    return (loss * weight[:, 0][place]).sum()


LARGEST_LOG = 6.0
"""exp(6) cells are 800 px: no small target is larger, and no exponential overflows."""


def _spans(sides: Tensor) -> Tensor:
    return sides[:, :2] + sides[:, 2:]


def cascade_losses(raw: Raw, targets: Targets, normalisers: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weighted losses ``fine``, ``coarse``, ``box``, each over its normaliser (at least 1)."""
    count = normalisers["targets"].clamp(min=1.0)
    weight = normalisers["box_weight"].clamp(min=1.0)
    return {
        "fine": heat_loss(raw.fine.float(), targets.fine) / count,
        "coarse": COARSE_WEIGHT * heat_loss(raw.coarse.float(), targets.coarse) / count,
        "box": BOX_WEIGHT * sides_loss(raw.sides.float(), targets.sides, targets.weight) / weight,
    }


def cascade_normalisers(targets: Targets) -> dict[str, Tensor]:
    """Sums over this batch that the losses are divided by."""
    return {"targets": (targets.fine == 1.0).sum().float(), "box_weight": targets.weight.sum()}
