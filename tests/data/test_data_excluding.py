"""A split without listed frames is the split without them, and says so."""

from __future__ import annotations

import pytest
from listed import two_sources

from deepir.data import without_listed
from deepir.errors import DeepirError, UsageError

DATA = two_sources()


@pytest.fixture
def listing(tmp_path):
    def write(*lines):
        path = tmp_path / "twins.txt"
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return write


def test_listed_frames_are_gone_and_the_order_stays(listing):
    rest = without_listed(DATA, listing("# near-duplicates", "Misc_1", "", "  iraytek_0  "))
    assert rest.ids == ["Misc_0", "Misc_2", "iraytek_1", "iraytek_2"]
    assert len(rest) == 4
    assert rest.name == DATA.name
    assert rest.split == "some without 2 ids of twins.txt"
    assert rest.read("Misc_0") is DATA.read("Misc_0")
    assert rest.knows("Misc_1")


def test_ids_of_other_splits_are_passed_over(listing):
    rest = without_listed(DATA, listing("known_elsewhere", "Misc_1"))
    assert len(rest) == 5
    assert rest.split == "some without 1 ids of twins.txt"


def test_an_empty_list_leaves_everything(listing):
    assert without_listed(DATA, listing("#")).ids == DATA.ids


def test_an_unknown_id_is_refused(listing):
    with pytest.raises(UsageError, match=r"twins.txt' lists 'Misc_99', .*look like 'Misc_0'"):
        without_listed(DATA, listing("Misc_99"))


def test_leaving_nothing_is_refused(listing):
    with pytest.raises(UsageError, match=r"nothing is left of 'some'"):
        without_listed(DATA, listing(*DATA.ids))


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DeepirError, match=r"nowhere\.txt' is not readable"):
        without_listed(DATA, tmp_path / "nowhere.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DeepirError, match=r"bytes\.txt' is not readable"):
        without_listed(DATA, tmp_path / "bytes.txt")
