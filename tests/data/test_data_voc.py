"""Boxes from XML: numbers are numbers, entities are refused, no box is no target."""

from __future__ import annotations

import pytest

from deepir.data.voc import read_voc_boxes
from deepir.errors import DeepirError, FrameError


@pytest.fixture
def read(tmp_path):
    def call(text, origin=1):
        path = tmp_path / "a.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_voc_boxes(path, origin=origin).tolist()

    return call


def boxes(*sides):
    names = ("xmin", "ymin", "xmax", "ymax")
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, sides, strict=False))
    return f"<annotation><object><bndbox>{inner}</bndbox></object></annotation>"


def test_the_origin_is_taken_off_every_side(read):
    assert read(boxes(4, 5, 7.5, 10)) == [[3, 4, 6.5, 9]]
    assert read(boxes(4, 5, 7, 10), origin=0) == [[4, 5, 7, 10]]


def test_blanks_around_a_number_are_no_word(read):
    assert read(boxes(" 4\n", 5, 7, 10)) == [[3, 4, 6, 9]]


@pytest.mark.parametrize(
    "text",
    [
        "<annotation/>",
        "<annotation><object><name>Target</name></object></annotation>",
        "<annotation><!DOCTYPE-like text/></annotation>".replace("!DOCTYPE-like text", "a"),
        '<?xml version="1.0"?><!-- nothing --><annotation><size/></annotation>',
        "<a>" * 20_000 + "</a>" * 20_000,
    ],
)
def test_no_bndbox_is_no_target(read, text):
    assert read(text) == []


def test_objects_without_a_box_are_passed_over(read):
    text = boxes(1, 1, 3, 3).replace("<annotation>", "<annotation><object/>", 1)
    assert read(text) == [[0, 0, 2, 2]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_the_encoding_of_the_file_is_its_own(read, encoding):
    head = f'<?xml version="1.0" encoding="{encoding}"?><!-- ü -->'
    assert read((head + boxes(1, 1, 3, 3)).encode(encoding)) == [[0, 0, 2, 2]]


@pytest.mark.parametrize("word", ["", "three", "nan", "inf", "-inf", "1e999", "1,5", "1 2", "0x3"])
def test_a_word_for_a_number_ends_the_run(read, word):
    with pytest.raises(DeepirError, match="a number is wanted") as caught:
        read(boxes(1, word, 3, 4))
    assert not isinstance(caught.value, FrameError)


@pytest.mark.parametrize("far", ["1e39", "-1e39", "1e300", "9" * 40])
def test_a_number_beyond_single_precision_lies_outside_the_frame(read, far):
    with pytest.raises(FrameError, match="numbers up to"):
        read(boxes(1, 1, far, 4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        b"\x00\xff\xfe",
        '<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://example.invalid/x"> %p;]><a/>',
        "<a>&undefined;</a>",
        '<?xml version="1.0" encoding="klingon"?><a/>',
    ],
)
def test_what_is_no_usable_xml_ends_the_run(read, text):
    with pytest.raises(DeepirError, match="no usable XML") as caught:
        read(text)
    assert not isinstance(caught.value, FrameError)
    assert "\n" not in str(caught.value)


def test_no_file_is_a_bad_frame(tmp_path):
    for path in (tmp_path / "nowhere.xml", tmp_path):
        with pytest.raises(FrameError, match="no annotation"):
            read_voc_boxes(path, origin=1)
