"""The manual builds without a warning, asks no other host for anything, and shows what works."""

from __future__ import annotations

import doctest
import os
import pickle
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from built_manual import Page, addresses_of_styles, elsewhere, pages_of, targets
from cyclopts import CycloptsError, MissingArgumentError
from manual_commands import commands, snippets
from test_public_api import PUBLIC

from deepir.classical import CATALOGUE
from deepir.cli import build_app, run
from deepir.data import write_coco
from deepir.errors import UsageError
from deepir.predictions import read_predictions
from deepir.simulate import SimulatedFrames

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(
    path for path in DOCS.rglob("*.md") if "generated" not in path.relative_to(DOCS).parts
)
TEXTS = {path.relative_to(DOCS).as_posix(): path.read_text("utf-8") for path in PAGES}
COMMANDS = [(page, command) for page, text in TEXTS.items() for command in commands(text)]
MISSING = [name for name in ("sphinx", "furo", "myst_parser") if find_spec(name) is None]
SCRIPTS_NAME = {"www.w3.org", "snowballstem.org", "developer.mozilla.org"}
"""Hosts that scripts of the theme and the search name in comments and name spaces."""


@pytest.fixture(scope="module")
def options_of():
    """Options that the help of a verb names."""

    @cache
    def options(verb):
        with redirect_stdout(StringIO()) as told:
            assert run([*verb, "--help"]) == 0, verb
        return set(re.findall(r"--[a-z0-9][a-z0-9.-]*", told.getvalue()))

    return options


def refusal(words):
    """What the command line says against these words; None if nothing."""
    try:
        build_app().parse_args(words, print_error=False, exit_on_error=False)
    except (CycloptsError, UsageError) as error:
        return error
    return None


@pytest.mark.parametrize(
    ("page", "command"), COMMANDS, ids=lambda value: getattr(value, "line", value)
)
def test_every_command_line_parses(page, command, options_of):
    words = list(command.words)
    error = refusal(words)
    if error is not None:
        left_out = isinstance(error, MissingArgumentError) and not command.whole
        not_there = isinstance(error, UsageError) and "--config" in words  # a file of options
        assert left_out or not_there, f"{page}: {command.line}: {error}"
    verb = tuple(words[:2] if words[:1] == ["data"] else words[:1])
    flags = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert flags <= options_of(verb), f"{page}: {command.line}"


def test_the_reader_of_command_lines_sees_what_is_wrong(options_of):
    text = "`deepir detect`\n\n    deepir eval x --jason f  # no\n    deepir data fetch ... | cat\n"
    found = commands(text)
    words = [("eval", "x", "--jason", "f"), ("data", "fetch"), ("detect",)]
    assert [command.words for command in found] == words
    assert [command.whole for command in found] == [True, False, False]
    assert [type(refusal(command.words)).__name__ for command in found] == [
        "UnknownOptionError",
        "MissingArgumentError",
        "NoneType",
    ]
    assert "--jason" not in options_of(("eval",))
    assert len(COMMANDS) > 60


WITH_EXAMPLES = [page for page, text in TEXTS.items() if ">>>" in text]


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_examples_give_what_they_print(page):
    names, runner = {}, doctest.DocTestRunner(verbose=False)
    for block in snippets(TEXTS[page]):
        if ">>>" in block:
            examples = doctest.DocTestParser().get_doctest(block, names, page, page, 0)
            runner.run(examples, clear_globs=False)
            names |= examples.globs
    assert runner.summarize(verbose=False).failed == 0


