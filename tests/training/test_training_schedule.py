"""The learning rate rises, falls, and ends where it should."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepir.training.presets import PRESETS
from deepir.training.schedule import epoch_rate, learning_rate, rate_of
from deepir.training.settings import Settings

counts = st.integers(2, 500)
shares = st.floats(0, 0.9)


@settings(max_examples=50)
@given(counts, shares, st.floats(0, 1))
def test_the_cosine_rises_to_its_peak_and_falls_to_its_end(iterations, warm_up, final):
    rates = [
        learning_rate(i, iterations, peak=0.5, warm_up=warm_up, final=final)
        for i in range(iterations + 1)
    ]
    top = max(1, round(warm_up * iterations)) - 1
    assert rates[top] == pytest.approx(0.5)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] == pytest.approx(0.5 * final)
    assert all(0 <= rate <= 0.5 + 1e-12 for rate in rates)


def test_the_cosine_is_half_way_in_the_middle():
    assert learning_rate(60, 100, peak=1, warm_up=0.2, final=0) == pytest.approx(0.5)


class TestPublished:
    """Rates as the released configuration gives them: 12 epochs of 577 iterations."""

    recipe = Settings(**{k: v for k, v in PRESETS["published"].items() if k != "mining"})

    @pytest.mark.parametrize(
        ("iteration", "factor"),
        [
            (0, 1e-6),
            (500, 1 - 0.5 * (1 - 1e-6)),
            (576, 1 - 0.424 * (1 - 1e-6)),
            (577, (11 / 12) * (1 - 0.423 * (1 - 1e-6))),
            (999, (11 / 12) * (1 - 0.001 * (1 - 1e-6))),
            (1000, 11 / 12),
            (1153, 11 / 12),
            (1154, 10 / 12),
            (6923, 1 / 12),
        ],
    )
    def test_a_rate(self, iteration, factor):
        assert rate_of(self.recipe, iteration) == pytest.approx(2e-3 * factor, rel=1e-9)

    @settings(max_examples=50)
    @given(counts, st.integers(1, 50))
    def test_it_stays_within_an_epoch(self, iterations, epoch):
        rates = [
            epoch_rate(i, iterations, peak=1, warm_up=0, epoch=epoch) for i in range(iterations)
        ]
        for number, rate in enumerate(rates):
            assert rate == rates[number // epoch * epoch]
        assert rates == sorted(rates, reverse=True)
        assert min(rates) > 0
