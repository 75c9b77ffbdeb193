"""``deepir bench``: several detectors on the same frames, in one table."""

from __future__ import annotations

import csv
import json

import pytest

from deepir import classical
from deepir.catalogue import CATALOGUE, is_ready
from deepir.classical import low_rank


@pytest.fixture
def bench(deepir, sirst, out):
    """The outcome, and the JSON that it left."""

    def call(*arguments):
        outcome = deepir("bench", *arguments, *sirst, "--out", out)
        return outcome, json.loads((out / "bench.json").read_text("utf-8"))

    return call


class TestTable:
    def test_all_quick_detectors_with_weights_are_the_default(self, bench):
        outcome, result = bench()
        ready = sorted(filter(is_ready, {*CATALOGUE} - {*low_rank.DETECTORS}))
        assert (outcome.status, outcome.err) == (0, "")
        assert sorted(run["detector"] for run in result["runs"]) == ready
        assert all(f" {name} " in outcome.out for name in ready)  # not folded

    def test_a_mode_leaves_out_what_has_none(self, bench):
        _, result = bench("--mode", "reference")
        assert sorted(run["detector"] for run in result["runs"]) == sorted(
            {*classical.CATALOGUE} - {*low_rank.DETECTORS}
        )

    def test_the_best_comes_first_and_has_no_difference(self, bench):
        _, result = bench("lcm", "mpcm", "top_hat")
        scores = [run["metrics"]["mnocoap"] for run in result["runs"]]
        assert scores == sorted(scores, reverse=True)
        first, *others = [run["difference_to_best"] for run in result["runs"]]
        assert first is None
        for gap, score in zip(others, scores[1:], strict=True):
            assert gap["difference"] == pytest.approx(score - scores[0])
            low, high = gap["interval"]
            assert low <= gap["difference"] <= high

    def test_both_read_outs_give_two_rows_a_detector(self, bench):
        _, result = bench("lcm", "mpcm", "--read-out", "both")
        rows = [(run["read_out"], run["detector"]) for run in result["runs"]]
        assert sorted(rows) == [(r, d) for r in ("peak", "published") for d in ("lcm", "mpcm")]
        assert [run["difference_to_best"] is None for run in result["runs"]].count(True) == 2

    def test_a_row_equals_eval(self, bench, evaluate, sirst):
        _, compared = bench("mpcm")
        _, alone = evaluate("eval", "mpcm", *sirst)
        assert compared["runs"][0]["metrics"] == alone["metrics"]

    def test_markdown_csv_and_json_agree(self, bench, out):
        _, result = bench("lcm", "mpcm")
        markdown = (out / "bench.md").read_text("utf-8").splitlines()
        with (out / "bench.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert len(markdown) == len(rows) + 2
        assert all(line.startswith("| ") and line.endswith(" |") for line in markdown)
        for row, run, line in zip(rows, result["runs"], markdown[2:], strict=True):
            assert row["detector"] == run["detector"]
            assert row["detector"] in line
            assert float(row["mNoCoAP"]) == run["metrics"]["mnocoap"]
            assert float(row["ms"]) == run["speed"]["median_ms"]
            assert " to " in row["95 % interval"]

    def test_the_schema_is_in_the_json(self, bench):
        _, result = bench("lcm")
        assert "runs[].difference_to_best" in result["schema"]["fields"]
        assert "runs[].metrics.mnocoap" in result["schema"]["fields"]
        assert "schema" not in result["runs"][0]

    def test_a_name_twice_is_one_row(self, bench):
        assert len(bench("lcm", "LCM", "lcm")[1]["runs"]) == 1

    def test_json_alone_goes_where_it_is_asked_to(self, deepir, sirst, tmp_path):
        file = tmp_path / "table.json"
        assert deepir("bench", "lcm", *sirst, "--json", file).status == 0
        assert json.loads(file.read_text("utf-8"))["runs"]


class TestBadInput:
    def test_a_bad_frame_is_named_once_and_the_table_is_partial(self, deepir, own, own_root, ids):
        (own_root / "mixed" / f"{ids[2]}.png").write_bytes(b"no")
        outcome = deepir("bench", "lcm", "mpcm", *own)
        assert outcome.status == 3
        assert outcome.err.count("skipped") == 1
        assert "partial" in outcome.err

    def test_nothing_usable_leaves_no_table(self, deepir, own, own_root, ids, out):
        for name in ids:
            (own_root / "mixed" / f"{name}.png").unlink()
        deepir("bench", *own, "--out", out).refused(ids[0], status=1)
        assert not out.exists() or not list(out.iterdir())

    def test_an_unknown_name_stops_before_the_first_run(self, deepir, sirst, out):
        deepir("bench", "lcm", "mpmc", *sirst, "--out", out).refused("'mpcm'", status=2)
        assert not out.exists()

    def test_an_output_path_that_is_a_file_is_refused(self, deepir, sirst, save):
        path = save("a.png")
        deepir("bench", "lcm", *sirst, "--out", path).refused("a.png", status=2)
