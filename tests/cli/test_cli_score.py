"""``deepir score``: detections that any program saved, and files that are none."""

from __future__ import annotations

import json

import pytest

from deepir.data import SirstV2, open_dataset

NUMBER = "valid number"


@pytest.fixture
def score(evaluate, sirst, tmp_path):
    """Score text, bytes or a value as the file ``saved.json``."""

    def call(content, *options, on=sirst):
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        saved = tmp_path / "saved.json"
        saved.write_bytes(content if isinstance(content, bytes) else content.encode())
        return evaluate("score", saved, *on, *options)

    return call


def entry(name, *points, **more):
    return {"id": name, "points": [list(point) for point in points], **more}


def saved(*entries, **more):
    return {"detections": list(entries), **more}


@pytest.fixture
def truth(sirst_root, ids):
    """Boxes by id."""
    dataset = SirstV2.open(sirst_root)
    return {name: dataset.read(name).boxes.astype(float).tolist() for name in ids}


class TestPoints:
    def test_nothing_found_scores_zero(self, score, ids):
        outcome, result = score(saved(*(entry(name) for name in ids)))
        assert (outcome.status, outcome.err) == (0, "")
        assert (result["metrics"]["mnocoap"], result["metrics"]["pd"]) == (0.0, 0.0)
        assert (result["detector"], result["speed"]) == ("saved", None)

    def test_points_are_scored_as_given(self, score, truth):
        rows = [
            entry(name, *([(x0 + x1) / 2, (y0 + y1) / 2, 1.0] for x0, y0, x1, y1 in boxes))
            for name, boxes in truth.items()
        ]
        _, result = score(saved(*rows))
        assert result["metrics"]["pd"] == 1.0
        assert result["metrics"]["false_objects_per_frame"] == 0.0
        assert result["read_out"] == "as given"

    def test_points_come_in_any_order(self, score, ids, truth):
        (x0, y0, x1, y1), *_ = truth[ids[0]]
        rows = [[1, 1, 0.5], [(x0 + x1) / 2, (y0 + y1) / 2, 0.9], [3, 3, 0.7]]
        forward, backward = (score(saved(entry(ids[0], *order)))[1] for order in (rows, rows[::-1]))
        assert forward["metrics"] == backward["metrics"]

    def test_other_keys_are_free(self, score, ids):
        outcome, _ = score(saved(entry(ids[0], label="x"), made_by={"any": ["thing"]}))
        assert outcome.status == 0

    def test_the_threshold_of_the_file_and_of_the_flag(self, score, ids):
        rows = entry(ids[0], [1, 1, 0.9], [3, 3, 0.4])
        per_frame = "false_objects_per_frame"
        assert score(saved(rows))[1]["metrics"][per_frame] == 2 / len(ids)
        in_file = saved(rows, operating_threshold=0.5)
        assert score(in_file)[1]["metrics"][per_frame] == 1 / len(ids)
        assert score(in_file, "--threshold", 1)[1]["metrics"][per_frame] == 0

    @pytest.mark.parametrize(
        "point", ["[1000, 1, 2]", "[-1, 3, 1]", "[NaN, 1, 2]", "[1, Infinity, 2]", "[1, 1e999, 2]"]
    )
    def test_a_point_outside_the_frame_warns_and_is_false(self, score, ids, point):
        outcome, result = score(f'{{"detections": [{{"id": "{ids[0]}", "points": [{point}]}}]}}')
        assert outcome.status == 0
        assert "outside" in outcome.err
        assert result["metrics"]["false_objects_per_frame"] == 1 / len(ids)

    def test_many_warnings_are_a_few_lines(self, score, ids):
        outcome, _ = score(saved(*(entry(name, [999, 1, 1]) for name in ids)))
        assert outcome.err.count("warning") == len(outcome.err.splitlines()) == 4
        assert "and 1 more" in outcome.err


class TestBoxes:
    @pytest.fixture
    def perfect(self, truth):
        rows = (
            {"id": name, "points": [[0, 0, 1.0]] * len(boxes), "boxes": boxes}
            for name, boxes in truth.items()
        )
        return saved(*rows)

    def test_peaks_of_the_true_boxes_are_perfect(self, score, perfect):
        assert score(perfect)[1]["metrics"]["mnocoap"] == 0.0
        _, result = score(perfect, "--read-out", "peak")
        assert result["metrics"]["mnocoap"] == 1.0
        assert result["read_out"] == "peak"

    def test_published_reads_the_middle_of_boxes(self, score, perfect, truth):
        middles = (
            entry(name, *([(x0 + x1) / 2, (y0 + y1) / 2, 1.0] for x0, y0, x1, y1 in boxes))
            for name, boxes in truth.items()
        )
        expected = score(saved(*middles))[1]["metrics"]
        found = score(perfect, "--read-out", "published")[1]["metrics"]
        assert found.pop("box_ap") == {"0.3": 1.0, "0.5": 1.0}
        assert expected.pop("box_ap") is None  # these have points only
        assert found == expected

    @pytest.mark.parametrize("read_out", ["peak", "published"])
    @pytest.mark.parametrize(
        "box", [[500, 500, 600, 600], [-9, -9, -5, -5], [0, 0, 1e8, 1e8], [5.4, 5.5, 5.6, 5.7]]
    )
    def test_odd_boxes_are_scored(self, score, ids, read_out, box):
        outcome, _ = score(saved(entry(ids[0], [1, 1, 1], boxes=[box])), "--read-out", read_out)
        assert outcome.status == 0
        assert "Traceback" not in outcome.err

    def test_a_read_out_wants_boxes(self, score, ids):
        outcome, result = score(saved(entry(ids[0], [1, 1, 1])), "--read-out", "peak")
        outcome.refused("needs boxes", ids[0], status=1)
        assert result is None

    def test_a_frame_without_points_needs_no_boxes(self, score, ids):
        assert score(saved(entry(ids[0])), "--read-out", "peak")[0].status == 0


