"""Every filter has its page, and no page says what the catalogue does not."""

from __future__ import annotations

import doctest
import inspect
import re
from functools import partial
from pathlib import Path

import pytest

from deepir.classical import CATALOGUE
from deepir.map_detector import MapDetector

DOCS = Path(__file__).parents[1] / "docs"
FOLDER = DOCS / "detectors"
RECORD = (DOCS / "experiments.md").read_text("utf-8")
MODES = ("default", "reference")


@pytest.fixture(autouse=True, scope="module")
def building():
    """What builds the manual can be imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield


@pytest.fixture(scope="module")
def index(building):
    """The table of all detectors, and the list of the pages."""
    from building.detectors import detector_table

    table, _, listed = detector_table(FOLDER).partition("```{toctree}")
    return table, listed.splitlines()


@pytest.fixture(params=sorted(CATALOGUE))
def name(request):
    """Each filter of the catalogue."""
    return request.param


@pytest.fixture
def page(name):
    """Text of its page."""
    return (FOLDER / f"{name}.md").read_text("utf-8")


def test_no_page_is_of_nothing():
    assert {path.stem for path in FOLDER.glob("*.md")} == {*CATALOGUE, "index"}


def test_the_index_links_to_every_page(name, index):
    assert "../generated/detectors.md" in (FOLDER / "index.md").read_text("utf-8")
    table, listed = index
    assert f"[{name}]({name}.md)" in table
    assert name in listed


def test_a_page_has_its_parts(name, page):
    assert f"![response](pictures/{name}.png)" in page
    assert f"```{{include}} ../generated/filters/{name}.md\n```" in page
    heads = re.findall(r"^## (.*)$", page, re.M)
    assert [head for head in ("Idea", "Formula", "Parameters", "Cost") if head not in heads] == []


def test_a_page_leaves_floors_and_thresholds_to_the_catalogue(page):
    assert re.search(r"\b(floor|operating)\b", page) is None


def rows_of_options(page):
    """Rows of the table of parameters by the options that they name."""
    part = re.search(r"^## Parameters\n(.*?)^## ", page, re.M | re.S)[1]
    rows = {}
    for line in part.splitlines():
        if line.startswith("| `"):
            _, first, *others = line.split("|")
            rows |= dict.fromkeys(re.findall(r"`(\w+)`", first), " ".join(others))
    return rows


def test_a_page_names_the_options_of_its_builder(name, page):
    options = {*inspect.signature(CATALOGUE[name]).parameters} - {"mode"}
    assert {*rows_of_options(page)} == options


def kept_values(part):
    """Keywords of a function and of the functions that it was given."""
    values = {}
    if isinstance(part, partial):
        for value in part.keywords.values():
            values |= kept_values(value)
        values |= part.keywords
    return values


@pytest.mark.parametrize("mode", MODES)
def test_a_page_knows_the_values_of_both_modes(name, page, mode):
    detector = CATALOGUE[name](mode=mode)
    kept = {**kept_values(detector.filter), **kept_values(detector.scale)}
    for option, told in rows_of_options(page).items():
        value = kept.get(option)
        values = value if isinstance(value, tuple | list) else [value]
        if value is not None and "by mode" not in told:
            for one in values:
                word = f"{one:g}" if isinstance(one, int | float) else str(one)
                assert re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", told), (option, word, told)


def test_what_is_generated_has_the_thresholds_of_both_modes(name):
    from building.filters import filter_page

    text = filter_page(name, RECORD)
    for row, attribute in (("floor", "floor"), ("operating threshold", "operating")):
        wanted = [float(getattr(CATALOGUE[name](mode=mode), attribute)) for mode in MODES]
        cells = re.search(rf"^\| {row} \| (.*) \|$", text, re.M)[1].split(" | ")
        assert [float(cell) for cell in cells] == pytest.approx(wanted, rel=1e-3)


def own_scale(values):
    """Its own clutter.

    ``values`` as they are, `doubled`.

    >>> own_scale(1.0)
    2.0
    """
    return 2 * values


def doubled(values):
    return 2 * values


def test_examples_of_the_builder_hold():
    from building import filters

    failed, tried = doctest.testmod(filters)
    assert not failed
    assert tried


def test_a_scale_speaks_for_itself():
    from building.filters import filter_page, scale_words

    from deepir.readout import clutter_ratio

    assert scale_words(partial(clutter_ratio, least=0.1)) == "`clutter_ratio(least=0.1)`"
    assert scale_words(lambda values: values) == "the map itself"
    assert filter_page("lcm", "").count("**`clutter_ratio`**: A signed map") == 1


def test_a_scale_that_says_nothing_stops_the_build(monkeypatch):
    from building.filters import filter_page

    def detector(scale, mode):
        return MapDetector("lcm", abs, 1.0, 2.0, mode, scale=scale)

    monkeypatch.setitem(CATALOGUE, "lcm", partial(detector, own_scale))
    assert "**`own_scale`**: Its own clutter.\n\n`values` as they are" in filter_page("lcm", "")
    monkeypatch.setitem(CATALOGUE, "lcm", partial(detector, doubled))
    with pytest.raises(ValueError, match="the scale doubled has no docstring"):
        filter_page("lcm", "")


SWEEP = """
| detector | mode | mNoCoAP by floor | floor | mNoCoAP | recall cap | operating | Pd |
| --- | --- | --- | --- | --- | --- | --- | --- |
| lcm | {mode} | 0.5: 1.0 {floor:g}: 61.5 900: 2.0 | 900 | 0.700 | 0.9 | {operating:g} | 0.321 |
"""
FIGURES = """
{mode} mode:

| detector | read-out | mNoCoAP | AP10 | Pd |
| --- | --- | --- | --- | --- |
| mpcm | peak | 0.111 | 0.2 | 0.3 |
| lcm | peak | {figure} | 0.456 | 0.567 |
"""


def test_figures_come_from_the_last_table_of_the_record():
    from building.filters import filter_page

    detector = CATALOGUE["lcm"]()
    known = {"mode": "default", "floor": detector.floor, "operating": detector.operating}
    record = SWEEP.format(**known) + FIGURES.format(mode="Default", figure="0.112")
    record += FIGURES.format(mode="Reference", figure="0.113")
    text = filter_page("lcm", record + FIGURES.format(mode="Default", figure="0.114"))
    assert "| mNoCoAP on val | 0.615 | - |" in text
    assert "| Pd on val | 0.321 | - |" in text
    assert "| default, `peak` | 0.114 | - | 0.456 | - | - | 0.567 | - |" in text
    assert "| reference, `peak` | 0.113 |" in text
    assert "0.112" not in text
    assert "0.111" not in text


def test_figures_of_another_threshold_are_left_out():
    from building.filters import filter_page

    operating = 2 * CATALOGUE["lcm"]().operating
    record = SWEEP.format(mode="default", floor=1, operating=operating)
    assert "on val |" not in filter_page("lcm", record)


def test_what_is_not_there_is_told():
    from building.filters import filter_page

    assert "| published | 0.207 |" in filter_page("lcm", "")
    text = filter_page("top_hat", "# Nothing\n")
    assert "has no row of it" in text
    assert "not recorded yet" in text
