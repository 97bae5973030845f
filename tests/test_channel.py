from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.channel import Channel, Closed

WAIT_SECONDS = 10.0


@given(st.lists(st.integers()), st.integers(1, 4))
def test_overwriting_keeps_the_newest_items_and_counts_the_dropped(
    items: list[int], capacity: int
) -> None:
    channel: Channel[int] = Channel(capacity, overwrite=True)
    for item in items:
        channel.put(item)
    channel.close()
    kept = [channel.get() for _ in range(min(len(items), capacity))]
    assert kept == items[-capacity:]
    assert channel.dropped == len(items) - len(kept)


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_a_blocking_channel_delivers_every_item_in_order(items: list[int], capacity: int) -> None:
    channel: Channel[int] = Channel(capacity, overwrite=False)

    def fill() -> None:
        for item in items:
            channel.put(item)
        channel.close()

    thread = threading.Thread(target=fill)
    thread.start()
    received = [channel.get(WAIT_SECONDS) for _ in items]
    with pytest.raises(Closed):
        channel.get(WAIT_SECONDS)
    thread.join(WAIT_SECONDS)
    assert received == items
    assert channel.dropped == 0


@pytest.mark.parametrize("waits_in", ["get", "put"])
def test_closing_wakes_whoever_waits(waits_in: str) -> None:
    channel: Channel[int] = Channel(1, overwrite=False)
    woken = threading.Event()
    if waits_in == "put":
        channel.put(0)

    def wait() -> None:
        try:
            channel.get() if waits_in == "get" else channel.put(1)
        except Closed:
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    channel.close()
    assert woken.wait(WAIT_SECONDS)
    thread.join(WAIT_SECONDS)


def test_a_closed_channel_still_delivers_what_it_holds_and_takes_nothing_more() -> None:
    channel: Channel[int] = Channel(2, overwrite=False)
    channel.put(1)
    channel.close()
    channel.close()
    with pytest.raises(Closed):
        channel.put(2)
    assert channel.get() == 1
    with pytest.raises(Closed):
        channel.get()


def test_an_empty_channel_times_out() -> None:
    channel: Channel[int] = Channel(1, overwrite=True)
    with pytest.raises(TimeoutError):
        channel.get(0.0)


def test_a_channel_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Channel(0, overwrite=True)
