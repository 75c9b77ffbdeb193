"""Every frame of a split is taken or skipped, in its order."""

from __future__ import annotations

import signal

import pytest
from listed import Listed, two_sources

from deepir.errors import DeepirError, FrameError
from deepir.passes import one_pass

DATA = two_sources(2)


def test_frames_are_taken_in_the_order_of_the_split():
    steps, told = [], []
    done = one_pass(
        DATA,
        lambda sample: steps.append(sample.id),
        before=lambda: steps.append("before"),
        progress=lambda *step: told.append(step),
    )
    assert steps == [step for name in DATA.ids for step in ("before", name)]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (done.taken, done.skipped, done.interrupted) == (DATA.ids, [], False)


def test_what_cannot_be_read_or_taken_is_skipped_with_its_reason():
    def take(sample):
        if sample.id == "Misc_1":
            raise FrameError("too dark")

    done = one_pass(Listed({**DATA.samples, "TH_0": None}), take)
    told = [(one.id, one.reason) for one in done.skipped]
    assert told == [("Misc_1", "too dark"), ("TH_0", "it is cut off")]
    assert done.taken == ["Misc_0", "iraytek_0", "iraytek_1"]


def test_nothing_usable_is_an_error_with_the_first_reason():
    with pytest.raises(DeepirError, match=r"none of the 2 .*the first, 'a': it is cut off"):
        one_pass(Listed({"a": None, "b": None}), print)


def test_other_errors_end_the_pass():
    def take(sample):
        raise DeepirError(sample.id)

    with pytest.raises(DeepirError, match=r"Misc_0"):
        one_pass(DATA, take)


def test_ctrl_c_finishes_the_frame_at_hand():
    done = one_pass(DATA, lambda sample: signal.raise_signal(signal.SIGINT))
    assert (done.taken, done.interrupted) == (["Misc_0"], True)