class TestIds:
    def test_missing_ids_count_as_no_detection_and_are_said_once(self, score, ids):
        outcome, result = score(saved(entry(ids[0])))
        assert outcome.status == 0
        assert len(outcome.err.splitlines()) == 1
        assert f"{len(ids) - 1} ids" in outcome.err
        assert (result["missing"], result["frames"]) == (len(ids) - 1, len(ids))
        assert result["partial"] is False

    def test_ids_outside_the_split_are_left_out_with_a_count(self, score, ids):
        outcome, result = score(saved(*(entry(name) for name in ids)), "--split", "half")
        assert outcome.status == 0
        assert (result["ignored"], result["frames"]) == (2, 2)
        assert "2 ids outside" in outcome.err

    def test_ids_of_another_split_of_the_embedded_dataset_are_left_out(self, score):
        train = open_dataset("simulated", split="train")
        test = open_dataset("simulated", split="test")
        outcome, result = score(saved(*(entry(name) for name in train.ids)), on=())
        assert outcome.status == 0
        assert result["ignored"] == len(set(train.ids) - set(test.ids)) > 0

    @pytest.mark.parametrize(
        "name", ["nowhere", "", ".", "../mixed/x", "/etc/passwd", "a\nb", "a\0b", "x" * 400, "ä火"]
    )
    def test_unknown_ids_are_an_error(self, score, name):
        outcome, result = score(saved(entry(name)))
        outcome.refused(status=1)
        assert result is None

    def test_an_id_that_exists_but_leaves_the_folder_is_unknown(self, score, ids):
        score(saved(entry(f"../mixed/{ids[0]}")))[0].refused("does not have", status=1)

    def test_an_id_stands_there_once(self, score, ids):
        score(saved(entry(ids[0]), entry(ids[0])))[0].refused("twice", ids[0], status=1)


def one(points="[]", more="", name='"a"'):
    return f'{{"detections": [{{"id": {name}, "points": {points}{more}}}]}}'


BAD_FILES = {
    "empty": ("", "Invalid JSON"),
    "binary": (b"\x00\xff\xfe" * 999, "Invalid JSON"),
    "utf16": ('{"detections": []}'.encode("utf-16"), "Invalid JSON"),
    "truncated": ('{"detections": [{"id": "a", "poi', "Invalid JSON"),
    "two_values": ('{"detections": []} {}', "Invalid JSON"),
    "deep": ("[" * 100_000, "recursion"),
    "deep_objects": ('{"detections":' * 5000, "recursion"),
    "deep_points": (one("[" * 150 + "]" * 150), "detections[0].points"),
    "null": ("null", "object"),
    "a_list": ("[]", "object"),
    "no_detections": ("{}", "detections"),
    "detections_an_object": ('{"detections": {"a": 1}}', "detections"),
    "entry_a_list": ('{"detections": [[]]}', "detections[0]"),
    "no_points": ('{"detections": [{"id": "a"}]}', "points"),
    "no_id": ('{"detections": [{"points": []}]}', "id"),
    "id_a_number": (one(name="7"), "detections[0].id"),
    "lone_surrogate": (one(name='"\\ud800"'), "Invalid JSON"),
    "x_a_string": (one('[["1", 2, 3]]'), NUMBER),
    "x_a_boolean": (one("[[true, 2, 3]]"), NUMBER),
    "x_null": (one("[[null, 2, 3]]"), NUMBER),
    "x_an_object": (one("[[{}, 2, 3]]"), NUMBER),
    "short_row": (one("[[1, 2]]"), "points[0][2]"),
    "long_row": (one("[[1, 2, 3, 4]]"), "points[0]"),
    "flat_row": (one("[1, 2, 3]"), "points[0]"),
    "score_nan": (one("[[1, 2, NaN]]"), "NaN"),
    "box_count": (one("[[1, 2, 3]]", ', "boxes": [[1, 2, 3, 4], [1, 2, 3, 4]]'), "as many boxes"),
    "box_nan": (one("[[1, 2, 3]]", ', "boxes": [[1, 2, NaN, 4]]'), "box"),
    "box_infinite": (one("[[1, 2, 3]]", ', "boxes": [[1, 2, 1e999, 4]]'), "box"),
    "box_huge": (one("[[1, 2, 3]]", ', "boxes": [[1, 2, 1e300, 4]]'), "box"),
    "box_short": (one("[[1, 2, 3]]", ', "boxes": [[1, 2, 3]]'), "boxes[0][3]"),
    "boxes_a_word": (one("[[1, 2, 3]]", ', "boxes": "none"'), "boxes"),
    "threshold_nan": ('{"detections": [], "operating_threshold": NaN}', "finite"),
    "threshold_a_word": ('{"detections": [], "operating_threshold": "x"}', NUMBER),
    "detector_a_number": ('{"detections": [], "detector": 3}', "detector"),
}


class TestBadFiles:
    @pytest.mark.parametrize(("content", "word"), BAD_FILES.values(), ids=BAD_FILES)
    def test_one_line_says_where_and_what(self, score, content, word):
        outcome, result = score(content)
        outcome.refused("saved.json", word, status=1)
        assert len(outcome.err) < 500
        assert result is None

    def test_no_file_and_a_folder(self, deepir, tmp_path):
        deepir("score", tmp_path / "nowhere.json").refused("nowhere.json", status=1)
        deepir("score", tmp_path).refused(tmp_path, status=1)
