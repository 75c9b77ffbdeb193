"""Pages and pictures that are made from the package before Sphinx reads anything.

They lie in `docs/generated` and `docs/detectors/pictures`, which git ignores: the API reference,
the cards of the networks, the table of the detectors, thresholds and figures of each filter and
what it makes of three frames.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
from pictures.responses import draw_response
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.display import status_iterator
from sphinx.util.typing import ExtensionMetadata

import deepir
from building.api import api_pages
from building.detectors import detector_table
from building.filters import filter_page
from deepir.classical import CATALOGUE
from deepir.weights import FOLDER as WEIGHTS
from deepir.writing import write_bytes, write_text

PACKAGE = Path(deepir.__file__).parent


def make_pages(app: Sphinx, config: Config) -> None:
    """Write what the package says of itself, and remove what it no longer says."""
    del config
    docs = Path(app.srcdir)
    generated = docs / "generated"
    texts = {generated / "detectors.md": detector_table(docs / "detectors")}
    record = (docs / "experiments.md").read_text("utf-8")
    texts |= {generated / "filters" / f"{name}.md": filter_page(name, record) for name in CATALOGUE}
    texts |= {generated / "api" / f"{name}.md": text for name, text in api_pages().items()}
    cards = {path.name: path.read_text("utf-8") for path in WEIGHTS.glob("*.md")}
    texts |= {generated / "networks" / name: text for name, text in cards.items()}
    for path, text in texts.items():
        if not path.exists() or path.read_text("utf-8") != text:
            write_text(path, text)
    for path in set(generated.rglob("*.md")) - set(texts):
        path.unlink()
    draw_responses(docs / "detectors" / "pictures")


def draw_responses(folder: Path) -> None:
    """Draw what every filter makes of the same frames, anew where any code has changed."""
    stamp, drawn = folder / "drawn-from.sha256", _digest()
    wanted = {folder / f"{name}.png": name for name in CATALOGUE}
    for path in set(folder.glob("*.png")) - set(wanted):
        path.unlink()
    same = stamp.exists() and stamp.read_text("utf-8") == drawn
    missing = [path for path in wanted if not (same and path.exists())]
    for path in status_iterator(missing, "drawing filters... ", length=len(missing)):
        write_bytes(path, cv2.imencode(".png", draw_response(wanted[path]))[1].tobytes())
    write_text(stamp, drawn)


def _digest() -> str:
    """Check sum of all code that a filter's picture may depend on."""
    files = [*PACKAGE.rglob("*.py"), *Path(__file__).parents[1].glob("pictures/*.py")]
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.read_bytes())
    return total.hexdigest()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Make the pages before they are read."""
    app.connect("config-inited", make_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
