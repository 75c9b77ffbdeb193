"""Pages of the API reference, one a public module, made from what the module itself exports."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType

from sphinx.pycode import ModuleAnalyzer

EXPORTING = (
    "deepir.frames",
    "deepir.simulate",
    "deepir.classical",
    "deepir.data",
    "deepir.audit",
    "deepir.contact_sheet",
    "deepir.metrics",
)
"""Rooms whose names come from the files inside them."""

WHOLE = (
    "deepir.structures",
    "deepir.catalogue",
    "deepir.detector",
    "deepir.map_detector",
    "deepir.box_detector",
    "deepir.thresholds",
    "deepir.saliency",
    "deepir.calibration",
    "deepir.readout",
    "deepir.noco",
    "deepir.boxes",
    "deepir.scr",
    "deepir.choices",
    "deepir.errors",
)
"""Modules that are one file."""

FRONT = "deepir"

FIRST = ("noco_ap", "target", "bootstrap")
"""Files that come before the others on the page of their room."""


def api_pages() -> dict[str, str]:
    """Markdown of every page by the name of its module."""
    return {
        FRONT: _front(),
        **{name: _whole(name) for name in WHOLE},
        **{name: _exporting(name) for name in EXPORTING},
    }


def _front() -> str:
    """The front door: what each name is, and where it is documented."""
    module = import_module(FRONT)
    lines = [_head(module), "| name | what |", "| --- | --- |"]
    for name in module.__all__:
        value = getattr(module, name)
        if name != "__version__":
            place = f"{value.__module__}.{name}"
            role = "class" if inspect.isclass(value) else "func"
            role = "exc" if role == "class" and issubclass(value, Exception) else role
            target = f"{{py:{role}}}`{name} <{_listed(place)}>`"
            lines.append(f"| {target} | {_first_line(value)} |")
    lines.append("| `__version__` | The version of this package. |")
    return "\n".join(lines) + "\n"


def _whole(name: str) -> str:
    return f"# {name}\n\n" + _rst(f".. automodule:: {name}\n   :members:\n")


def _exporting(name: str) -> str:
    """A room's page: its names by the file that they come from, in the order of the files."""
    room = import_module(name)
    homes = _homes(room)
    text = _head(room) + "\n" + _rst(f".. currentmodule:: {name}\n")
    for home in dict.fromkeys(homes.values()):
        names = [one for one in room.__all__ if homes[one] == home]
        if home != name:
            title, _, more = (inspect.getdoc(import_module(home)) or "").partition("\n")
            short = title.partition(":")[0] if "`" in title else title
            text += f"\n## {short.rstrip('.')}\n\n" + (_rst(more.strip() + "\n") if more else "")
        text += "\n" + _rst("\n".join(_entry(room, home, one) for one in names))
    return text


def _homes(room: ModuleType) -> dict[str, str]:
    """Module that each exported name of a room is written in."""
    inner = [f"{room.__name__}.{found.name}" for found in pkgutil.iter_modules(room.__path__)]
    homes = {}
    for name in room.__all__:
        home = getattr(getattr(room, name), "__module__", None)
        if home not in inner:  # a constant, or written in the room itself
            home = next((one for one in inner if name in _constants(one)), room.__name__)
        homes[name] = home
    order = sorted(set(homes.values()), key=lambda home: (home != room.__name__, _rank(home), home))
    return {name: homes[name] for home in order for name in room.__all__ if homes[name] == home}


def _rank(home: str) -> int:
    file = home.rpartition(".")[2]
    return FIRST.index(file) if file in FIRST else len(FIRST)


def _entry(room: ModuleType, home: str, name: str) -> str:
    value = getattr(room, name)
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, Exception) else "autoclass"
        return f".. {kind}:: {name}\n   :members:\n"
    if inspect.isfunction(value):
        return f".. autofunction:: {name}\n"
    lines = _constants(home).get(name, [])
    shown = repr(value)
    said = f"   :value: {shown}\n" if len(shown) < 60 else ""
    return f".. py:data:: {name}\n{said}\n" + "".join(f"   {line}\n" for line in lines)


def _constants(module: str) -> dict[str, list[str]]:
    """Documented constants of a module."""
    docs = ModuleAnalyzer.for_module(module).find_attr_docs()
    return {name: lines for (scope, name), lines in docs.items() if not scope}


def _listed(place: str) -> str:
    """Full name under which the manual documents an object."""
    room = next((room for room in EXPORTING if place.startswith(f"{room}.")), None)
    return f"{room}.{place.rpartition('.')[2]}" if room else place


def _head(module: ModuleType) -> str:
    return f"# {module.__name__}\n\n" + _rst(f".. automodule:: {module.__name__}\n")


def _first_line(value: object) -> str:
    return (inspect.getdoc(value) or "").split("\n")[0]


def _rst(text: str) -> str:
    return f"```{{eval-rst}}\n{text}```\n"
