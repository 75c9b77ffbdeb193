"""Batches are dealt out and drawn ahead, whatever the number of hands."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.training.reader import Reader, shares


@settings(max_examples=50)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 4))
def test_every_place_has_one_hand(batch, parts, count):
    dealt = [shares(batch, parts, rank=rank, count=count) for rank in range(count)]
    assert all(len(hands) == parts for hands in dealt)
    places = [place for hands in dealt for hand in hands for place in hand]
    assert sorted(places) == list(range(batch))


def test_two_processes_take_the_halves_of_one_with_two_parts():
    assert shares(7, 2, rank=0, count=1) == [
        *shares(7, 1, rank=0, count=2),
        *shares(7, 1, rank=1, count=2),
    ]


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_come_in_order(workers):
    with Reader(lambda i, slot: (i, slot), [range(0, 4, 2), range(1, 4, 2)], workers=workers) as r:
        for iteration in (0, 1, 7):
            r.ask(iteration)
            assert r.take() == [
                [(iteration, 0), (iteration, 2)],
                [(iteration, 1), (iteration, 3)],
            ]
        assert r.waited >= 0


def test_it_draws_while_nobody_waits():
    drawn = threading.Event()
    with Reader(lambda *_: drawn.set(), [range(1)]) as reader:
        reader.ask(0)
        assert drawn.wait(10)


def test_an_error_in_a_thread_is_an_error_here():
    def broken(iteration, slot):
        raise ValueError(f"slot {slot} of {iteration}")

    with Reader(broken, [range(1)]) as reader:
        reader.ask(5)
        with pytest.raises(ValueError, match="slot 0 of 5"):
            reader.take()
    assert not [one for one in threading.enumerate() if "deepir-reader" in one.name]
