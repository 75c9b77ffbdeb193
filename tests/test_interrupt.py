from __future__ import annotations

import os
import signal
import threading

import pytest

from deepir.interrupt import stop_on_interrupt


def test_the_first_interrupt_is_a_request():
    with stop_on_interrupt() as stop:
        assert not stop.requested
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested


def test_the_second_interrupt_raises():
    with stop_on_interrupt() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert stop.requested


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM as POSIX has it")
def test_another_signal_is_the_same_request_however_often_it_comes():
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_interrupt(signal.SIGTERM) as stop:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_handler_before_comes_back():
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_left_alone():
    seen = []

    def work() -> None:
        with stop_on_interrupt() as stop:
            seen.append(stop.requested)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
    assert signal.getsignal(signal.SIGINT) is before
