"""ResNet-18 with a deep stem, as published: trained from scratch."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from deepir.models.blocks import BasicBlock, ConvNormRelu

BLOCKS = 2
"""Basic blocks of each of the four stages."""

Levels = tuple[Tensor, Tensor, Tensor, Tensor]
"""Features at strides 4, 8, 16 and 32."""


class DeepStemResNet18(nn.Module):
    """Three 3x3 convolutions and a pooling down to stride 4, then four stages of basic blocks.

    ``widths``: channels of the four stages; the stem works at half the first. He et al., "Bag of
    Tricks", CVPR 2019, for the stem. Starts with He's normal values over the outputs (fan-out)
    and with the last normalisation of each block at 0, so that a block begins as its shortcut.
    """

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        half, first = widths[0] // 2, widths[0]
        self.stem = nn.Sequential(
            ConvNormRelu(3, half, nn.BatchNorm2d(half), stride=2),
            ConvNormRelu(half, half, nn.BatchNorm2d(half)),
            ConvNormRelu(half, first, nn.BatchNorm2d(first)),
        )
        self.stages = nn.ModuleList(
            _stage(inputs, outputs, stride=2 if level else 1)
            for level, (inputs, outputs) in enumerate(
                zip((first, *widths[:3]), widths, strict=True)
            )
        )
        self._start()

    def _start(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(part, BasicBlock):
                nn.init.zeros_(part.norm2.weight)

    def forward(self, images: Tensor) -> Levels:
        """Features of images (B, 3, H, W) at strides 4, 8, 16, 32; sides round up."""
        features = functional.max_pool2d(self.stem(images), 3, stride=2, padding=1)
        levels = []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        return cast("Levels", tuple(levels))


def _stage(inputs: int, outputs: int, *, stride: int) -> nn.Sequential:
    following = (BasicBlock(outputs, outputs) for _ in range(BLOCKS - 1))
    return nn.Sequential(BasicBlock(inputs, outputs, stride=stride), *following)
