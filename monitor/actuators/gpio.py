"""The actuator that switches a pin of the machine itself: a relay, and a light for the denied."""

from __future__ import annotations

from typing import Any

from ..errors import ActuatorError, ConfigError
from .actuator import Actuator
from .lease import Lease


class GpioActuator(Actuator):
    """Energises a pin to unlock, through gpiozero, and reads back that it did.

    When the process ends, however it does, pins may become inputs: wire the relay so that a pin
    that is not driven locks.

    name: what it is called in messages.
    pin: number of the pin, as Broadcom counts.
    active_high: whether a high level energises; for both pins.
    deny_pin: energised for `deny_seconds` when someone is turned away; None for nothing.

    Raises ConfigError when gpiozero or the pin is not to be had.
    """

    kind = "gpio"

    def __init__(
        self,
        name: str,
        *,
        pin: int,
        active_high: bool = True,
        deny_pin: int | None = None,
        deny_seconds: float = 1.0,
    ) -> None:
        super().__init__(name)
        self._deny_seconds = deny_seconds
        self._light: Any = None
        self._relay = _switch(name, pin, active_high)
        if deny_pin is not None:
            try:
                self._light = _switch(name, deny_pin, active_high)
            except ConfigError:
                self._relay.close()
                raise

    def lock(self) -> None:
        """Take the pin's energy away; raises ActuatorError unless it reads back so."""
        self._relay.off()
        self._check(energised=False)

    def unlock(self, lease: Lease) -> None:
        """Energise the pin; raises ActuatorError unless it reads back so."""
        self._relay.on()
        self._check(energised=True)

    def deny(self, reason: str) -> None:
        """Energise the deny pin for its time, without waiting for the end of it."""
        if self._light is not None:
            self._light.blink(on_time=self._deny_seconds, off_time=0, n=1)

    def close(self) -> None:
        """Let go of both pins."""
        self._relay.close()
        if self._light is not None:
            self._light.close()

    def _check(self, *, energised: bool) -> None:
        if self._relay.is_active is not energised:
            found, expected = ("off", "on") if energised else ("on", "off")
            raise ActuatorError(
                f"actuator {self.name}: {self._relay.pin}: {found} found, expected {expected}"
            )


def _switch(name: str, pin: int, active_high: bool) -> Any:
    """A pin that is off."""
    try:
        import gpiozero
    except ImportError:
        raise ConfigError(
            f"actuator {name}: gpiozero is not installed, expected it for a pin: "
            "pip install '.[gpio]' in the source folder"
        ) from None
    try:
        return gpiozero.DigitalOutputDevice(pin, active_high=active_high, initial_value=False)
    except Exception as error:
        # Each of the libraries below gpiozero has errors of its own.
        raise ConfigError(f"actuator {name}: pin {pin}: {error}; expected a free pin") from None
