"""The command line: arguments in, an exit code out, no traceback for what a user can mend."""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .errors import MaskgateError
from .interrupt import Hangup, Interrupt, Interrupted

# The parts that need OpenCV are imported by the commands that use them, so that a system library
# that is missing ends in one clear line.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    arguments: those of the command line; None for the process's own.

    Returns 0 when all went well, 1 for a failure at run time, 2 for wrong usage, configuration or
    model file, and 128 plus the signal's number when stopped by one.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        with Interrupt() as interrupt:
            code: int = options.command(options, interrupt)
            sys.stdout.flush()
            return code
    except Interrupted as stopped:
        print(f"monitor: {stopped}", file=sys.stderr)
        return stopped.exit_code
    except MaskgateError as error:
        print(f"monitor: error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has enough; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
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

    with Hangup() as hangup:
        run(
            config.load(options.config),
            check_interrupt=interrupt.check,
            newer=lambda: config.load(options.config) if hangup.came() else None,
            door=options.door,
            source=options.source,
            actuate=options.actuate,
            window=not options.no_window,
            seconds=options.seconds,
        )
    return 0


def _replay(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from tqdm.contrib.logging import logging_redirect_tqdm

    from . import config
    from .app.replay import replay

    with logging_redirect_tqdm():
        went_well = replay(
            config.load(options.config),
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

    code = check(config.load(options.config))
    interrupt.check()
    return code


def _bench(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .app.bench import measure, measure_doors

    loaded = config.load(options.config)
    given: dict[str, Any] = {
        "check_interrupt": interrupt.check,
        "source": options.source,
        "model": options.model,
        "json_file": options.json,
        "baseline": options.baseline,
    }
    if options.doors:
        measure_doors(loaded, count=options.doors, seconds=options.seconds, **given)
    else:
        measure(loaded, frames=options.frames, against=options.against, **given)
    return 0


def _events(options: argparse.Namespace, interrupt: Interrupt) -> int:
    from . import config
    from .audit.listing import list_events

    list_events(
        options.folder or config.load(options.config).audit.folder,
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
        config.load(options.config),
        door=options.door,
        action=options.action,
        seconds=options.seconds,
        by=options.by,
    )
    interrupt.check()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monitor",
        description="Opens a door only while every visible face wears a mask.",
    )
    parser.add_argument("--version", action="version", version=f"maskgate {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="watch cameras, clips or the demo and drive the doors")
    run.set_defaults(command=_run)
    run.add_argument("--door", metavar="NAME", help="watch only this one (default: all)")
    run.add_argument(
        "--source",
        help="what to watch in place of the configured source: a camera index, a device, a URL, "
        "a video file, a folder of pictures, or demo; with several doors needs --door",
    )
    run.add_argument("--no-window", action="store_true", help="show no window")
    run.add_argument("--seconds", type=_positive, metavar="N", help="stop after this many seconds")

    replay = commands.add_parser("replay", help="decide on every frame of recorded sources")
    replay.set_defaults(command=_replay)
    replay.add_argument("sources", nargs="+", metavar="SOURCE", help="clip, folder, or demo")
    replay.add_argument(
        "--door", metavar="NAME", help="whose zones and policy decide (default: the first)"
    )
    replay.add_argument(
        "--events", type=Path, metavar="OUT.jsonl", help="write one JSON object for each frame"
    )
    replay.add_argument(
        "--video", type=Path, metavar="OUT.mp4", help="write the annotated pictures"
    )
    replay.add_argument(
        "--expect",
        type=Path,
        metavar="TIMELINES.json",
        help="fail if the door is not as this file says, by file stem",
    )
    replay.add_argument(
        "--report", type=Path, metavar="OUT.json", help="write how the timelines were kept"
    )
    replay.add_argument(
        "--junit", type=Path, metavar="OUT.xml", help="the same for CI systems, a test case a span"
    )
    replay.add_argument(
        "--each", action="store_true", help="decide on every picture alone, without hold"
    )
    replay.add_argument(
        "--hard",
        type=Path,
        metavar="DIR",
        help="save the frames nearest to the thresholds as pictures to be labelled",
    )
    replay.add_argument(
        "--fps",
        type=_positive,
        default=1.0,
        metavar="N",
        help="pictures per second at which a folder plays (default: 1)",
    )

    check = commands.add_parser("check", help="try model, sources and locks, and end")
    check.set_defaults(command=_check)
    check.add_argument(
        "--schema",
        action="store_true",
        help="write the JSON Schema of the configuration, for editors, and check nothing",
    )

    bench = commands.add_parser("bench", help="time this machine: a frame, or several doors")
    bench.set_defaults(command=_bench)
    bench.add_argument("--source", help="whose frames to take, see run (default: as configured)")
    bench.add_argument("--model", type=Path, metavar="FILE.onnx", help="(default: as configured)")
    bench.add_argument(
        "--frames", type=_count, default=200, metavar="N", help="how many to time (default: 200)"
    )
    bench.add_argument(
        "--against",
        type=Path,
        metavar="FILE.onnx",
        help="time another model in turn: its resize and its network, nothing that follows",
    )
    bench.add_argument(
        "--doors",
        type=_count,
        metavar="N",
        help="time N doors that are watched at once by what `run` consists of",
    )
    bench.add_argument(
        "--seconds",
        type=_positive,
        default=10.0,
        metavar="N",
        help="how long to watch the doors (default: 10)",
    )
    bench.add_argument(
        "--baseline",
        type=Path,
        metavar="OLD.json",
        help="print the ratio of each figure to that of an earlier --json",
    )
    bench.add_argument("--json", type=Path, metavar="OUT.json", help="write all of it as JSON")

    events = commands.add_parser("events", help="list what the audit has recorded")
    events.set_defaults(command=_events)
    events.add_argument(
        "--since", metavar="TIME", help="no older than 90s, 15m, 2h, 7d, or 2026-01-31T08:30"
    )
    events.add_argument("--door", metavar="NAME", help="of this door alone")
    events.add_argument("--folder", metavar="DIR", help="of the audit (default: as configured)")
    form = events.add_mutually_exclusive_group()
    for name in ("csv", "json"):
        form.add_argument(
            f"--{name}",
            dest="form",
            action="store_const",
            const=name,
            default="table",
            help=f"as {name.upper()}, times in UTC",
        )

    override = commands.add_parser("override", help="lock or unlock a door by hand")
    override.set_defaults(command=_override)
    override.add_argument("door", metavar="DOOR", help="its name")
    override.add_argument("action", choices=("lock", "unlock"))
    override.add_argument("--seconds", type=_positive, required=True, metavar="N", help="how long")
    override.add_argument("--by", required=True, metavar="NAME", help="who takes responsibility")

    for command in (run, replay):
        command.add_argument(
            "--actuate",
            action="store_true",
            help="let a recorded source drive every actuator, not only the log",
        )
    for command in (run, replay, check, bench, events, override):
        command.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help="configuration (default: ./config.yaml, or else built-in values)",
        )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} found, expected a whole number above 0")
    return int(text)


def _positive(text: str) -> float:
    number = float(text)
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} found, expected a number above 0")
    return number
