"""`monitor bench`: how fast this machine is, for a frame stage by stage or for several doors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..bench.doors import Looped, bench_doors
from ..bench.other_model import OtherModel, open_other
from ..bench.stages import Comparison, bench, compare, peak_memory_mb
from ..capture import Capture
from ..config import Config
from ..decision import Decision
from ..detections import Detections
from ..detector import Detector
from ..door_section import DoorSection
from ..frame import Frame, Image
from ..line import Line
from ..parts import make_detector, make_doorkeeper, make_policy, make_zones
from ..provider import Device
from ..sources import FPS_OF_LAST_RESORT
from ..view.annotate import annotated
from .bench_report import BenchReport, print_row
from .bench_source import PICTURES, BenchSource


def measure(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    source: str | None = None,
    model: Path | None = None,
    device: Device | None = None,
    frames: int = 200,
    against: Path | None = None,
    json_file: Path | None = None,
    baseline: Path | None = None,
) -> None:
    """Print how long each stage of a frame takes on this machine.

    check_interrupt: called between frames; may raise to end it.
    source: whose frames to take in place of the configured source.
    model: what to measure in place of the configured model.
    device: where, in place of the configured device.
    frames: how many to time.
    against: another ONNX file, timed in turn with the detector on the same frames; see
        `open_other`.
    json_file: gets all of it as plain values.
    baseline: what `json_file` got earlier, to print the ratios to it.
    """
    looked_at = BenchSource.of(config, source)
    report = BenchReport(json_file, baseline, [looked_at.spec, model, against])
    detector = make_detector(config.model, model, device)
    policy, zones = make_policy(looked_at.door, detector), make_zones(looked_at.door)
    images = looked_at.pictures(PICTURES if against else 1)
    other = open_other(against, detector) if against else None
    if other:
        # one that fails on every picture is told before anything takes its time
        other(images[0])

    def judge(frame: Frame, faces: Detections) -> Decision:
        check_interrupt()
        height_px, width_px = frame.image.shape[:2]
        return policy.update(zones.select(faces, width_px, height_px), frame.time)

    found = bench(looked_at.frames(), detector, judge, annotated, frames)
    if found is None:
        raise looked_at.too_short()
    report.begin(detector, looked_at.name, images[0])
    print_row("frames", str(found.frames))
    print(found)
    compared = _compared(images, detector, other, frames) if other else None
    memory_mb = peak_memory_mb()
    print(f"{memory_mb:.0f} MB of memory at most")
    report.add({**found.to_dict(), "memory_mb": memory_mb})
    if other and compared:
        report.add({"against": {"file": other.path.name, **compared.to_dict()}})
    report.conclude()


def measure_doors(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    count: int,
    seconds: float,
    source: str | None = None,
    model: Path | None = None,
    device: Device | None = None,
    json_file: Path | None = None,
    baseline: Path | None = None,
) -> None:
    """Print what one door gets alone, and what each gets of several that are watched at once.

    count: doors, which all show the first pictures of the source, in a circle, as live cameras.
    seconds: how long to watch one door, and then all.

    The other arguments are as for `measure`. No actuator is told of anything.
    """
    looked_at = BenchSource.of(config, source)
    report = BenchReport(json_file, baseline, [looked_at.spec, model])
    detector = make_detector(config.model, model, device)
    images = looked_at.pictures()
    fps = looked_at.opened().fps or FPS_OF_LAST_RESORT
    report.begin(detector, looked_at.name, images[0])
    print(f"{'door':<14} {'frames/s':>8} {'p50 ms':>8} {'p99 ms':>8}   from capture to decision")
    measured = {}
    for which, names in {
        "alone": ["alone"],
        "together": [f"door {number}" for number in range(1, count + 1)],
    }.items():
        lines = [_bench_line(looked_at.door, each, images, fps, detector) for each in names]
        measured[which] = bench_doors(lines, seconds, check_interrupt=check_interrupt)
        print(measured[which])
    report.add({which: found.to_dict() for which, found in measured.items()})
    report.add({"fps": fps, "seconds": seconds})
    report.conclude()


def _bench_line(
    door: DoorSection, name: str, images: Sequence[Image], fps: float, detector: Detector
) -> Line:
    source = Looped(name, images, fps)
    keeper = make_doorkeeper(door, source, detector, locks=())
    return Line(name, Capture(source), keeper, overwrite=True)


def _compared(
    images: Sequence[Image], detector: Detector, other: Detector | OtherModel, pairs: int
) -> Comparison:
    whole = isinstance(other, Detector)
    timed = "its whole call" if whole else "its resize and its network alone"
    compared = compare(images, detector, other, pairs)
    print(f"{'in turn':<14} {'p50 ms':>8} {'p95 ms':>8}")
    print(f"{'this detector':<14} {compared.ours}")
    print(f"{'the other':<14} {compared.other}   {other.path.name}: {timed}")
    print(f"ratio {compared.ratio:.2f}: the middle of {pairs} pairs")
    return compared
