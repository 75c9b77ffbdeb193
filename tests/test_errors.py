"""Messages are one line that a terminal can show."""

from __future__ import annotations

import pytest

from deepir.errors import (
    LONGEST_LINE,
    DeepirError,
    FrameError,
    UsageError,
    plain,
    unknown_name,
)


@pytest.mark.parametrize("text", ["", "a b", "µ 火 Ω", "back\\slash 'quoted'"])
def test_what_can_be_shown_stays(text):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\udcff.png", "\\udcff.png"),
        ("a\u2028b\u202e", "a\\u2028b\\u202e"),
        ("\ufeffid", "\\ufeffid"),
    ],
)
def test_what_a_terminal_would_obey_becomes_escapes(text, shown):
    assert plain(text) == shown
    assert plain(text).isprintable()


def test_what_is_endless_loses_its_middle():
    shown = plain("begin" + "x" * 10**6 + "end")
    assert shown.startswith("begin")
    assert shown.endswith("end")
    assert len(shown) < LONGEST_LINE + 10


@pytest.mark.parametrize("kind", [DeepirError, UsageError, FrameError])
def test_a_message_is_one_line(kind):
    assert str(kind("one\n  two\u2028three\r\n")) == "one two three"
    assert str(kind("one  line")) == "one  line"
    assert str(kind()) == ""


def test_a_name_is_told_with_the_nearest():
    assert str(unknown_name("colour", "gren", ["green", "red"])).startswith("unknown colour 'gren'")
    assert str(unknown_name("colour", "x", [])) == "unknown colour 'x'; known: none"
