"""The table of all detectors, as `deepir list` prints it, with links to their pages."""

from __future__ import annotations

from pathlib import Path

from building.filters import scale_name
from deepir.catalogue import CATALOGUE, is_ready
from deepir.map_detector import MapDetector
from deepir.tables import Cell, Table
from deepir.weights import packaged


def detector_table(folder: Path) -> str:
    """Markdown of the table and the list of the pages that ``folder`` holds."""
    rows = [_row(name, folder) for name in sorted(CATALOGUE)]
    heads = ("name", "family", "score", "floor", "operating threshold", "what")
    pages = sorted(path.stem for path in folder.glob("*.md") if path.stem != "index")
    listed = "\n".join(["```{toctree}", ":hidden:", "", *pages, "```", ""]) if pages else ""
    return Table(heads, rows).markdown() + "\n" + listed


def _row(name: str, folder: Path) -> tuple[Cell, ...]:
    about = (CATALOGUE[name].__doc__ or "").split("\n")[0]
    page = _page(name, folder)
    shown = f"[{name}]({page})" if page else name
    if not is_ready(name):
        return shown, "network, no weights", None, None, None, about
    detector = CATALOGUE[name]()
    score = scale_name(detector.scale) if isinstance(detector, MapDetector) else "0 to 1"
    return shown, detector.family, score, detector.floor, detector.operating, about


def _page(name: str, folder: Path) -> str | None:
    """Page of a detector as seen from that folder; None where there is none."""
    if (folder / f"{name}.md").exists():
        return f"{name}.md"
    card = packaged(name, ".md")
    return f"../generated/networks/{card.name}" if card else None
