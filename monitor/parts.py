"""The parts of a door, put together as its section of the configuration says."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import cv2

from .actuators.lease import Change
from .actuators.worker import Worker
from .capture import Capture
from .config import ModelSection
from .decision import Order
from .detector import Detector
from .door_section import DoorSection, ZonesSection
from .doorkeeper import Doorkeeper
from .evidence import FrameRule
from .frame import Frame
from .hard_frames import HardFrames
from .hours import Closed, Hours
from .line import Line
from .locks import make_locks
from .orientation import Orientation
from .policy import Policy
from .provider import Device
from .replaying import Alone
from .result import Result
from .sources import Mode, Source, open_source
from .view.pane import Pane
from .zones import Polygon, Zones
from .zones_file import add_ignored, read_zones

_log = logging.getLogger("monitor.app")


def make_detector(
    model: ModelSection, path: Path | None = None, device: Device | None = None
) -> Detector:
    """The detector, which has the processor to itself but for one core; OpenCV gets one thread.

    path: of a model in place of the configured one, whose hash is then not asked for.
    device: in place of the configured one.
    """
    # There is a thread for each thing to be done already. A second one within each resize and each
    # line drawn does not help: on two cores 22 frames a second in place of 24.
    cv2.setNumThreads(1)
    sha256 = None if path else model.sha256
    if path is None and model.path:
        path = Path(model.path)
    device = device or model.device
    detector = Detector(path, device=device, threads=model.threads, sha256=sha256)
    _log.info("%s runs on %s", detector.path.name, detector.provider)
    return detector


def make_source(door: DoorSection, spec: int | str | None = None) -> Source:
    """The source.

    spec: of one in place of the configured one.
    """
    mode = Mode(**door.camera.model_dump())
    return open_source(door.source if spec is None else spec, mode=mode)


def thresholds(door: DoorSection, detector: Detector) -> tuple[float, float]:
    """The scores (grant, deny): those that are configured, else the model's own."""
    rules, model = door.policy, detector.contract
    grant = model.grant if rules.grant is None else rules.grant
    return grant, model.deny if rules.deny is None else rules.deny


def make_rule(door: DoorSection, detector: Detector) -> FrameRule:
    """What must be seen in a single frame."""
    rules = door.policy
    grant, deny = thresholds(door, detector)
    return FrameRule(
        classes=detector.classes,
        allowed=rules.allowed,
        grant=grant,
        deny=deny,
        min_faces=rules.min_faces,
        smallest_face_px=rules.smallest_face_px,
    )


def make_policy(door: DoorSection, detector: Detector) -> Policy:
    """A new policy."""
    rules = door.policy
    return Policy(
        make_rule(door, detector),
        settle_seconds=rules.settle_seconds,
        hold_seconds=rules.hold_seconds,
        grace_seconds=rules.grace_seconds,
        max_unlock_seconds=rules.max_unlock_seconds or math.inf,
    )


def make_line(
    door: DoorSection,
    source: Source,
    detector: Detector,
    *,
    actuate: bool,
    overwrite: bool,
    paced: bool = False,
    each: bool = False,
    orders: Sequence[Callable[[], Order | None]] = (),
    watchers: Sequence[Callable[[Result], None]] = (),
    lock_watchers: Sequence[Callable[[Change], None]] = (),
) -> Line:
    """All of a door, from a source to its actuators.

    actuate: let a recorded source drive every actuator, not only the log.
    overwrite: drop what nobody took in time, instead of waiting until it is taken.
    paced: whether a recorded source plays at its own speed.
    each: decide on each picture alone, without hold.
    orders: what overrules the hours and the policy, see `Doorkeeper`.
    watchers: told of every result, see `Doorkeeper`.
    lock_watchers: told of what becomes of every actuator, see `Latch`.
    """
    orientation = Orientation(door.rotate_degrees, door.mirror)
    capture = Capture(source, orientation=orientation, paced=paced)
    keeper, locks = make_keeping(
        door,
        source,
        detector,
        actuate=actuate,
        overwrite=overwrite,
        each=each,
        orders=orders,
        watchers=watchers,
        lock_watchers=lock_watchers,
    )
    return Line(door.name, capture, keeper, locks=locks, overwrite=overwrite)


