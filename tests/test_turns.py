from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.channel import Closed
from monitor.turns import Turns

WAIT_SECONDS = 10.0


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_a_door_that_always_has_something_gets_its_turn_after_each_of_the_others(
    served: list[str],
) -> None:
    turns: Turns[str, int] = Turns()
    for key in "abc":
        turns.join(key, overwrite=True)
        turns.put(key, 0)
    got = []
    for number in range(12):
        key, _ = turns.get(0.0)
        got.append(key)
        turns.put(key, number)
        # however often the others are filled meanwhile
        for other in served:
            turns.put(other, number)
    assert got == list("abc") * 4


def test_a_door_without_anything_new_is_passed_over() -> None:
    turns: Turns[str, int] = Turns()
    for key in "abc":
        turns.join(key, overwrite=True)
    for number in range(3):
        turns.put("b", number)
        assert turns.get(0.0) == ("b", number)
    with pytest.raises(TimeoutError):
        turns.get(0.0)


@pytest.mark.parametrize(
    "wake",
    [
        pytest.param(lambda turns: turns.put("b", 1), id="an item in any channel"),
        pytest.param(lambda turns: turns.close(), id="the end of everything"),
    ],
)
def test_whoever_waits_is_woken_by(wake: object) -> None:
    turns: Turns[str, int] = Turns()
    for key in "ab":
        turns.join(key, overwrite=False)
    woken = threading.Event()

    def wait() -> None:
        try:
            turns.get()
        except Closed:
            pass
        finally:
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert callable(wake)
    wake(turns)
    assert woken.wait(WAIT_SECONDS)
    thread.join(WAIT_SECONDS)


def test_what_was_put_is_still_delivered_after_its_channel_ends() -> None:
    turns: Turns[str, int] = Turns()
    channels = [turns.join(key, overwrite=False) for key in "ab"]
    turns.put("a", 1)
    for channel in channels:
        channel.close()
    assert turns.get(0.0) == ("a", 1)
    with pytest.raises(Closed):
        turns.get(0.0)


def test_one_ended_channel_does_not_end_the_others() -> None:
    turns: Turns[str, int] = Turns()
    turns.join("a", overwrite=False).close()
    turns.join("b", overwrite=False)
    with pytest.raises(TimeoutError):
        turns.get(0.0)


def test_while_it_is_held_open_another_may_join_after_all_have_ended() -> None:
    turns: Turns[str, int] = Turns()
    ended, leaving = (turns.join(key, overwrite=False) for key in "ab")
    ended.close()
    with turns.held_open():
        with turns.held_open():
            leaving.close()
        with pytest.raises(TimeoutError):
            turns.get(0.0)
        turns.join("c", overwrite=False)
    turns.put("c", 1)
    assert turns.get(0.0) == ("c", 1)


@pytest.mark.parametrize(
    "end",
    [
        # every channel by itself
        lambda turns, channel: channel.close(),
        # all of it
        lambda turns, channel: turns.close(),
    ],
)
def test_what_is_over_cannot_be_held_open(end: Callable[[object, object], None]) -> None:
    turns: Turns[str, int] = Turns()
    end(turns, turns.join("a", overwrite=False))
    with pytest.raises(Closed), turns.held_open():
        raise AssertionError("open")


def test_holding_it_open_does_not_outlast_its_end() -> None:
    turns: Turns[str, int] = Turns()
    channel = turns.join("a", overwrite=False)
    with turns.held_open():
        channel.close()
    with pytest.raises(Closed):
        turns.get(0.0)
    with pytest.raises(Closed):
        turns.get()


def test_what_waits_for_its_turn_is_known() -> None:
    turns: Turns[str, int] = Turns()
    turns.join("a", overwrite=False)
    assert not turns.holds("a")
    turns.put("a", 1)
    assert turns.holds("a")
    turns.leave("a")
    assert not turns.holds("a")


def test_a_key_that_left_takes_and_gives_nothing_more() -> None:
    turns: Turns[str, int] = Turns()
    channel = turns.join("a", overwrite=False)
    turns.put("a", 1)
    turns.leave("a")
    turns.leave("a")
    with pytest.raises(Closed):
        turns.put("a", 2)
    with pytest.raises(Closed):
        channel.put(2)
    # nobody is left, but somebody may join again
    with pytest.raises(TimeoutError):
        turns.get(0.0)


def test_nobody_joins_after_the_end() -> None:
    turns: Turns[str, int] = Turns()
    turns.close()
    with pytest.raises(Closed):
        turns.join("a", overwrite=False)
