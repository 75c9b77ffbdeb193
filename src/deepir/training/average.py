"""Running average of a network's weights (EMA): what is evaluated, kept and shipped."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of ``network``, in ``self.network``.

    The first steps weigh the past less, ``min(weight, (1 + n) / (10 + n))``, so that the random
    start is soon forgotten. Buffers, such as batch statistics, are copied.
    """

    def __init__(self, network: nn.Module, weight: float) -> None:
        self.weight = weight
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step towards ``network``."""
        past = min(self.weight, (1 + self.steps) / (10 + self.steps))
        mine: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(network.parameters())
        torch._foreach_lerp_(mine, theirs, 1 - past)
        for own, other in zip(self.network.buffers(), network.buffers(), strict=True):
            own.copy_(other)
        self.steps += 1
