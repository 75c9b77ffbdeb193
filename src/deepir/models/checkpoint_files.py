"""Checkpoints that others saved with ``torch.save``: read without running anything in them."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import torch
from torch import Tensor

from deepir.errors import DeepirError


class _Skipped:
    """Stands for a NumPy value of a checkpoint's notes, which are not used: nothing is rebuilt."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


# Notes of training programs hold NumPy numbers, under the names of NumPy 1 and 2. Their own
# constructors are never called: each name leads to the class above.
_NOTES = tuple(
    (_Skipped, name)
    for name in (
        "numpy.dtype",
        "numpy.ndarray",
        *(
            f"numpy.{core}.multiarray.{function}"
            for core in ("core", "_core")
            for function in ("scalar", "_reconstruct")
        ),
    )
)


def read_published_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read the ``state_dict`` of a checkpoint saved as a dictionary with ``torch.save``.

    The rest of the dictionary (``meta``, ``optimizer``) is left alone. Tensors, numbers, text and
    containers are read, and NumPy values skipped; a file that asks for anything else to be called
    is refused before that happens.

    Raises:
        DeepirError: no such file, another kind of file, cut off, refused, or without a state dict.
    """
    content = _load(path)
    if not isinstance(content, Mapping) or not isinstance(content.get("state_dict"), Mapping):
        holds = sorted(map(str, content))[:5] if isinstance(content, Mapping) else type(content)
        raise DeepirError(
            f"{str(path)!r}: a dictionary with 'state_dict' is wanted, the file holds {holds}"
        )
    state = content["state_dict"]
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise DeepirError(
                f"{str(path)!r}: a state dict holds named tensors, got {name!r}:"
                f" {type(value).__name__}"
            )
    return dict(state)


def _load(path: Path) -> object:
    if not path.is_file():
        raise DeepirError(f"{str(path)!r}: {'it is no file' if path.exists() else 'no such file'}")
    with (
        path.open("rb") as stream,
        torch.serialization.safe_globals(list(_NOTES)),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # what is wrong comes as an exception
        _check_unpacked(stream, repr(str(path)))
        try:
            content: object = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception as error:  # foreign bytes can fail in any way inside the reader
            raise DeepirError(f"{str(path)!r}: {_reason(error)}") from None
        _check_sums(stream, repr(str(path)))
    return content


def _check_unpacked(stream: IO[bytes], source: str) -> None:
    """Make sure that a zip file holds what it says without unpacking: torch packs nothing.

    A packed file could become any size in memory.
    """
    is_zip, size = zipfile.is_zipfile(stream), stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if not is_zip:
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except Exception as error:  # foreign bytes can fail in any way
        raise DeepirError(f"{source}: {_reason(error)}") from None
    finally:
        stream.seek(0)
    packed = [one.filename for one in parts if one.compress_type != zipfile.ZIP_STORED]
    if packed or sum(one.file_size for one in parts) > size:
        raise DeepirError(
            f"{source}: {(packed or ['its content'])[0]!r} is packed, torch.save packs nothing:"
            " fetch the file again"
        )


def _check_sums(stream: IO[bytes], source: str) -> None:
    """Make sure of the check sums in the file, which torch itself never looks at.

    Files from before torch 1.6 have none.
    """
    if not zipfile.is_zipfile(stream):
        return
    try:
        with zipfile.ZipFile(stream) as archive:
            folders = [one.filename for one in archive.infolist() if one.external_attr & _FOLDER]
            damaged = archive.testzip() or next(iter(folders), None)
    except Exception as error:  # as above
        raise DeepirError(f"{source}: {_reason(error)}") from None
    if damaged is not None:
        raise DeepirError(
            f"{source}: damaged at {damaged!r}, or saved without check sums: fetch the file again"
        )


_FOLDER = 0x10
"""Mark of a folder in a zip file, of which torch reads nothing, whatever stands there."""


def _reason(error: Exception) -> str:
    """One line out of the reader's long advice."""
    refused = re.search(r"GLOBAL (\S+)", str(error))
    if refused:
        return f"refused, because loading it would call {refused[1]}, which is no tensor"
    return f"no checkpoint that torch.save wrote whole ({type(error).__name__})"
