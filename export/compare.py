"""Compare: `python -m export compare`, what a new model would decide otherwise, clip by clip."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monitor.apart import check_apart
from monitor.app.choice import chosen
from monitor.config import Config, load
from monitor.decision import Door
from monitor.detector import Detector
from monitor.door_section import DoorSection
from monitor.errors import NoEvidence, SourceError, UsageError
from monitor.evidence import Evidence
from monitor.frame import Frame
from monitor.parts import frames_of, make_detector, make_policy, make_zones
from monitor.policy import Policy
from monitor.sources import open_source
from monitor.zones import Zones

from .output_files import make_folders, write_json

MOST_STRETCHES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames in a row for which the door would be otherwise.

    start_seconds, end_seconds: times of the first and the last of them.
    frames: how many.
    old, new: what the door is to either model.
    reason: the new model's, at the first of them.
    """

    start_seconds: float
    end_seconds: float
    frames: int
    old: Door
    new: Door
    reason: str

    def __str__(self) -> str:
        when = f"{self.start_seconds:.2f} to {self.end_seconds:.2f} s"
        return f"  {when}, {self.frames} frames: {self.old} -> {self.new} ({self.reason})"


@dataclass(frozen=True, slots=True)
class Clip:
    """What became of one source.

    frames: how many of it could be had.
    unlocked: frames in which the door is unlocked, by the old and the new model.
    evidence: how often a frame's evidence went from the one to the other, such as "clear ->
        unknown"; only those that differ.
    stretches: see `Stretch`.
    fault: why it could not be had to its end; None where it could.
    """

    name: str
    frames: int
    unlocked: tuple[int, int]
    evidence: dict[str, int]
    stretches: tuple[Stretch, ...]
    fault: str | None

    def __str__(self) -> str:
        changed = sum(stretch.frames for stretch in self.stretches)
        lines = [
            f"{self.name}: {self.frames} frames, unlocked in {self.unlocked[0]} -> "
            f"{self.unlocked[1]}, the door otherwise in {changed}"
        ]
        lines += [f"  {name}: {count} frames" for name, count in self.evidence.items()]
        lines += [str(stretch) for stretch in self.stretches[:MOST_STRETCHES_SHOWN]]
        if len(self.stretches) > MOST_STRETCHES_SHOWN:
            lines.append(f"  ... and {len(self.stretches) - MOST_STRETCHES_SHOWN} more")
        return "\n".join(lines)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `compare`."""
    add = parser.add_argument
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="whose door judges; else ./config.yaml if there",
    )
    add(
        "--door",
        metavar="NAME",
        help="whose zones and policy decide, at any hour (default: the first)",
    )
    add("--json", type=Path, metavar="OUT.json", help="write all of it")
    add("old", type=Path, metavar="OLD.onnx")
    add("new", type=Path, metavar="NEW.onnx")
    add("sources", nargs="+", metavar="SOURCE", help="clip, folder of pictures, or demo")


def run(options: argparse.Namespace) -> int:
    """Carry out `compare`; returns the exit code, 0 whether anything differs or not.

    A source that fails is named, and what it gave until then is kept: the exit code is 1.
    """
    check_apart(
        {"--json": options.json}, [options.config, options.old, options.new, *options.sources]
    )
    make_folders(files=(options.json,))
    config: Config = load(options.config)
    door = chosen(config, options.door)[0]
    for spec in options.sources:
        if open_recorded(spec).live:
            raise UsageError(f"{spec}: a live source found, expected a recorded one")
    detectors = [make_detector(config.model, path) for path in (options.old, options.new)]
    clips = []
    for spec in options.sources:
        clip = compare(door, detectors, spec)
        clips.append(clip)
        print(clip, flush=True)
        if clip.fault is not None:
            print(f"error: {clip.fault}", file=sys.stderr)
    changed = sum(bool(clip.stretches) for clip in clips)
    print(f"{changed} of {len(clips)} sources would see another door")
    if options.json:
        write(options.json, [detector.sha256 for detector in detectors], clips)
    return int(any(clip.fault is not None for clip in clips))


def open_recorded(spec: str) -> Any:
    """The source, closed again: what is wrong with it is said before the first takes its time."""
    source = open_source(spec)
    source.close()
    return source


def compare(door: DoorSection, detectors: Sequence[Detector], spec: str) -> Clip:
    """Show every frame of a source to both detectors, each with a policy of its own.

    door: its zones and policy. detectors: the old and the new one.
    """
    zones = make_zones(door)
    judges = [(detector, make_policy(door, detector)) for detector in detectors]
    rows = []
    fault = None
    try:
        for frame in tqdm(frames_of(door, spec), desc=spec, unit=" frames"):
            old, new = (decided(frame, *judge, zones) for judge in judges)
            rows.append((frame.time, old, new))
    except SourceError as error:
        fault = str(error)
    evidence: dict[str, int] = {}
    for _, (_, before, _), (_, after, _) in rows:
        if before is not after:
            change = f"{before} -> {after}"
            evidence[change] = evidence.get(change, 0) + 1
    unlocked = [sum(row[column][0] is Door.UNLOCKED for row in rows) for column in (1, 2)]
    return Clip(
        Path(spec).stem,
        len(rows),
        (unlocked[0], unlocked[1]),
        evidence,
        tuple(stretches(rows)),
        fault,
    )


Decided = tuple[Door, Evidence, str]


def decided(frame: Frame, detector: Detector, policy: Policy, zones: Zones) -> Decided:
    """What the door is to be, what the frame says by itself, and why."""
    height_px, width_px = frame.image.shape[:2]
    try:
        faces = zones.select(detector(frame.image), width_px, height_px)
    except NoEvidence as error:
        # not the end, as at a door
        decision = policy.update(None, frame.time, fault=str(error))
    else:
        decision = policy.update(faces, frame.time, lasts_seconds=frame.lasts_seconds)
    return decision.door, decision.evidence, decision.reason


def stretches(rows: Sequence[tuple[float, Decided, Decided]]) -> Iterator[Stretch]:
    """The stretches of (time, old, new) in which the door is otherwise, in order."""
    run: list[tuple[float, Decided, Decided]] = []
    for row in (*rows, None):
        differs = row is not None and row[1][0] is not row[2][0]
        if run and (row is None or not differs or row[1][0] is not run[0][1][0]):
            first, last = run[0], run[-1]
            old, (new, _, reason) = first[1][0], first[2]
            yield Stretch(first[0], last[0], len(run), old, new, reason)
            run = []
        if row is not None and differs:
            run.append(row)


def write(path: Path, hashes: Sequence[str], clips: Sequence[Clip]) -> None:
    """Write all of it as JSON; raises UsageError when that is not possible."""
    content = {"old": hashes[0], "new": hashes[1], "sources": [asdict(clip) for clip in clips]}
    write_json(path, content, "the comparison")
