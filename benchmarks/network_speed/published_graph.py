"""The network of OSCAR literally as published, to be compared with: nothing left out or fused.

Dai et al., "One-Stage Cascade Refinement Networks for Infrared Small Target Detection", IEEE TGRS
61, 2023. Three equal channels go in; the pyramid computes its two upper outputs, which nothing
reads; every normalisation is a step of its own; maps lie channel by channel (NCHW). Modules carry
the published names of their weights. `deepir.models.oscar` says the same in fewer steps.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from deepir.models.oscar import Oscar, Widths
from deepir.models.oscar.weights import published_name

UNREAD = frozenset(
    f"neck.fpn_convs.{level}.conv.{kind}" for level in (2, 3) for kind in ("weight", "bias")
)
"""Weights that change no output, and that our network does not have."""

TOWER_DEPTH = 4


class Block(nn.Module):
    """Basic residual block."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            conv = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map to map."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        x += shortcut
        rectified: Tensor = self.relu(x)
        return rectified


class Backbone(nn.Module):
    """ResNet-18 with a deep stem."""

    def __init__(self, stages: tuple[int, ...]) -> None:
        super().__init__()
        half, first = stages[0] // 2, stages[0]
        steps: list[nn.Module] = []
        for inputs, outputs, stride in ((3, half, 2), (half, half, 1), (half, first, 1)):
            conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            steps += [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.stem = nn.Sequential(*steps)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = first
        for number, outputs in enumerate(stages, start=1):
            blocks = Block(inputs, outputs, 1 if number == 1 else 2), Block(outputs, outputs, 1)
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            inputs = outputs

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps at strides 4, 8, 16, 32."""
        x = self.maxpool(self.stem(images))
        levels = []
        for number in (1, 2, 3, 4):
            x = self.get_submodule(f"layer{number}")(x)
            levels.append(x)
        return levels


class ConvModule(nn.Module):
    """Convolution with bias, or one without, group normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int, groups: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, 1, size // 2, bias=groups is None)
        self.gn = None if groups is None else nn.GroupNorm(groups, outputs)
        self.activate = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map to map."""
        x = self.conv(x)
        return x if self.gn is None else self.activate(self.gn(x))


class Neck(nn.Module):
    """Feature pyramid with an output convolution on each of its four levels."""

    def __init__(self, stages: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.lateral_convs = nn.ModuleList(ConvModule(width, channels, 1) for width in stages)
        self.fpn_convs = nn.ModuleList(ConvModule(channels, channels, 3) for _ in stages)

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        """Maps of ``channels`` at the same strides."""
        sums = [lateral(level) for lateral, level in zip(self.lateral_convs, levels, strict=True)]
        for upper in range(len(sums) - 1, 0, -1):
            size = sums[upper - 1].shape[2:]
            sums[upper - 1] = sums[upper - 1] + functional.interpolate(sums[upper], size=size)
        return [conv(each) for conv, each in zip(self.fpn_convs, sums, strict=True)]


class Scale(nn.Module):
    """A learnt factor."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Map to map."""
        return x * self.scale


class Head(nn.Module):
    """Coarse branch on the second level, refine branch on the first."""

    def __init__(self, channels: int, tower: int, groups: int) -> None:
        super().__init__()

        def convs(inputs: int) -> nn.ModuleList:
            return nn.ModuleList(
                ConvModule(tower if level else inputs, tower, 3, groups)
                for level in range(TOWER_DEPTH)
            )

        def predictor(outputs: int) -> nn.Conv2d:
            return nn.Conv2d(tower, outputs, 3, padding=1)

        self.coarse_cls_convs, self.coarse_reg_convs = convs(channels), convs(channels)
        self.refine_cls_convs, self.refine_noco_convs = convs(channels), convs(channels)
        self.refine_reg_convs = convs(channels + tower)
        self.coarse_conv_cls, self.coarse_conv_reg = predictor(1), predictor(4)
        self.coarse_conv_mod, self.refine_conv_mod = predictor(1), predictor(1)
        self.refine_conv_cls, self.refine_conv_reg = predictor(1), predictor(4)
        self.refine_conv_noco = predictor(1)
        self.scales = nn.ModuleList([Scale(), Scale()])

    def forward(self, levels: list[Tensor]) -> tuple[Tensor, ...]:
        """Refine score, box and NoCo, coarse score and box; see `deepir.models.oscar.raw`."""
        fine, coarse = levels[0], levels[1]
        coarse_cls = through(self.coarse_cls_convs, coarse)
        coarse_reg = through(self.coarse_reg_convs, coarse)
        refine_cls = through(self.refine_cls_convs, fine)
        refine_noco = through(self.refine_noco_convs, fine)
        both = torch.cat([fine, resized(coarse_reg, fine)], dim=1)
        refine_reg = through(self.refine_reg_convs, both)

        coarse_score = self.coarse_conv_cls(coarse_cls)
        refine_score = self.refine_conv_cls(refine_cls)
        coarse_gate = resized(self.coarse_conv_mod(coarse_cls), refine_score).sigmoid()
        refine_gate = resized(self.refine_conv_mod(refine_cls), coarse_score).sigmoid()
        return (
            refine_score * coarse_gate,
            self.scales[0](self.refine_conv_reg(refine_reg)),
            self.refine_conv_noco(refine_noco),
            coarse_score * refine_gate,
            self.scales[1](self.coarse_conv_reg(coarse_reg)).exp(),
        )


def through(convs: nn.ModuleList, x: Tensor) -> Tensor:
    """A map after all convolutions of a tower."""
    for conv in convs:
        x = conv(x)
    return x


def resized(x: Tensor, like: Tensor) -> Tensor:
    """A map on the grid of another, bilinear."""
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


class PublishedOscar(nn.Module):
    """The published graph: normalised images (B, 3, H, W) to its five raw outputs."""

    def __init__(self, widths: Widths) -> None:
        super().__init__()
        self.backbone = Backbone(widths.stages)
        self.neck = Neck(widths.stages, widths.pyramid)
        self.bbox_head = Head(widths.pyramid, widths.tower, widths.groups)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Raw outputs in the order of `deepir.models.oscar.raw.Raw`."""
        outputs: tuple[Tensor, ...] = self.bbox_head(self.neck(self.backbone(images)))
        return outputs


def published_graph(network: Oscar) -> PublishedOscar:
    """The published graph with the weights of one of our networks, in evaluation mode."""
    graph = PublishedOscar(network.widths)
    state = {published_name(name): values for name, values in network.state_dict().items()}
    unread = {name: values for name, values in graph.state_dict().items() if name in UNREAD}
    graph.load_state_dict({**state, **unread})
    return graph.eval()
