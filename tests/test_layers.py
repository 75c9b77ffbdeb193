"""Imports run in one direction: a room knows only rooms that stand above it in this list."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import deepir

LAYERS = """
choices errors scratch
calibration saliency structures
clutter_level
card
boxes holes
noco scr
readout
detector frames standardise
box_detector map_detector
simulate
diagnostics interrupt weights writing
classical data metrics models runtime
networks own_detectors
archive audit catalogue outcomes passes predictions scoring
bench plant_test thresholds training
calibrating export saved_maps
overlay results tables
comparison contact_sheet detection_files summary worst
model_card
cli
__main__
"""
RANK = {room: rank for rank, line in enumerate(LAYERS.split("\n")) for room in line.split()}

PACKAGE = Path(deepir.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
BAGS = {"utils", "util", "misc", "common", "core", "base", "helpers"}

HEAVY = {
    "torch": {"models", "training", "export"},
    "safetensors": {"models", "training", "export"},
    "tensorboard": {"training"},
    "yaml": {"training", "cli", "data"},
    "onnx": {"export"},
    "onnxscript": {"export"},
    "onnxruntime": {"runtime", "export"},
    "openvino": {"runtime", "export"},
    "pooch": {"data"},
    "requests": {"data"},
    "torchvision": set(),
    "matplotlib": set(),
}
"""Packages that do not come along everywhere or load slowly, and the rooms that may import them."""

TORCH_ROOMS = {"models", "training", "export", "calibrating"}
"""They may need heavy packages to be imported; the others import them inside functions only."""


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
    assert {room_of(path) for path in INNER} <= set(RANK)


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
def test_heavy_packages_stay_in_their_rooms(path):
    packages = {name.split(".")[0] for name in imported(path)} & set(HEAVY)
    assert [name for name in packages if room_of(path) not in HEAVY[name]] == []


def at_import(path):
    """Packages that a file needs as soon as it is imported."""
    waiting = list(ast.parse(path.read_text(encoding="utf-8")).body)
    packages = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add(node.module.split(".")[0])
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += list(ast.iter_child_nodes(node))
    return packages


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_heavy_packages_are_imported_when_they_are_used(path):
    assert room_of(path) in TORCH_ROOMS or not at_import(path) & set(HEAVY)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_engines_are_imported_when_a_network_is_opened(path):
    assert not at_import(path) & {"onnxruntime", "openvino"}


FREE_OF_TORCH = {
    "import": "import deepir",
    "front door": "import deepir; [getattr(deepir, name) for name in dir(deepir)]",
    "help": "from deepir.cli import run; run(['--help'])",
    "list": "from deepir.cli import run; run(['list'])",
    "detect": "from deepir.cli import run; assert run(['detect', '--no-overlays']) == 0",
}


@pytest.mark.parametrize("statement", FREE_OF_TORCH.values(), ids=FREE_OF_TORCH)
def test_what_is_everyday_loads_no_torch(statement, tmp_path):
    script = f"{statement}; import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=True)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_modules_are_named_for_what_they_hold(path):
    assert not BAGS & set(path.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_import_takes_everything(path):
    assert not [name for name in imported(path) if name.endswith(".*")]


def test_only_the_front_door_and_the_list_of_versions_import_by_name():
    users = {relative(path) for path in FILES if "importlib.import_module" in imported(path)}
    assert users == {"__init__.py", "cli/info.py"}


def runs_code(path):
    """Whether a file calls exec or eval."""
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in ("exec", "eval")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_only_detectors_of_the_users_own_are_code_that_is_run():
    assert {relative(path) for path in FILES if runs_code(path)} == {"own_detectors.py"}
