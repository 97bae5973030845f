"""The arguments of the command line: which commands there are, and what each takes."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from . import __version__


def make_parser() -> argparse.ArgumentParser:
    """The parser; `command` of what it gives is the name of the command."""
    parser = argparse.ArgumentParser(
        prog="monitor",
        description="Opens a door only while every visible face wears a mask.",
    )
    parser.add_argument("--version", action="version", version=f"maskgate {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(commands.add_parser("run", help="watch cameras, clips or the demo and drive the doors"))
    _replay(commands.add_parser("replay", help="decide on every frame of recorded sources"))
    _check(commands.add_parser("check", help="try model, sources and locks, and end"))
    _bench(commands.add_parser("bench", help="time this machine: a frame, or several doors"))
    _events(commands.add_parser("events", help="list what the audit has recorded"))
    _override(commands.add_parser("override", help="lock or unlock a door by hand"))
    return parser


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--door", metavar="NAME", help="watch only this one (default: all)")
    parser.add_argument(
        "--source",
        help="what to watch in place of the configured source: a camera index, a device, a URL, "
        "a video file, a folder of pictures, or demo; with several doors needs --door",
    )
    parser.add_argument("--no-window", action="store_true", help="show no window")
    parser.add_argument(
        "--seconds", type=_positive, metavar="N", help="stop after this many seconds"
    )
    _add_actuate(parser)
    _add_config(parser)


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="clip, folder, or demo")
    parser.add_argument(
        "--door", metavar="NAME", help="whose zones and policy decide (default: the first)"
    )
    parser.add_argument(
        "--events", type=Path, metavar="OUT.jsonl", help="write one JSON object for each frame"
    )
    parser.add_argument(
        "--video", type=Path, metavar="OUT.mp4", help="write the annotated pictures"
    )
    parser.add_argument(
        "--expect",
        type=Path,
        metavar="TIMELINES.json",
        help="fail if the door is not as this file says, by file stem",
    )
    parser.add_argument(
        "--report", type=Path, metavar="OUT.json", help="write how the timelines were kept"
    )
    parser.add_argument(
        "--junit", type=Path, metavar="OUT.xml", help="the same for CI systems, a test case a span"
    )
    parser.add_argument(
        "--each", action="store_true", help="decide on every picture alone, without hold"
    )
    parser.add_argument(
        "--hard",
        type=Path,
        metavar="DIR",
        help="save the frames nearest to the thresholds as pictures to be labelled",
    )
    parser.add_argument(
        "--fps",
        type=_positive,
        default=1.0,
        metavar="N",
        help="pictures per second at which a folder plays (default: 1)",
    )
    _add_actuate(parser)
    _add_config(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--schema",
        action="store_true",
        help="write the JSON Schema of the configuration, for editors, and check nothing",
    )
    _add_config(parser)


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", help="whose frames to take, see run (default: as configured)")
    parser.add_argument("--model", type=Path, metavar="FILE.onnx", help="(default: as configured)")
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "tensorrt"),
        help="where the network runs (default: as configured)",
    )
    parser.add_argument(
        "--frames", type=_count, default=200, metavar="N", help="how many to time (default: 200)"
    )
    one_of = parser.add_mutually_exclusive_group()
    one_of.add_argument(
        "--against",
        type=Path,
        metavar="FILE.onnx",
        help="time another model in turn: a whole call of one of this program's; of one of any "
        "other maker its resize and its network, nothing that follows",
    )
    one_of.add_argument(
        "--doors",
        type=_count,
        metavar="N",
        help="time N doors that are watched at once by what `run` consists of",
    )
    one_of.add_argument(
        "--viewers",
        type=_count,
        metavar="N",
        help="time the whole loop, with drawing, recording and N viewers of the live page, "
        "beside the bare detector",
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        default=10.0,
        metavar="N",
        help="how long to watch the doors (default: 10)",
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="OLD.json",
        help="print the ratio of each figure to that of an earlier --json",
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write all of it as JSON")
    _add_config(parser)


def _events(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since", metavar="TIME", help="no older than 90s, 15m, 2h, 7d, or 2026-01-31T08:30"
    )
    parser.add_argument("--door", metavar="NAME", help="of this door alone")
    parser.add_argument("--folder", metavar="DIR", help="of the audit (default: as configured)")
    form = parser.add_mutually_exclusive_group()
    for name in ("csv", "json"):
        form.add_argument(
            f"--{name}",
            dest="form",
            action="store_const",
            const=name,
            default="table",
            help=f"as {name.upper()}, times in UTC",
        )
    _add_config(parser)


def _override(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("door", metavar="DOOR", help="its name")
    parser.add_argument("action", choices=("lock", "unlock"))
    parser.add_argument("--seconds", type=_positive, required=True, metavar="N", help="how long")
    parser.add_argument("--by", required=True, metavar="NAME", help="who takes responsibility")
    _add_config(parser)


def _add_actuate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--actuate",
        action="store_true",
        help="let a recorded source drive every actuator, not only the log",
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="configuration (default: ./config.yaml, or else built-in values)",
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} found, expected a whole number above 0")
    return int(text)


def _positive(text: str) -> float:
    number = float(text)
    if not 0.0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text} found, expected a number above 0")
    return number
