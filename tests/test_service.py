"""Service: what systemd is told, over a real socket."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.service import Service

UNIT = Path(__file__).parents[1] / "deploy" / "maskgate.service"


class Listener:
    """The end that systemd holds."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(30)

    def next(self) -> str:
        return self._socket.recv(100).decode()

    def heard(self) -> list[str]:
        self._socket.setblocking(False)
        found = []
        while True:
            try:
                found.append(self._socket.recv(100).decode())
            except BlockingIOError:
                self._socket.settimeout(30)
                return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Listener]:
    abstract = request.param == "abstract"
    if abstract and sys.platform != "linux":
        pytest.skip("abstract sockets are Linux's")
    listener = Listener(f"@maskgate-{os.getpid()}" if abstract else str(tmp_path / "notify"))
    yield listener
    listener.close()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def service(listener: Listener, clock: Clock, patience_seconds: float | None = 9.0) -> Service:
    environment = {"NOTIFY_SOCKET": listener.address}
    if patience_seconds is not None:
        environment["WATCHDOG_USEC"] = str(round(patience_seconds * 1e6))
    return Service(environment, clock)


def test_the_start_and_the_end_are_told(listener: Listener) -> None:
    told = service(listener, Clock())
    told.ready()
    told.stopping()
    assert listener.heard() == ["READY=1", "STOPPING=1"]


def test_a_sign_of_life_is_given_three_times_within_systemds_patience(listener: Listener) -> None:
    clock = Clock()
    told = service(listener, clock, patience_seconds=9.0)
    for _ in range(90):
        told.alive(turned_at=clock.now)
        clock.now += 0.1
    assert listener.heard() == ["WATCHDOG=1"] * 3


def test_no_sign_of_life_is_given_while_decisions_stall(listener: Listener) -> None:
    clock = Clock()
    told = service(listener, clock)
    stalled_at = clock.now
    for _ in range(200):
        clock.now += 0.1
        told.alive(stalled_at)
    # the one within the first period, when nothing could be known yet
    assert listener.heard() == ["WATCHDOG=1"]
    told.alive(clock.now)
    assert listener.heard() == ["WATCHDOG=1"]


def test_a_listener_that_does_not_read_holds_nobody_up_and_misses_what_finds_no_room(
    listener: Listener,
) -> None:
    clock = Clock()
    told = service(listener, clock)
    for _ in range(1000):
        clock.now += 10.0
        told.alive(clock.now)
    told.stopping()
    heard = listener.heard()
    assert 0 < len(heard) < 1000
    assert set(heard) == {"WATCHDOG=1"}
    told.stopping()
    assert listener.next() == "STOPPING=1"


@pytest.mark.parametrize(
    "environment",
    [
        {},  # not started by systemd
        {"NOTIFY_SOCKET": ""},  # told to be silent
        {"NOTIFY_SOCKET": "/nonexistent/notify"},  # nobody there
        {"NOTIFY_SOCKET": "/nonexistent/notify", "WATCHDOG_USEC": "often"},  # no number
    ],
)
def test_without_a_listener_nothing_happens(environment: dict[str, str]) -> None:
    told = Service(environment, Clock())
    told.ready()
    told.alive(100.0)
    told.stopping()


def test_a_run_of_the_monitor_is_ready_alive_and_ends_in_order(tmp_path: Path) -> None:
    listener = Listener(str(tmp_path / "notify"))
    environment = {
        "PATH": os.environ["PATH"],
        "NOTIFY_SOCKET": listener.address,
        "WATCHDOG_USEC": "300000",
        "OMP_NUM_THREADS": "1",
    }
    program = "from monitor.cli import main; raise SystemExit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", "--no-window", "--source", "demo"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert listener.next() == "READY=1"
        assert listener.next() == "WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        said = listener.next()
        while said == "WATCHDOG=1":
            said = listener.next()
        assert said == "STOPPING=1"
        assert process.wait(30) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
        listener.close()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_unit_is_understood_and_leaves_little_exposed(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    program = shutil.which("true")
    text = UNIT.read_text().replace("/opt/maskgate/.venv/bin/monitor", str(program))
    unit.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
