"""Weights of OSCAR: published checkpoints in, files of our own out and in again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from deepir.errors import DeepirError, UsageError
from deepir.models.checkpoint_files import read_published_checkpoint as read_published_checkpoint
from deepir.models.oscar.network import Oscar, Widths
from deepir.models.weight_files import (
    check_names,
    check_tensors,
    fill,
    read_weight_file,
    write_weight_file,
)
from deepir.writing import check_output_file

ARCHITECTURE = "oscar"
SUFFIX = ".safetensors"

PUBLISHED_GROUPS = 32
"""Groups of the published towers; no tensor tells them."""

_SPELLINGS = (
    (r"^trunk\.stem\.0\.conv", "backbone.stem.0"),
    (r"^trunk\.stem\.0\.norm", "backbone.stem.1"),
    (r"^trunk\.stem\.1\.conv", "backbone.stem.3"),
    (r"^trunk\.stem\.1\.norm", "backbone.stem.4"),
    (r"^trunk\.stem\.2\.conv", "backbone.stem.6"),
    (r"^trunk\.stem\.2\.norm", "backbone.stem.7"),
    (r"^trunk\.stages\.0", "backbone.layer1"),
    (r"^trunk\.stages\.1", "backbone.layer2"),
    (r"^trunk\.stages\.2", "backbone.layer3"),
    (r"^trunk\.stages\.3", "backbone.layer4"),
    (r"^(backbone.*)\.norm(\d)", r"\1.bn\2"),
    (r"\.shortcut\.", ".downsample."),
    (r"^pyramid\.laterals\.(\d)", r"neck.lateral_convs.\1.conv"),
    (r"^pyramid\.outputs\.(\d)", r"neck.fpn_convs.\1.conv"),
    (r"^(coarse|refine)\.score_tower", r"bbox_head.\1_cls_convs"),
    (r"^(coarse|refine)\.box_tower", r"bbox_head.\1_reg_convs"),
    (r"^(coarse|refine)\.noco_tower", r"bbox_head.\1_noco_convs"),
    (r"_convs\.(\d)\.norm", r"_convs.\1.gn"),
    (r"^(coarse|refine)\.score\.", r"bbox_head.\1_conv_cls."),
    (r"^(coarse|refine)\.box\.", r"bbox_head.\1_conv_reg."),
    (r"^(coarse|refine)\.noco\.", r"bbox_head.\1_conv_noco."),
    (r"^(coarse|refine)\.gate\.", r"bbox_head.\1_conv_mod."),
    (r"^refine\.scale$", "bbox_head.scales.0.scale"),
    (r"^coarse\.scale$", "bbox_head.scales.1.scale"),
)
"""From our parameter names to the published ones, applied in turn."""

_UNUSED = frozenset(
    f"neck.fpn_convs.{level}.conv.{kind}" for level in (2, 3) for kind in ("weight", "bias")
)
"""Output convolutions of the published pyramid that feed nothing."""


def published_name(name: str) -> str:
    """Published name of one of our parameters or buffers.

    >>> published_name("refine.score_tower.2.norm.bias")
    'bbox_head.refine_cls_convs.2.gn.bias'
    """
    for ours, theirs in _SPELLINGS:
        name = re.sub(ours, theirs, name)
    return name


@cache
def _published_names() -> dict[str, str]:
    """Our name by published name, of every tensor of the network."""
    names = _hollow(Widths((2, 4, 8, 16), pyramid=1, tower=1, groups=1)).state_dict()
    return {published_name(name): name for name in names}


def from_published(state_dict: Mapping[str, Tensor], *, groups: int = PUBLISHED_GROUPS) -> Oscar:
    """Network in evaluation mode with the weights of a published state dict.

    Widths come from the tensors; ``groups`` are those of the towers' normalisation, which no tensor
    tells. Half precision becomes single.

    Raises:
        DeepirError: tensors that are missing, too many, of a wrong shape, or not finite.
    """
    names = _published_names()
    check_names(state_dict, names, ignored=_UNUSED)
    network = _hollow(
        Widths(
            stages=(
                _width(state_dict, "backbone.layer1.0.conv1.weight"),
                _width(state_dict, "backbone.layer2.0.conv1.weight"),
                _width(state_dict, "backbone.layer3.0.conv1.weight"),
                _width(state_dict, "backbone.layer4.0.conv1.weight"),
            ),
            pyramid=_width(state_dict, "neck.lateral_convs.0.conv.weight"),
            tower=_width(state_dict, "bbox_head.coarse_cls_convs.0.conv.weight"),
            groups=groups,
        )
    )
    own = network.state_dict()
    check_tensors(state_dict, {theirs: own[ours] for theirs, ours in names.items()})
    fill(network, {ours: state_dict[theirs] for theirs, ours in names.items()})
    return network.eval()


def write_weights(path: Path, network: Oscar) -> None:
    """Write a network's weights under our names, with its widths, whole or not at all."""
    metadata = {"architecture": ARCHITECTURE, "widths": json.dumps(asdict(network.widths))}
    write_weight_file(path, network.state_dict(), metadata)


def read_weights(path: Path) -> Oscar:
    """Network in evaluation mode from a file that `write_weights` wrote.

    Raises:
        DeepirError: no such file, another format or architecture, or tensors that do not fit.
    """
    tensors, metadata = read_weight_file(path)
    try:
        if metadata.get("architecture") != ARCHITECTURE:
            raise DeepirError(
                f"weights of {ARCHITECTURE!r} are wanted, the file says"
                f" {metadata.get('architecture')!r}"
            )
        network = _hollow(_described(metadata.get("widths", "")))
        own = network.state_dict()
        check_names(tensors, own)
        check_tensors(tensors, own)
    except DeepirError as error:
        raise DeepirError(f"{str(path)!r}: {error}") from None
    fill(network, tensors)
    return network.eval()


def convert(source: Path, target: Path, *, groups: int = PUBLISHED_GROUPS) -> Oscar:
    """Make a weight file of our own out of a published checkpoint; returns the network.

    Raises:
        UsageError: a target that cannot be written, or that does not end in ``.safetensors``.
        DeepirError: a source that cannot be used, as `read_published_checkpoint` and
            `from_published` say.
    """
    if target.suffix != SUFFIX:
        raise UsageError(f"the target's name ends in {SUFFIX}, got {str(target)!r}")
    check_output_file(target)
    state = read_published_checkpoint(source)
    try:
        network = from_published(state, groups=groups)
    except DeepirError as error:
        raise DeepirError(f"{str(source)!r}: {error}") from None
    write_weights(target, network)
    return network


def _hollow(widths: Widths) -> Oscar:
    """Network without memory: a file cannot make us allocate what it only claims to hold."""
    with torch.device("meta"):
        return Oscar(widths)


def _width(state_dict: Mapping[str, Tensor], name: str) -> int:
    """Output channels of a convolution."""
    shape = state_dict[name].shape
    if len(shape) != 4:
        raise DeepirError(f"{name!r} is to be a convolution's, with four axes, got {tuple(shape)}")
    return shape[0]


def _described(widths: str) -> Widths:
    try:
        return TypeAdapter(Widths).validate_json(widths)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "widths"
        raise DeepirError(f"its description is damaged: {place}: {first['msg']}") from None
