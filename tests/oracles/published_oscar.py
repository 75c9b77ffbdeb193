"""The narrow published network of the golden files, in our module."""

from __future__ import annotations

import torch

from deepir.models.oscar import from_published
from deepir.models.oscar.weights import published_name

GROUPS = 8
RAW = ("refine_score", "refine_bbox_pred", "refine_noco_pred", "coarse_score", "coarse_bbox_pred")


def state_dict(forward):
    """Published state dict among the arrays of `oscar_forward.npz`."""
    return {
        name.removeprefix("sd/"): torch.from_numpy(values)
        for name, values in forward.items()
        if name.startswith("sd/")
    }


def network(forward):
    return from_published(state_dict(forward), groups=GROUPS)


def images(forward):
    return torch.from_numpy(forward["input"])


def raw(forward):
    return [torch.from_numpy(forward[name]) for name in RAW]


def theirs(name):
    return published_name(name)
