"""Imports run in one direction: a room knows only rooms that stand above it in this list."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

import deepir

LAYERS = """
choices errors
structures
boxes
noco scr
readout
detector frames
simulate
interrupt writing
classical data metrics
catalogue predictions scoring
bench
overlay results tables
comparison detection_files
cli
__main__
"""
RANK = {room: rank for rank, line in enumerate(LAYERS.split("\n")) for room in line.split()}

PACKAGE = Path(deepir.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
BAGS = {"utils", "util", "misc", "common", "core", "base", "helpers"}
ABSENT = {"torch", "torchvision", "onnxruntime", "matplotlib"}


def relative(path):
    return path.relative_to(PACKAGE).as_posix()


def room_of(path):
    """First folder or module below the package."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


@cache
def imported(path):
    """Full names of everything a file imports, inside functions and type checks too."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno} imports relatively"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def rooms_used(path):
    """Rooms of this package that a file imports from; the front door itself is none."""
    parts = [name.split(".") for name in imported(path)]
    return {part[1] for part in parts if part[0] == "deepir" and part[1] != "__version__"}


INNER = [path for path in FILES if path.parent != PACKAGE or path.name != "__init__.py"]


def test_every_room_has_its_place():
    assert {room_of(path) for path in INNER} == set(RANK)


@pytest.mark.parametrize("path", INNER, ids=relative)
def test_imports_run_in_one_direction(path):
    room = room_of(path)
    used = rooms_used(path) - {room}
    assert used <= set(RANK)
    assert [other for other in used if RANK[other] >= RANK[room]] == []


def module_of(path):
    """Dotted name of a file's module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def test_modules_import_each_other_in_no_circle():
    names = {module_of(path) for path in INNER}
    # `from a.b import c` uses a.b, and a.b.c where that is a module.
    waiting = {
        module_of(path): {part for use in imported(path) for part in (use, use.rpartition(".")[0])}
        & names - {module_of(path)}
        for path in INNER
    }
    while ready := {name for name, uses in waiting.items() if not uses}:
        waiting = {name: uses - ready for name, uses in waiting.items() if name not in ready}
    assert waiting == {}


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_heavy_package_is_imported_anywhere(path):
    assert {name.split(".")[0] for name in imported(path)} & ABSENT == set()


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_modules_are_named_for_what_they_hold(path):
    assert not BAGS & set(path.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_import_takes_everything(path):
    assert not [name for name in imported(path) if name.endswith(".*")]


def test_only_the_front_door_and_the_list_of_versions_import_by_name():
    users = {relative(path) for path in FILES if "importlib.import_module" in imported(path)}
    assert users == {"__init__.py", "cli/info.py"}
