"""Pieces that several networks are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class ConvNormRelu(nn.Module):
    """3x3 convolution without bias, a normalisation, ReLU: (B, inputs, H, W) -> (B, outputs, ...).

    ``norm`` is the finished normalisation of ``outputs`` channels; a side becomes its ``stride``-th
    part, rounded up.
    """

    def __init__(self, inputs: int, outputs: int, norm: nn.Module, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        """Features after the rectifier."""
        return functional.relu(self.norm(self.conv(x)), inplace=True)


class BasicBlock(nn.Module):
    """Residual block of two 3x3 convolutions with batch normalisation (He et al., CVPR 2016).

    Where ``stride`` or the number of channels changes, the shortcut is a 1x1 convolution with its
    own batch normalisation, otherwise the input itself.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        inner = functional.relu(self.norm1(self.conv1(x)), inplace=True)
        return functional.relu(self.norm2(self.conv2(inner)) + self.shortcut(x), inplace=True)


def group_norm_tower(inputs: int, width: int, *, groups: int, depth: int = 4) -> nn.Sequential:
    """Tower of a dense head: ``depth`` times 3x3 convolution, group normalisation, ReLU."""
    return nn.Sequential(
        *(
            ConvNormRelu(width if level else inputs, width, nn.GroupNorm(groups, width))
            for level in range(depth)
        )
    )


def resize_bilinear(features: Tensor, size: tuple[int, int]) -> Tensor:
    """Features (B, C, h, w) at another ``size`` (H, W), corners not aligned, no antialiasing."""
    return functional.interpolate(features, size=size, mode="bilinear", align_corners=False)
