"""Batch normalisation folded into the convolution before it, for networks that only run."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

N = TypeVar("N", bound=nn.Module)


def fold_norms(network: N) -> N:
    """A copy in evaluation mode that gives the same, up to rounding, with fewer steps.

    A batch normalisation goes into the weights of the convolution before it, and an identity stands
    in its place: in every `nn.Sequential`, and where a block names the two ``conv`` and ``norm``
    with the same number.
    """
    folded = copy.deepcopy(network).eval()
    for part in folded.modules():
        for before, after in _pairs(part):
            conv, norm = getattr(part, before), getattr(part, after, None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, before, fuse_conv_bn_eval(conv, norm))
                setattr(part, after, nn.Identity())
    return folded


def _pairs(part: nn.Module) -> list[tuple[str, str]]:
    """Names of children of which the second takes what the first gives, if they are such."""
    names = [name for name, _ in part.named_children()]
    if isinstance(part, nn.Sequential):
        return list(pairwise(names))
    return [(name, name.replace("conv", "norm")) for name in names if "conv" in name]
