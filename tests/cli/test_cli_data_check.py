"""``deepir data check`` and ``show`` at the command line."""

from __future__ import annotations

import json

import cv2
import pytest


@pytest.fixture
def check(deepir, tmp_path):
    """Check a dataset: the outcome, and what was written as JSON."""

    def call(*arguments):
        file = tmp_path / "audit.json"
        outcome = deepir("data", "check", *arguments, "--json", file)
        return outcome, json.loads(file.read_text("utf-8")) if file.exists() else None

    return call


class TestCheck:
    def test_a_sound_dataset_ends_with_0(self, check, own_root):
        (own_root / "splits" / "half.txt").unlink()
        outcome, found = check(own_root)
        assert (outcome.status, outcome.err) == (0, "")
        assert "nothing found" in outcome.out
        assert (found["frames"], found["findings"], found["pairs"]) == (4, [], [])

    def test_findings_end_with_1_and_are_a_line_each(self, check, own_root, ids):
        (own_root / "mixed" / f"{ids[2]}.png").write_bytes(b"no")
        outcome, found = check(own_root)
        lines = [line for line in outcome.out.splitlines() if line.startswith("unreadable file: ")]
        assert (outcome.status, len(lines)) == (1, 1)
        assert ids[2] in lines[0]
        assert found["counts"] == {"overlapping splits": 1, "unreadable file": 1}

    def test_the_format_may_be_named(self, check, own_root):
        assert check(own_root, "--data", "sirst-v2")[1]["data"] == "sirst-v2"
        outcome, _ = check(own_root, "--data", "sirst")
        outcome.refused("'sirst-v2'", status=2)

    def test_a_folder_of_something_else(self, deepir, tmp_path):
        deepir("data", "check", tmp_path).refused(tmp_path, status=2)
        deepir("data", "check", tmp_path / "no").refused("no such folder", status=2)

    def test_a_json_that_cannot_be_written_is_told_before_the_work(self, deepir, own_root, nowhere):
        outcome = deepir("data", "check", own_root, "--json", nowhere / "a.json")
        outcome.refused(nowhere, status=2)
        assert outcome.out == ""


class TestShow:
    def test_a_picture(self, deepir, sirst_root, tmp_path):
        file = tmp_path / "sheet.png"
        outcome = deepir("data", "show", sirst_root, "--out", file)
        assert (outcome.status, outcome.err) == (0, "")
        assert "4 frames, 8 targets, 0 without a target" in outcome.out
        assert cv2.imread(str(file)).shape[1] > 1000

    def test_a_page(self, deepir, sirst_root, tmp_path):
        file = tmp_path / "sheet.HTML"
        outcome = deepir(
            "data", "show", sirst_root, "--out", file, "--split", "half", "--count", "1"
        )
        assert outcome.status == 0
        text = file.read_text("utf-8")
        assert text.count("<figure>") == 1
        assert "2 frames, 4 targets" in text

    def test_other_kinds_of_files_are_refused(self, deepir, sirst_root, tmp_path):
        outcome = deepir("data", "show", sirst_root, "--out", tmp_path / "sheet.pdf")
        outcome.refused(".png", ".html", "sheet.pdf", status=2)

    @pytest.mark.parametrize("count", ["0", "-1", "1.5", "many", "301"])
    def test_counts_that_cannot_be(self, deepir, sirst_root, tmp_path, count):
        out = tmp_path / "sheet.png"
        outcome = deepir("data", "show", sirst_root, "--out", out, f"--count={count}")
        outcome.refused(status=2)
        assert not out.exists()

    def test_an_unknown_split(self, deepir, sirst_root, tmp_path):
        outcome = deepir("data", "show", sirst_root, "--out", tmp_path / "a.png", "--split", "halv")
        outcome.refused("'half'", status=2)

    def test_a_frame_that_cannot_be_read_is_left_out_and_named(self, deepir, own_root, ids, out):
        (own_root / "mixed" / f"{ids[0]}.png").write_bytes(b"no")
        out.mkdir()
        outcome = deepir("data", "show", own_root, "--out", out / "a.png")
        assert outcome.status == 3
        assert "3 frames" in outcome.out
        assert ids[0] in outcome.err
