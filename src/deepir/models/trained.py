"""Weights of the networks in the catalogue: written after training, read for more of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, cast

from torch import nn

from deepir import __version__
from deepir.errors import DeepirError, UsageError, unknown_name
from deepir.models import CATALOGUE
from deepir.models.cascade import Cascade
from deepir.models.oscar import Oscar
from deepir.models.weight_files import (
    check_names,
    check_tensors,
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
    """Network from a file that `write_trained` wrote.

    Raises:
        DeepirError: no such file, another format, a name that is not in the catalogue, or tensors
            that do not fit its architecture.
    """
    _, notes = read_weight_file(path)
    name = notes.get("name", "")
    if name not in CATALOGUE:
        raise DeepirError(
            f"{str(path)!r} does not say which network it holds (its name is {name!r}); known:"
            f" {', '.join(sorted(CATALOGUE))}"
        )
    network = CATALOGUE[name]()
    load_weights(path, name, network)
    return Trained(name, network.eval(), notes)


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
    other = notes.get("name", name)
    own = network.state_dict()
    try:
        if other != name:
            raise DeepirError(f"weights of {other!r}, those of {name!r} are wanted")
        check_names(tensors, own)
        check_tensors(tensors, own)
    except DeepirError as error:
        raise DeepirError(f"{str(path)!r}: {error}") from None
    network.load_state_dict(tensors)
    return notes


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