RUN = ("engineer.md", "formats.md", "researcher.md", "published-toolkit.md")
"""Pages whose Python runs from top to bottom on the files that `files` makes."""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Files that the snippets read, on simulated frames."""
    monkeypatch.chdir(tmp_path)
    frames = list(SimulatedFrames(4, seed=0, shape=(96, 128)))
    cv2.imwrite("frame.png", frames[0].image)
    for folder in ("empty", "splits"):
        Path(folder).mkdir()
    for number, frame in enumerate(SimulatedFrames(3, seed=1, shape=(96, 128), targets=0)):
        cv2.imwrite(f"empty/{number}.png", frame.image)
    write_coco("MY_DATA", "val", frames)
    Path("splits/test_full.txt").write_text("a\nb", "utf-8")
    rows = np.array([[10, 20, 13, 23, 0.9]], dtype=np.float32)
    Path("results.pkl").write_bytes(pickle.dumps([[rows], [rows[:0]]]))
    return tmp_path


@pytest.mark.parametrize("page", RUN)
def test_the_python_of_a_page_runs(page, files, capsys):
    names = {}
    for block in snippets(TEXTS[page]):
        exec(compile(block, page, "exec"), names)
    assert page != "engineer.md" or "threshold just above" in capsys.readouterr().out
    for file in files.glob("*.json"):
        assert read_predictions(file).detections


@pytest.mark.parametrize("page", [page for page in TEXTS if page not in RUN])
def test_the_python_of_other_pages_is_python(page):
    for block in snippets(TEXTS[page]):
        if ">>>" not in block:
            compile(block, page, "exec")


def test_every_picture_is_shown_and_every_shown_one_drawn():
    shown = {
        name for text in TEXTS.values() for name in re.findall(r"^:::\{picture\} (\w+)", text, re.M)
    }
    modules = {path.stem: path.read_text("utf-8") for path in DOCS.glob("pictures/*.py")}
    assert shown == {name for name, text in modules.items() if "\ndef draw() ->" in text}


def test_the_reader_of_pages_sees_what_is_fetched():
    page = Page(
        '<link rel="stylesheet" href="//a.org/x.css"><link rel="next" href="b.html">'
        '<img srcset="https://c.org/1.png 2x"><a href="https://d.org" id="here">d</a>'
        '<p style="background: url(https://e.org/p.png)"><style>@import "https://f.org";</style>'
        '<svg><image href="data:image/png;base64,AA"/><use href="#x"/></svg>'
    )
    hosts = {urlsplit(load).netloc for load in page.loads if elsewhere(load)}
    assert hosts == {"a.org", "c.org", "e.org", "f.org"}
    assert page.links == ["https://d.org"]
    assert page.anchors == {"here"}


@pytest.mark.skipif(
    bool(MISSING), reason=f"the manual needs {', '.join(MISSING)}: pip install '.[docs]'"
)
def test_the_manual_builds_and_holds_together(tmp_path):
    html = build(tmp_path)
    pages = pages_of(html)
    assert len(pages) > len(PAGES)
    check_loads(html, pages)
    check_links(html, pages)
    check_names(html)
    for name in CATALOGUE:
        picture = cv2.imread(str(tmp_path / "docs" / "detectors" / "pictures" / f"{name}.png"))
        assert picture is not None, f"no picture of {name}"
        assert picture.std() > 1


def build(folder):
    """The manual, built from a copy of its sources: the checkout stays as it is."""
    for name in ("docs", "CHANGELOG.md", "CONTRIBUTING.md"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", "html"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "WARNING" not in done.stderr
    return folder / "html"


def check_loads(html, pages):
    """Nothing that a browser fetches by itself is on another host."""
    for path, page in pages.items():
        assert [load for load in page.loads if elsewhere(load)] == [], path.name
    for sheet in html.rglob("*.css"):
        found = addresses_of_styles(sheet.read_text("utf-8"))
        assert [address for address in found if elsewhere(address)] == [], sheet.name
    for script in html.rglob("*.js"):
        hosts = re.findall(r"[\"'`/]//([\w.-]+\.\w+)|https?://([\w.-]+)", script.read_text("utf-8"))
        assert {one or other for one, other in hosts} <= SCRIPTS_NAME, script.name


def check_links(html, pages):
    """Links inside the manual lead somewhere, and from the first page to every other one."""
    wrong, seen, waiting = [], set(), [html / "index.html"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for link, file, anchor in targets(path, pages[path]):
            if not file.exists() or (
                anchor and file in pages and anchor not in pages[file].anchors
            ):
                wrong.append(f"{path.name}: {link}")
            elif file in pages:
                waiting.append(file)
    assert wrong == []
    assert {path.relative_to(html).as_posix() for path in set(pages) - seen} <= {"search.html"}


def check_names(html):
    """Every public name has its place in the reference."""
    from sphinx.util.inventory import InventoryFile

    listed = InventoryFile.loads((html / "objects.inv").read_bytes(), uri="").data
    known = {name for kind, names in listed.items() if kind.startswith("py:") for name in names}
    front = (html / "generated" / "api" / "deepir.html").read_text("utf-8")
    for room, names in PUBLIC.items():
        for name in names.split():
            assert f"{room}.{name}" in known or (room == "deepir" and f">{name}<" in front), name
