"""The table of all detectors, as `deepir list` prints it, with links to their pages."""

from __future__ import annotations

from pathlib import Path

from deepir.catalogue import CATALOGUE, is_ready
from deepir.tables import Table
from deepir.weights import packaged


def detector_table(folder: Path) -> str:
    """Markdown of the table and the list of the pages that ``folder`` holds."""
    rows = [_row(name, folder) for name in sorted(CATALOGUE)]
    heads = ("name", "family", "floor", "operating threshold", "what")
    pages = sorted(path.stem for path in folder.glob("*.md") if path.stem != "index")
    listed = "\n".join(["```{toctree}", ":hidden:", "", *pages, "```", ""]) if pages else ""
    return Table(heads, rows).markdown() + "\n" + listed


def _row(name: str, folder: Path) -> tuple[str, str, float | None, float | None, str]:
    about = (CATALOGUE[name].__doc__ or "").split("\n")[0]
    detector = CATALOGUE[name]() if is_ready(name) else None
    family = detector.family if detector else "network, no weights"
    page = _page(name, folder)
    shown = f"[{name}]({page})" if page else name
    if detector is None:
        return shown, family, None, None, about
    return shown, family, detector.floor, detector.operating, about


def _page(name: str, folder: Path) -> str | None:
    """Page of a detector as seen from that folder; None where there is none."""
    if (folder / f"{name}.md").exists():
        return f"{name}.md"
    card = packaged(name, ".md")
    return f"../generated/networks/{card.name}" if card else None
