"""Pins of gpiozero's own mock factory: what a relay and a light would do."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

gpiozero = pytest.importorskip("gpiozero", reason="gpiozero is not installed")

from gpiozero.pins.mock import MockFactory, MockPin  # noqa: E402

from monitor.actuators.gpio import GpioActuator  # noqa: E402
from monitor.actuators.lease import Lease  # noqa: E402
from monitor.errors import ActuatorError, ConfigError  # noqa: E402

LEASE = Lease(unlocked=True, reason="1 face masked")


@pytest.fixture(autouse=True)
def board() -> Iterator[MockFactory]:
    """A board whose pins remember what was done to them."""
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.close()
    gpiozero.Device.pin_factory = before


def levels(pin: MockPin) -> list[bool]:
    return [bool(state.state) for state in pin.states]


@pytest.mark.parametrize("active_high", [True, False])
def test_a_pin_is_energised_to_unlock_and_only_then(board: MockFactory, active_high: bool) -> None:
    relay = GpioActuator("relay", pin=17, active_high=active_high)
    pin = board.pin(17)
    assert bool(pin.state) is not active_high
    pin.clear_states()
    relay.lock()
    relay.unlock(LEASE)
    assert bool(pin.state) is active_high
    relay.lock()
    off, on = not active_high, active_high
    assert levels(pin) == [off, on, off]


@pytest.mark.parametrize(("stuck", "found"), [(False, "off"), (True, "on")])
def test_a_pin_that_does_not_follow_is_an_actuator_error(
    board: MockFactory, stuck: bool, found: str
) -> None:
    relay = GpioActuator("relay", pin=17)
    board.pin(17)._get_state = lambda: stuck
    with pytest.raises(ActuatorError, match=f"actuator relay: GPIO17: {found} found, expected o"):
        relay.lock() if stuck else relay.unlock(LEASE)


def test_a_denial_energises_its_own_pin_for_a_while_and_leaves_the_lock_alone(
    board: MockFactory,
) -> None:
    relay = GpioActuator("relay", pin=17, deny_pin=27, deny_seconds=0.01)
    lock, light = board.pin(17), board.pin(27)
    lock.clear_states()
    light.clear_states()
    relay.deny("1 face bare")
    relay._light._blink_thread.join()
    assert levels(light) == [False, True, False]
    assert levels(lock) == [False]


def test_without_a_deny_pin_a_denial_does_nothing(board: MockFactory) -> None:
    GpioActuator("relay", pin=17).deny("1 face bare")
    assert len(board.pins) == 1


def test_a_pin_is_free_again_after_the_end(board: MockFactory) -> None:
    first = GpioActuator("relay", pin=17, deny_pin=27)
    with pytest.raises(ConfigError, match=r"actuator other: pin 17: .*in use"):
        GpioActuator("other", pin=17)
    with pytest.raises(ConfigError, match=r"actuator other: pin 27: .*in use"):
        GpioActuator("other", pin=4, deny_pin=27)
    first.close()
    GpioActuator("other", pin=17, deny_pin=27).close()
    GpioActuator("other", pin=4).close()


def test_a_machine_without_pins_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise gpiozero.BadPinFactory("Unable to load any default pin factory!")

    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setattr(gpiozero.Device, "_default_pin_factory", none)
    with pytest.raises(ConfigError, match="actuator relay: pin 17: Unable to load any default"):
        GpioActuator("relay", pin=17)


def test_a_library_that_is_missing_is_named_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(ConfigError, match=r"pip install '.\[gpio\]'"):
        GpioActuator("relay", pin=17)
