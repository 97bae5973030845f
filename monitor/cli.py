"""The command line: arguments in, an exit code out, no traceback for what a user can mend."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .apart import check_apart
from .arguments import make_parser
from .errors import MaskgateError
from .interrupt import Hangup, Interrupt, Interrupted
from .log import Log
from .output import end_output, end_refused

if TYPE_CHECKING:
    from .config import Config

# The parts that need OpenCV are imported by the commands that use them, so that a system library
# that is missing ends in one clear line.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    arguments: those of the command line; None for the process's own.

    Returns 0 when all went well, 1 for a failure at run time, 2 for wrong usage, configuration or
    model file, and 128 plus the signal's number when stopped by one, with every door locked.
    """
    options = make_parser().parse_args(arguments)
    try:
        with Log(), Interrupt() as interrupt:
            code: int = _COMMANDS[options.command](options, interrupt)
            sys.stdout.flush()
            return code
    except Interrupted as stopped:
        # A terminal that hung up is gone.
        with contextlib.suppress(OSError):
            print(f"monitor: {stopped}", file=sys.stderr)
        end_output()
        return stopped.exit_code
    except MaskgateError as error:
        print(f"monitor: error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        return end_refused(error, "monitor")
    except ImportError as error:
        if "shared object file" not in str(error):
            raise
        print(
            f"monitor: error: a system library is missing: {error}; "
            "OpenCV needs the packages libgl1 and libglib2.0-0",
            file=sys.stderr,
        )
        return 1


def _run(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .app.run import run

    # A file that is away for a moment must not put the built-in doors in the place of real ones.
    again = options.config or config.DEFAULT_PATH
    with Hangup() as hangup:
        run(
            config.load(options.config),
            check_interrupt=interrupt.check,
            newer=lambda: config.load(again) if hangup.came() else None,
            door=options.door,
            source=options.source,
            actuate=options.actuate,
            window=not options.no_window,
            seconds=options.seconds,
        )
    return 0


def _replay(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .app.replay import replay

    loaded = config.load(options.config)
    _spare(loaded, options, "events", "video", "report", "junit")
    went_well = replay(
        loaded,
        options.sources,
        check_interrupt=interrupt.check,
        door=options.door,
        events=options.events,
        video=options.video,
        expect=options.expect,
        report=options.report,
        junit=options.junit,
        each=options.each,
        hard=options.hard,
        actuate=options.actuate,
        fps_of_pictures=options.fps,
    )
    return 0 if went_well else 1


def _check(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config

    if options.schema:
        print(config.json_schema())
        return 0
    from .app.check import check

    code = check(config.load(options.config), check_interrupt=interrupt.check)
    interrupt.check()
    return code


def _bench(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .app.bench import measure, measure_doors
    from .app.bench_viewers import measure_viewers

    loaded = config.load(options.config)
    _spare(loaded, options, "json")
    given: dict[str, Any] = {
        "check_interrupt": interrupt.check,
        "source": options.source,
        "model": options.model,
        "device": options.device,
        "json_file": options.json,
        "baseline": options.baseline,
    }
    if options.doors:
        measure_doors(loaded, count=options.doors, seconds=options.seconds, **given)
    elif options.viewers:
        measure_viewers(loaded, count=options.viewers, frames=options.frames, **given)
    else:
        measure(loaded, frames=options.frames, against=options.against, **given)
    return 0


def _spare(loaded: Config, options: argparse.Namespace, *outputs: str) -> None:
    """Raise UsageError where an output is the configuration's file, or one that it names."""
    from . import config

    named = [loaded.model.path, *(door.zones_file for door in loaded.doors)]
    check_apart(
        {f"--{output}": getattr(options, output) for output in outputs},
        [options.config or config.DEFAULT_PATH, *named],
    )


def _events(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .audit.listing import list_events

    list_events(
        options.folder or config.load_beside(options.config).audit.folder,
        check_interrupt=interrupt.check,
        since=options.since,
        door=options.door,
        form=options.form,
    )
    interrupt.check()
    return 0


def _override(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .app.override import override

    override(
        config.load_beside(options.config).override,
        door=options.door,
        action=options.action,
        seconds=options.seconds,
        by=options.by,
    )
    interrupt.check()
    return 0


_COMMANDS = {
    "run": _run,
    "replay": _replay,
    "check": _check,
    "bench": _bench,
    "events": _events,
    "override": _override,
}
