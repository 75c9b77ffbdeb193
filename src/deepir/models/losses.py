"""Losses as pure functions: a value for each element; `normalised` sums them over a given count.

No function takes a mean of its own: a batch that is split over steps or processes then costs
exactly what the whole one costs, because the count comes from outside.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

EPSILON = 1e-6
"""Keeps the quotients of empty boxes finite, as published."""


def normalised(elements: Tensor, count: Tensor, *, weight: float = 1.0) -> Tensor:
    """Weighted sum of ``elements`` (any shape) over ``count``, which is taken as at least 1.

    No element gives 0 with a gradient of zeros.

    >>> normalised(torch.tensor([1.0, 2.0]), torch.tensor(4), weight=2.0).item()
    1.5
    """
    return weight * elements.sum() / count.clamp(min=1)


def sigmoid_focal_loss(
    logits: Tensor, targets: Tensor, *, alpha: float = 0.25, gamma: float = 2.0
) -> Tensor:
    """Focal loss of every logit against its target 0 or 1, same shapes (Lin et al., ICCV 2017).

    ``-alpha (1 - p)^gamma log p`` where the target is 1,
    ``-(1 - alpha) p^gamma log(1 - p)`` where it is 0; p is the sigmoid of the logit.

    >>> values = sigmoid_focal_loss(torch.zeros(2), torch.tensor([1.0, 0.0]))
    >>> [round(value, 5) for value in values.tolist()]
    [0.04332, 0.12997]
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    distance = torch.where(targets > 0, torch.sigmoid(-logits), torch.sigmoid(logits))
    balance = torch.where(targets > 0, alpha, 1 - alpha)
    return balance * distance**gamma * entropy


def quality_focal_loss(logits: Tensor, targets: Tensor, *, gamma: float = 2.0) -> Tensor:
    """Cross entropy of every logit against a target in [0, 1], weighted by its own distance.

    ``|p - t|^gamma`` times the binary cross entropy, p the sigmoid (Li et al., "Generalized Focal
    Loss", NeurIPS 2020). The weight has a gradient too.

    >>> round(quality_focal_loss(torch.zeros(1), torch.ones(1)).item(), 6)
    0.173287
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (torch.sigmoid(logits) - targets).abs() ** gamma * entropy


def diou_loss(boxes: Tensor, targets: Tensor) -> Tensor:
    """Distance-IoU loss of each box against its target, (N, 4) and (N, 4) corners -> (N,).

    ``1 - IoU + d^2 / c^2`` with the distance d of the centres and the diagonal c of the box around
    both (Zheng et al., AAAI 2020). A box may be inverted (x1 < x0): it then overlaps nothing.

    >>> box, target = torch.tensor([[100.0, 100, 106, 105]]), torch.tensor([[101.0, 101, 107, 106]])
    >>> round(diou_loss(box, target).item(), 5)
    0.52353
    """
    shared = torch.minimum(boxes[:, 2:], targets[:, 2:]) - torch.maximum(
        boxes[:, :2], targets[:, :2]
    )
    overlap = shared.clamp(min=0).prod(dim=1)
    union = _areas(boxes) + _areas(targets) - overlap
    around = torch.maximum(boxes[:, 2:], targets[:, 2:]) - torch.minimum(
        boxes[:, :2], targets[:, :2]
    )
    diagonal = around.clamp(min=0).square().sum(dim=1)
    apart = (boxes[:, :2] + boxes[:, 2:] - targets[:, :2] - targets[:, 2:]) / 2
    iou = overlap / (union + EPSILON)
    return 1 - iou + apart.square().sum(dim=1) / (diagonal + EPSILON)


def _areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
