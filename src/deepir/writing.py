"""Output files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from pathlib import Path, PurePath
from zlib import crc32

from deepir.errors import UsageError

LONGEST_NAME = 240
"""Bytes of a file's name without suffix, so that suffixes fit into the 255 of most systems."""

PART_FILES = ".deepir-*.part"
"""Pattern of the temporary names; a process that is killed leaves such a file."""


def output_folder(path: Path) -> Path:
    """Make ``path`` and its parents, and make sure that files can be written there.

    Raises:
        UsageError: the path is a file, or nothing can be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write into the folder {str(path)!r}: {_reason(error)}") from None


def check_output_folder(path: Path) -> None:
    """Make sure before a long run that a folder can be made and written; nothing is left behind.

    Raises:
        UsageError: as `output_folder`.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    output_folder(path)
    for folder in made:
        folder.rmdir()


def check_output_file(path: Path) -> Path:
    """Make sure before a long run that ``path`` can be written; nothing is left behind.

    Raises:
        UsageError: the path is a folder, or its folder does not exist or cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is a folder or a device, a file is wanted")
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write the file {str(path)!r}: {_reason(error)}") from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole: the old content stays until the new one is complete.

    Raises:
        OSError: it cannot be written, as on a full disk; the error names ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".deepir-{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as stream:  # with the rights that the user's umask gives
            stream.write(content)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # a full disk names no file, and nobody knows the part
            raise OSError(error.errno, error.strerror or str(error), str(path)) from None
        raise


def id_path(frame_id: str) -> PurePath:
    """Path of a frame's files below an output folder; an id may be a path from anywhere.

    A part longer than a file name may be keeps its beginning and gets a check sum.

    >>> id_path("/night/../a#000001").as_posix()
    '_/night/__/a#000001'
    """
    path = PurePath(frame_id)
    outside = {path.anchor: "_", "..": "__"}
    return PurePath(*(_fitting(outside.get(part, part)) for part in path.parts))


def _fitting(part: str) -> str:
    encoded = part.encode()
    if len(encoded) <= LONGEST_NAME:
        return part
    return f"{encoded[: LONGEST_NAME - 9].decode(errors='ignore')}-{crc32(encoded):08x}"


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole; names that are no text appear with their bytes as escapes."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Write strict JSON whole (no NaN: unknown figures are null)."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text).lower() if isinstance(error, OSError) else str(text)
