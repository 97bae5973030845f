"""The threads of the doors: a capture for each -> frames -> one infer -> results -> main."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from types import TracebackType

from .channel import Channel, Closed
from .doorkeeper import Doorkeeper, Lock
from .errors import ActuatorError
from .frame import Frame
from .interrupt import Interrupted
from .line import TICK_SECONDS, Line, close
from .result import Result
from .turns import Turns

_log = logging.getLogger("monitor.door")

SHUTDOWN_SECONDS = 5.0


class Pipeline:
    """Runs the lines of one or more doors through one thread that decides; a context manager.

    Live, each channel holds the newest item and overwrites it; recorded, each waits for room, so
    that every frame is decided on and nothing depends on scheduling. The doors that have a new
    frame are served in turn, so that none waits longer than one frame of each of the others; a
    camera that is dead, slow or hangs keeps only its own capture waiting.

    Frames are decided on one by one, not in batches: on a CPU the shipped model takes the same time
    a frame either way, and in a batch the first frame would wait for the last.

    Leaving the context locks every door, ends the threads, and raises the first error that one of
    them met, or else one for the actuators that could not be locked. Beside another error these are
    in the log, and make the exit code of an Interrupted that of a failure.

    lines: the doors, each with a name of its own.

    `left_open` are the actuators that are gone and could not be locked, by the names of their door
    and of themselves.
    `turned_at` is when the thread that decides last came round, `time.monotonic()` seconds; it does
    so several times a second, with frames or without.
    """

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = {line.name: line for line in lines}
        self._frames: Turns[Line, Frame | str] = Turns()
        self._results: Turns[Line, Result] = Turns()
        self._begun: list[tuple[Line, Channel[Frame | str]]] = []
        self._stop = threading.Event()
        self._error: Exception | None = None
        self.left_open: set[tuple[str, str]] = set()
        self.turned_at = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="infer", daemon=True)

    @property
    def lines(self) -> list[Line]:
        """The doors at present."""
        return list(self._lines.values())

    def __enter__(self) -> Pipeline:
        with self.changing():
            for line in self.lines:
                self.add(line)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        self._stop.set()
        for line in self.lines:
            line.capture.stop()
        self._frames.close()
        self._results.close()
        # Before the threads are joined: a camera or detector that hangs must not keep a door open.
        left_open = self.left_open.union(_ended(self.lines, deadline))
        self._thread.join(max(deadline - time.monotonic(), 0.0))
        errors = (error, self._error, *(line.capture.error for line in self.lines))
        met = next((each for each in errors if each is not None), None)
        if left_open:
            names = ", ".join(sorted({door for door, _ in left_open}))
            problem = f"{names}: an actuator could not be locked"
            if met is None:
                raise ActuatorError(f"{problem}; see the log")
            _log.error(problem)
            if isinstance(met, Interrupted):
                # Otherwise whoever stopped the run takes it for a good end.
                met.exit_code = ActuatorError.exit_code
        if error is None and met is not None:
            raise met

    def results(self, tick_seconds: float = TICK_SECONDS) -> Iterator[tuple[Line, Result] | None]:
        """Yield each door's results until every source has ended; None when a tick brought none."""
        while True:
            try:
                yield self._results.get(tick_seconds)
            except TimeoutError:
                yield None
            except Closed:
                return

    @contextlib.contextmanager
    def changing(
        self, ended: Collection[str] = (), *, exchanged: Collection[str] = ()
    ) -> Iterator[list[Line]]:
        """Inside, doors may come and change, while the others go on; yields those that have ended.

        All that end or change are locked together, so that however many of them hang, it takes no
        longer than for one. From the thread that entered the context.

        ended: names of the doors that go, or that begin anew: their captures are ended, too.
        exchanged: names of the doors that get another doorkeeper inside, see `replace`.

        Raises Closed when the run is over.
        """
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        with self._frames.held_open():
            gone = [self._lines.pop(name) for name in ended]
            for line in gone:
                line.capture.stop()
                self._frames.leave(line)
                self._results.leave(line)
            changed = [self._lines[name] for name in exchanged]
            self.left_open.update(_ended(gone, deadline, also=changed))
            yield gone
        for line in self.lines:
            line.capture.sole = len(self._lines) == 1
        while self._begun:
            line, frames = self._begun.pop(0)
            line.capture.start(frames, line.summary.reconnect)

    def add(self, line: Line) -> None:
        """Start one more door, locked; inside `changing`, at whose end its camera begins."""
        self._lines[line.name] = line
        self._start(line)
        self._results.join(line, overwrite=line.overwrite)
        self._begun.append((line, self._frames.join(line, overwrite=line.overwrite)))

    def remove(self, name: str) -> Line:
        """Lock a door and end its capture, while the others go on; the line that it was."""
        with self.changing([name]) as [line]:
            return line

    def replace(self, name: str, make: Callable[[Line], tuple[Doorkeeper, Sequence[Lock]]]) -> None:
        """Let another doorkeeper with its locks go on with a door, which is locked at first.

        The door's capture is not touched, so that no frame is lost. Inside `changing`, which had
        the locks until now let go of what they hold: there may be only one of that.

        make: gives both. What it raises leaves the door locked, and without any lock.
        """
        line = self._lines[name]
        line.locks = ()
        keeper, line.locks = make(line)
        self._start(line)
        line.doorkeeper = keeper

    def _start(self, line: Line) -> None:
        # From now on somebody tries to lock these again.
        self.left_open.difference_update((line.name, lock.name) for lock in line.locks)
        for lock in line.locks:
            lock.start()

    def _work(self) -> None:
        try:
            self._infer()
        except Closed:
            pass
        except Exception as error:
            self._error = error
        finally:
            # Whichever thread ends first, none may wait for it on a channel.
            self._frames.close()
            self._results.close()

    def _infer(self) -> None:
        while not self._stop.is_set():
            self.turned_at = time.monotonic()
            with contextlib.suppress(TimeoutError):
                line, frame = self._frames.get(self._patience_seconds())
                self._hand_on(line, line.see(frame))
            for line in self.lines:
                # A frame that waits for its turn is not missing, however long the others take.
                if line.patience_seconds == 0.0 and not self._frames.holds(line):
                    self._hand_on(line, line.miss())

    def _patience_seconds(self) -> float:
        patience = [line.patience_seconds for line in self.lines]
        return min((wait for wait in patience if wait is not None), default=TICK_SECONDS)

    def _hand_on(self, line: Line, result: Result) -> None:
        # A door that was removed meanwhile has nobody any more who would look.
        with contextlib.suppress(Closed):
            self._results.put(line, result)


def _ended(
    lines: Sequence[Line], deadline: float, *, also: Sequence[Line] = ()
) -> list[tuple[str, str]]:
    """Lock lines whose captures were told to stop, and wait for both; see `close`.

    deadline: for everything, monotonic seconds.
    also: lines to be locked as well, whose captures go on.
    """
    left_open = close([*lines, *also], deadline)
    for line in lines:
        line.capture.join(max(deadline - time.monotonic(), 0.0))
    return left_open
