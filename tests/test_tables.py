"""A table shows short figures, and keeps full ones in CSV."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepir.tables import Table, shown


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (0.20712, "0.2071"),
        (0.5, "0.5"),
        (1.0, "1"),
        (-12.3456, "-12.35"),
        (12345.6, "12350"),
        (99999.0, "100000"),
        (1.25e-5, "1.25e-05"),
        (np.float64(0.1234567), "0.1235"),
        (float("inf"), "inf"),
        (123456, "123456"),
        (0, "0"),
        ("a name", "a name"),
        ("", ""),
    ],
)
def test_a_cell_is_shown_in_four_digits(cell, text):
    assert shown(cell) == text


figures = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)


@given(figures)
def test_a_shown_figure_is_near_the_true_one(figure):
    assert float(shown(figure)) == pytest.approx(figure, rel=6e-4, abs=1e-300)


@given(st.lists(st.tuples(st.text(), figures), max_size=4))
def test_csv_keeps_figures_in_full(rows):
    clean = [(name.replace("\r", "").replace("\0", ""), figure) for name, figure in rows]
    text = Table(("name, long", "figure"), clean).csv()
    heads, *read = csv.reader(io.StringIO(text, newline=""))
    assert heads == ["name, long", "figure"]
    assert [(name, float(figure)) for name, figure in read] == clean


def test_csv_leaves_unknown_cells_empty_and_numpy_numbers_plain():
    text = Table(("a", "b", "c"), [(None, np.float64(0.1), 3)]).csv()
    assert text == "a,b,c\n,0.1,3\n"


def test_markdown_keeps_one_line_a_row():
    table = Table(("a|b", "c"), [("x\ny", None), ("|", 2)])
    assert table.markdown().splitlines() == [
        r"| a\|b | c |",
        "| --- | --- |",
        "| x y | - |",
        r"| \| | 2 |",
    ]


def test_a_table_may_have_no_row():
    assert Table(("a",), []).markdown() == "| a |\n| --- |\n"
    assert Table(("a",), []).csv() == "a\n"


def test_rows_have_as_many_cells_as_heads():
    with pytest.raises(ValueError, match=r"2 columns .*\(1,\)"):
        Table(("a", "b"), [(1, 2), (1,)])
