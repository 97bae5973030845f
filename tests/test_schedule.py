"""The learning rate from step to step, and when a training is at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.schedule import Schedule, plateau_factor, stopped_improving


@pytest.mark.parametrize(
    ("step", "share"),
    [
        (0, 1 / 10),  # the first step already learns
        (4, 5 / 10),  # half of the warm-up
        (9, 1.0),  # its last step
        (10, 1.0),  # the cosine begins at the peak
        (10 + 495, 0.505),  # half-way down
        (10 + 330, 0.01 + 0.99 * 0.75),  # a third: the cosine of 60 degrees is a half
        (1000, 0.01),  # at the end 1 % is left
        (1200, 0.01),  # and stays, where a training is continued for longer
    ],
)
def test_the_rate_warms_up_and_follows_half_a_cosine_to_1_percent(step: int, share: float) -> None:
    schedule = Schedule(0.02, warmup_steps=10, total_steps=1000)
    assert schedule.rate(step) == pytest.approx(0.02 * share)


@pytest.mark.parametrize(
    ("warmup_steps", "total_steps", "rates"),
    [
        (300, 40, [0.25, 0.5, 0.75, 1.0, 1.0]),  # the warm-up takes a tenth of all at most
        (2, 40, [0.5, 1.0, 1.0, 1.0, 1.0]),  # a shorter one is as long as asked for
        (0, 40, [1.0] * 5),  # none at all
        (300, 9, [1.0] * 5),  # too few steps for any
    ],
)
def test_a_constant_rate_stays_at_the_peak_after_the_warm_up(
    warmup_steps: int, total_steps: int, rates: list[float]
) -> None:
    schedule = Schedule(1.0, warmup_steps, total_steps, cosine=False)
    assert [schedule.rate(step) for step in range(5)] == pytest.approx(rates)
    assert schedule.rate(total_steps - 1) == 1.0


@given(st.integers(0, 400), st.integers(1, 400), st.booleans())
def test_the_rate_is_never_zero_nor_above_the_peak_and_rises_before_it_falls(
    warmup_steps: int, total_steps: int, cosine: bool
) -> None:
    schedule = Schedule(0.5, warmup_steps, total_steps, cosine)
    rates = [schedule.rate(step) for step in range(total_steps)]
    assert all(0 < rate <= 0.5 for rate in rates)
    assert max(rates) == pytest.approx(0.5)
    top = rates.index(max(rates))
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)


@pytest.mark.parametrize(
    ("losses", "patience", "factor"),
    [
        ([], 2, 1.0),  # nothing is known before the first epoch
        ([3, 2, 1], 2, 1.0),  # every epoch is better
        ([1, 1], 2, 1.0),  # one epoch without progress is not yet two
        ([1, 1, 1], 2, 0.1),  # two are
        ([1, 1, 1, 1], 2, 0.1),  # after a fall the count begins anew
        ([1, 1, 1, 1, 1], 2, 0.01),  # and two more epochs lower it again
        ([1, 2, 0.5, 0.6, 0.4], 2, 1.0),  # progress in between resets the count
        ([1, 0.9999, 0.99995], 2, 0.1),  # 0.0001 better is no progress
        ([1, 0.9998, 0.9998], 2, 1.0),  # more is
        ([1, 0.99995, 0.9999, 0.99985], 3, 1.0),  # measured from the best, not the last
        ([1, 2, 1.5, 1.2, 1.1], 2, 0.01),  # better than the last is not better than the best
        ([1, 1, 1, 0.5, 0.6, 0.6], 2, 0.01),  # progress in between raises no rate
        ([1, math.nan, math.nan], 2, 0.1),  # NaN is no progress
        ([2, 2, 2], 1, 0.01),  # patience of one: each epoch without progress
        ([1, 1, 1, 1], 0, 1.0),  # 0: never
    ],
)
def test_the_rate_falls_after_epochs_without_progress(
    losses: Sequence[float], patience: int, factor: float
) -> None:
    assert plateau_factor(losses, patience, 0.1) == pytest.approx(factor)


class KerasReduceLROnPlateau:
    """What Keras 3 documents of the callback, without cooldown and with its usual min_delta."""

    def __init__(self, patience: int, factor: float) -> None:
        self.patience, self.factor = patience, factor
        self.rate, self.wait, self.best = 1.0, 0, math.inf

    def on_epoch_end(self, loss: float) -> None:
        if loss < self.best - 1e-4:
            self.best = loss
            self.wait = 0
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.rate *= self.factor
            self.wait = 0


@given(
    st.lists(st.sampled_from([1.0, 0.99995, 0.9, 0.5, 2.0, math.nan]), max_size=30),
    st.integers(1, 5),
)
def test_the_rate_falls_when_keras_would_let_it_fall(losses: list[float], patience: int) -> None:
    keras = KerasReduceLROnPlateau(patience, 0.5)
    for epoch, loss in enumerate(losses, 1):
        keras.on_epoch_end(loss)
        assert plateau_factor(losses[:epoch], patience, 0.5) == keras.rate


@pytest.mark.parametrize(
    ("values", "patience", "stopped"),
    [
        ([], 2, False),  # nothing was validated yet
        ([0.5, 0.5], 2, False),  # no value from before the last two
        ([0.5, 0.5, 0.5], 2, True),  # two without a rise
        ([0.5, 0.505, 0.509], 2, True),  # less than 0.01 is no rise
        ([0.5, 0.5, 0.51], 2, False),  # 0.01 is one
        ([0.5, 0.52, 0.1], 2, False),  # one of the last two is enough
        ([0.5, 0.9, 0.6, 0.7], 2, True),  # measured from the best before
        ([0.5, 0.5, 0.5, 0.7], 3, False),  # a late rise
        ([0.5, 0.5, 0.5], 0, False),  # 0: never
    ],
)
def test_a_training_ends_when_its_figure_has_stopped_rising(
    values: list[float], patience: int, stopped: bool
) -> None:
    assert stopped_improving(values, patience) is stopped
