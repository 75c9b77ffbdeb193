"""The widest look of the cascade: does this kind of scene hold targets at all?

A street lamp and a distant aircraft can be the same few pixels; only what is around tells them
apart. But in a benchmark the scene also gives the camera away (in SIRST-V2 the source of a frame
decides whether it has a target), and a detector that learnt the camera is blind on a new one. So
the scene is judged by one linear layer that is fitted last and stands apart. It shrinks what scores
exceed the operating threshold by: it reorders what is believed, but has no say in what is believed.
With a floor of 1 it is off.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Scene(nn.Module):
    """Factor of each frame in [floor, 1] from the mean and spread of its feature maps.

    Buffers, not parameters: `deepir.training.scene.fit_scene` sets them. A new one has floor 1.
    ``start`` is the score below which scores stay as they are.
    """

    weight: Tensor
    bias: Tensor
    floor: Tensor
    start: Tensor

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(2 * sum(widths)))
        self.register_buffer("bias", torch.zeros(()))
        self.register_buffer("floor", torch.ones(()))
        self.register_buffer("start", torch.zeros(()))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Factors (B,) for feature maps (B, C, h, w) of the coarser stages."""
        odds = torch.sigmoid(summary(features) @ self.weight + self.bias)
        return self.floor + (1 - self.floor) * odds


def ranked(local: Tensor, factor: Tensor, start: Tensor) -> Tensor:
    """Scores in the light of the scene: what exceeds ``start`` shrinks by the frame's factor.

    >>> ranked(torch.tensor([0.1, 0.3]), torch.tensor(0.5), torch.tensor(0.2)).tolist()
    [0.10000000149011612, 0.25]
    """
    return torch.minimum(local, start) + torch.relu(local - start) * factor


def summary(features: Sequence[Tensor]) -> Tensor:
    """Mean and standard deviation of every channel over the frame (B, 2 * channels)."""
    parts = []
    for feature in features:
        values = feature.detach().float()
        mean = values.mean(dim=(2, 3))
        square = values.square().mean(dim=(2, 3))
        parts += [mean, (square - mean.square()).clamp(min=0.0).sqrt()]
    return torch.cat(parts, dim=1)
