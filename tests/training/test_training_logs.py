"""Tables that go on after a stop, curves for TensorBoard, means between two rows."""

from __future__ import annotations

import threading

import pytest

from deepir.errors import DeepirError
from deepir.training.logs import CsvLog, Curves, Window


def rows(path):
    return [line.split(",") for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def log(tmp_path):
    """A table with rows of iterations 2, 4 and 6."""
    table = CsvLog(tmp_path / "log.csv", start=0)
    for iteration in (2, 4, 6):
        table.add(iteration, {"loss": iteration / 3, "lr": 1e-5})
    return table


def test_a_row_is_there_at_once(log):
    assert rows(log.path)[0] == ["iteration", "loss", "lr"]
    assert rows(log.path)[-1] == ["6", "2", "1e-05"]


@pytest.mark.parametrize(("start", "left"), [(0, []), (4, ["2", "4"]), (9, ["2", "4", "6"])])
def test_what_comes_after_the_start_is_dropped(log, start, left):
    again = CsvLog(log.path, start=start)
    assert [row[0] for row in rows(log.path)[1:]] == left
    again.add(10, {"loss": 1, "lr": 0})
    assert [row[0] for row in rows(log.path)] == ["iteration", *left, "10"]


def test_a_row_that_was_cut_off_is_dropped(log):
    with log.path.open("a") as stream:
        stream.write("8,0.5")
    CsvLog(log.path, start=100)
    assert rows(log.path)[-1][0] == "6"
    assert log.path.read_text().endswith("\n")


def test_columns_stay_in_their_place(log):
    log.add(8, {"lr": 3, "other": 9})
    assert rows(log.path)[-1] == ["8", "", "3"]


def test_a_table_that_cannot_be_written_is_one_line(tmp_path):
    table = CsvLog(tmp_path / "nowhere" / "log.csv", start=0)
    with pytest.raises(DeepirError, match=r"cannot write the log .*log\.csv': no such file"):
        table.add(1, {})


def test_curves_are_written_and_hidden_after_a_stop(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for start in (0, 2):
        curves = Curves(tmp_path, start=start)
        for iteration in range(start + 1, 5):
            curves.add(iteration, {"loss": float(10 * start + iteration)}, group="train")
        curves.flush()
        curves.close()
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    points = [(each.step, each.value) for each in events.Scalars("train/loss")]
    assert points == [(1, 1), (2, 2), (3, 23), (4, 24)]


def test_without_a_folder_there_are_no_curves():
    curves = Curves(None, start=0)
    curves.add(1, {"loss": 1.0}, group="train")
    curves.flush()
    curves.close()


def test_curves_that_cannot_be_begun_are_given_up(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("")
    said = []
    curves = Curves(tmp_path / "file", start=0, warn=said.append)
    curves.add(1, {"loss": 1.0}, group="train")
    curves.close()
    assert said == ["no more curves for TensorBoard: file exists"]


def test_curves_on_a_full_disk_are_given_up(tmp_path, capsys):
    pytest.importorskip("tensorboard")
    resource = pytest.importorskip("resource")
    before, hook = resource.getrlimit(resource.RLIMIT_FSIZE), threading.excepthook
    said = []
    curves = Curves(tmp_path, start=0, warn=said.append)
    curves.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        for iteration in range(50):
            curves.add(iteration, {"loss": 1.0}, group="train")
            curves.flush()
        curves.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said == ["no more curves for TensorBoard: file too large"]
    assert capsys.readouterr().err == ""
    assert threading.excepthook is hook


def test_a_window_means_over_its_steps():
    window = Window()
    window.add({"loss": 1.0}, waited=0.1, seconds=0.5)
    window.add({"loss": 4.0}, waited=0.0, seconds=0.5)
    assert window.row(8) == {"loss": 2.5, "crops_per_second": 16, "waiting_share": 0.1}
