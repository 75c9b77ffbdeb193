"""Weights of the networks in the catalogue: written after training, read for more of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from deepir import __version__
from deepir.errors import DeepirError, UsageError, unknown_name
from deepir.models import CATALOGUE
from deepir.models.cascade import Cascade
from deepir.models.oscar import Oscar
from deepir.models.weight_files import (
    check_names,
    check_tensors,
    parse_weight_file,
    read_weight_file,
    write_weight_file,
)

SUFFIX = ".safetensors"


class Trained(NamedTuple):
    """A network from a file of weights."""

    name: str
    """In the catalogue."""

    network: nn.Module
    """In evaluation mode."""

    notes: dict[str, str]
    """What the file says of itself."""


def write_trained(path: Path, name: str, network: nn.Module, notes: Mapping[str, str]) -> None:
    """Write the weights of a network of the catalogue, whole or not at all.

    The file says its name and architecture, the version of deepir, and ``notes``.
    """
    description = {**notes, **_architecture(network), "name": name, "deepir": __version__}
    write_weight_file(path, network.state_dict(), description)


def read_trained(path: Path) -> Trained:
    """Network from a file that `write_trained` or `deepir convert` wrote.

    Raises:
        DeepirError: no such file, another format, a name that is not in the catalogue, or tensors
            that do not fit its architecture.
    """
    return _trained(*read_weight_file(path), repr(str(path)))


def parse_trained(content: bytes, source: str) -> Trained:
    """The same from the file's content; ``source`` names it in errors.

    Raises:
        DeepirError: as `read_trained`.
    """
    return _trained(*parse_weight_file(content, source), source)


def load_weights(path: Path, name: str, network: nn.Module) -> dict[str, str]:
    """Give a network of the catalogue the weights of a file; returns what the file says.

    Nothing in the file is ever run, and the network stays as it was where the file does not fit.

    Raises:
        UsageError: a file of another kind.
        DeepirError: no such file, cut off, of another architecture, or not finite.
    """
    if path.suffix.lower() != SUFFIX:
        raise UsageError(
            f"weights are a {SUFFIX} file, got {str(path)!r}; `deepir convert` makes one of a"
            " published checkpoint"
        )
    tensors, notes = read_weight_file(path)
    _give(network, tensors, notes.get("name", name), name, repr(str(path)))
    return notes


def _trained(tensors: Mapping[str, Tensor], notes: dict[str, str], source: str) -> Trained:
    name = notes.get("name") or _published_name(notes)
    if name not in CATALOGUE:
        raise DeepirError(
            f"{source} does not say which network it holds (its name is {name!r}); known:"
            f" {', '.join(sorted(CATALOGUE))}"
        )
    network = CATALOGUE[name]()
    _give(network, tensors, name, name, source)
    return Trained(name, network.eval(), notes)


def _give(
    network: nn.Module, tensors: Mapping[str, Tensor], named: str, wanted: str, source: str
) -> None:
    """Check tensors of a network ``named`` so, and load them into one of the ``wanted`` name."""
    own = network.state_dict()
    try:
        if named != wanted:
            raise DeepirError(f"weights of {named!r}, those of {wanted!r} are wanted")
        check_names(tensors, own)
        check_tensors(tensors, own)
    except DeepirError as error:
        raise DeepirError(f"{source}: {error}") from None
    network.load_state_dict(dict(tensors))


def _published_name(notes: Mapping[str, str]) -> str:
    """Name of a converted checkpoint, which has none, by its numbers of channels."""
    if notes.get("architecture") != "oscar":
        return ""
    try:
        widths = json.loads(notes.get("widths", "null"))
    except (ValueError, RecursionError):
        return ""
    for name in PUBLISHED:
        with torch.device("meta"):
            known = _architecture(CATALOGUE[name]())
        if widths == json.loads(known["widths"]):
            return name
    return ""


PUBLISHED = ("oscar_r18_256", "oscar_r18_128")
"""Networks whose published checkpoints `deepir convert` reads."""


def build(name: str) -> nn.Module:
    """A new network of the catalogue, with a random start.

    Raises:
        UsageError: an unknown name.
    """
    if name not in CATALOGUE:
        raise unknown_name("network", name, CATALOGUE)
    return CATALOGUE[name]()


def _architecture(network: nn.Module) -> dict[str, str]:
    """Family and widths, for readers that know no names."""
    kinds: dict[type[nn.Module], tuple[str, str]] = {
        Oscar: ("oscar", "widths"),
        Cascade: ("cascade", "layout"),
    }
    if type(network) not in kinds:
        return {}
    family, widths = kinds[type(network)]
    numbers: Any = cast(Any, getattr(network, widths))
    return {"architecture": family, widths: json.dumps(asdict(numbers))}
