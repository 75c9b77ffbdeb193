"""Weights in files that hold tensors and text and nothing that runs (safetensors)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from deepir.errors import DeepirError
from deepir.writing import write_bytes

NAMED = 3
"""At most this many tensor names in a message."""

REAL = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
"""Kinds of numbers that are taken for real and for whole ones."""


def write_weight_file(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write tensors and their description, whole or not at all.

    Raises:
        OSError: it cannot be written; the error names the file.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(plain, dict(metadata)))


def read_weight_file(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name and the description, which is empty where the file has none.

    Raises:
        DeepirError: no such file, another format, or cut off.
    """
    if not path.is_file():
        raise DeepirError(f"{str(path)!r}: {'it is no file' if path.exists() else 'no such file'}")
    return parse_weight_file(path.read_bytes(), repr(str(path)))


def parse_weight_file(content: bytes, source: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The same from a file's content; ``source`` names it in errors.

    Raises:
        DeepirError: another format, or cut off.
    """
    try:
        tensors = load(content)
    except KeyError as error:
        raise DeepirError(f"{source}: numbers of the kind {error} are not read") from None
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise DeepirError(
            f"{source}: no whole safetensors file ({error}); `deepir convert` makes one of a"
            " published checkpoint"
        ) from None
    length = int.from_bytes(content[:_LENGTH], "little")
    header = json.loads(content[_LENGTH : _LENGTH + length])
    return tensors, header.get("__metadata__") or {}


_LENGTH = 8
"""Bytes of a safetensors file that say how long its header is; the header is JSON."""


def check_names(
    given: Collection[str], wanted: Collection[str], *, ignored: Collection[str] = ()
) -> None:
    """Make sure that the tensors are those of the architecture, without looking into them.

    Raises:
        DeepirError: names that are missing or too many; the first of each are told.
    """
    missing = [name for name in wanted if name not in given]
    surplus = [name for name in given if name not in wanted and name not in ignored]
    if missing or surplus:
        told = [_list(*case) for case in (("missing", missing), ("unexpected", surplus)) if case[1]]
        raise DeepirError(f"weights of another architecture: {'; '.join(told)}")


def check_tensors(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Make sure that each tensor has the wanted one's shape and kind of number, all of them finite.

    Raises:
        DeepirError: the first tensor that does not fit, with what it is and what is wanted.
    """
    for name, own in wanted.items():
        tensor: object = given[name]
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_meta:
            raise DeepirError(f"{name!r} is to be a plain tensor, got {_kind(tensor)}")
        if tensor.shape != own.shape:
            raise DeepirError(f"{name!r} has shape {tuple(tensor.shape)}, not {tuple(own.shape)}")
        if tensor.dtype not in (REAL if own.is_floating_point() else WHOLE):
            raise DeepirError(f"{name!r} holds {tensor.dtype}, {own.dtype} is wanted")
        if not torch.isfinite(tensor.to(own.dtype)).all():
            raise DeepirError(f"{name!r} holds NaN or infinite values: the training broke down")


def fill(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a network without memory (built on the device ``meta``) copies of checked tensors.

    Half precision becomes the network's own; everything lies on the CPU afterwards.
    """
    own = network.state_dict()
    copies = {name: tensors[name].to("cpu", own[name].dtype, copy=True) for name in own}
    network.load_state_dict(copies, assign=True)


def _list(kind: str, names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{kind} {', '.join(names[:NAMED])}{more}"


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of layout {value.layout} on {value.device}"
    return f"a {type(value).__name__}"
