"""Output files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from pathlib import Path

from deepir.errors import UsageError

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
    """Write a file whole: the old content stays until the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".deepir-{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as stream:  # with the rights that the user's umask gives
            stream.write(content)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole; names that are no text appear with their bytes as escapes."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: object) -> None:
    """Write strict JSON whole (no NaN: unknown figures are null)."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return str(text).lower() if isinstance(error, OSError) else str(text)