def make_keeping(
    door: DoorSection,
    source: Source,
    detector: Detector,
    *,
    actuate: bool,
    overwrite: bool,
    each: bool = False,
    orders: Sequence[Callable[[], Order | None]] = (),
    watchers: Sequence[Callable[[Result], None]] = (),
    lock_watchers: Sequence[Callable[[Change], None]] = (),
) -> tuple[Doorkeeper, list[Worker]]:
    """A door's keeper and the locks it drives, not yet started; arguments as for `make_line`.

    Raises ConfigError when either cannot be had; no actuator is held on to then.
    """
    with ExitStack() as held:
        locks = make_locks(
            held, door, source, actuate=actuate, overwrite=overwrite, lock_watchers=lock_watchers
        )
        keeper = make_doorkeeper(
            door, source, detector, locks, each=each, orders=orders, watchers=watchers
        )
        held.pop_all()
    return keeper, locks


def make_doorkeeper(
    door: DoorSection,
    source: Source,
    detector: Detector,
    locks: Sequence[Worker],
    *,
    each: bool = False,
    orders: Sequence[Callable[[], Order | None]] = (),
    watchers: Sequence[Callable[[Result], None]] = (),
) -> Doorkeeper:
    """What decides on the frames of a source and drives the locks; the rest as for `make_line`."""
    closed = [Closed(part.days, part.begin, part.end) for part in door.policy.closed]
    hours = Hours(closed, datetime.now)
    kept = source.live or door.policy.closed_for == "all"
    return Doorkeeper(
        detector=detector,
        zones=make_zones(door),
        judge=Alone(make_rule(door, detector)) if each else make_policy(door, detector),
        locks=locks,
        orders=[*orders, hours.order] if kept else orders,
        watchers=[*(lock.watch for lock in locks), *watchers],
        live=source.live,
        grace_seconds=door.policy.grace_seconds,
        max_age_seconds=door.policy.max_age_seconds,
        door_name=door.name,
    )


def make_zones(door: DoorSection) -> Zones:
    """The zones in which faces count: those of the configuration and those of the zones file."""
    drawn_zones = read_zones(Path(door.zones_file)) if door.zones_file else ZonesSection()
    return Zones(
        watch=(*door.zones.watch, *drawn_zones.watch),
        ignore=(*door.zones.ignore, *drawn_zones.ignore),
    )


def make_pane(door: DoorSection, line: Line) -> Pane:
    """What the window shows of a door."""

    def keep_zone(polygon: Polygon) -> None:
        # As it was saved: what is read again later must be no change.
        saved = add_ignored(Path(str(door.zones_file)), polygon)
        line.doorkeeper.zones.add_ignored(saved)

    return Pane(
        door.name,
        live=line.capture.source.live,
        zones=lambda: line.doorkeeper.zones,
        keep_zone=keep_zone if door.zones_file else None,
    )


def make_hard_frames(door: DoorSection, detector: Detector, folder: Path) -> HardFrames:
    """What keeps the frames that the door's policy was least sure about."""
    grant, deny = thresholds(door, detector)
    return HardFrames(
        folder,
        allowed=door.policy.allowed,
        grant=grant,
        deny=deny,
        smallest_face_px=door.policy.smallest_face_px,
    )


def frames_of(door: DoorSection, spec: int | str) -> Iterator[Frame]:
    """The frames of a source as the pipeline hands them on; the source is closed at the end."""
    orientation = Orientation(door.rotate_degrees, door.mirror)
    source = make_source(door, spec)
    try:
        for frame in source.frames():
            yield replace(frame, image=orientation.apply(frame.image))
    finally:
        source.close()
