"""`monitor bench`: how fast this machine is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ..bench import Comparison, bench, compare, peak_memory_mb
from ..config import Config
from ..detections import Detections
from ..detector import Detector
from ..errors import SourceError, UsageError
from ..frame import Frame, Image
from ..other_model import OtherModel
from ..parts import drawn, frames_of, make_detector, make_policy, make_zones
from ..policy import Decision
from ..sources import without_secrets

_COMPARED_PICTURES = 16


def measure(
    config: Config,
    *,
    check_interrupt: Callable[[], None],
    source: str | None = None,
    model: Path | None = None,
    frames: int = 200,
    against: Path | None = None,
    json_file: Path | None = None,
) -> None:
    """Print how long each stage of a frame takes on this machine.

    check_interrupt: called between frames; may raise to end it.
    source: whose frames to take in place of the configured source.
    model: what to measure in place of the configured model.
    frames: how many to time.
    against: another ONNX file, timed in turn with the detector on the same frames.
    json_file: gets all of it as plain values.
    """
    door = config.doors[0]
    spec = door.source if source is None else source
    name = without_secrets(str(spec))
    detector = make_detector(config.model, model)
    policy, zones = make_policy(door, detector), make_zones(door)

    def judge(frame: Frame, faces: Detections) -> Decision:
        check_interrupt()
        height_px, width_px = frame.image.shape[:2]
        return policy.update(zones.select(faces, width_px, height_px), frame.time)

    pictures = _COMPARED_PICTURES if against else 1
    found = bench(frames_of(door, spec), detector, judge, partial(drawn, door), frames)
    images = [frame.image for frame in islice(frames_of(door, spec), pictures)]
    if found is None:
        raise SourceError(f"{name}: too few frames found, expected more than those of a warm-up")
    height_px, width_px = images[0].shape[:2]
    _row("model", f"{detector.path.name}, sha256 {detector.sha256[:12]}")
    _row("runs on", f"{detector.provider}, {detector.threads} threads")
    _row("frames", f"{found.frames} of {name}, {width_px} x {height_px} px")
    print(found)
    compared = _compared(images, detector, against, frames) if against else None
    memory_mb = peak_memory_mb()
    print(f"{memory_mb:.0f} MB of memory at most")
    if json_file:
        content: dict[str, Any] = {
            "model": {"file": detector.path.name, "sha256": detector.sha256},
            "provider": detector.provider,
            "threads": detector.threads,
            "source": {"name": name, "width_px": width_px, "height_px": height_px},
            **found.to_dict(),
            "memory_mb": memory_mb,
            "against": {"file": against.name, **compared.to_dict()}
            if against and compared
            else None,
        }
        try:
            json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{json_file}: {error.strerror}; expected a file to write") from None


def _compared(images: Sequence[Image], detector: Detector, against: Path, pairs: int) -> Comparison:
    other = OtherModel(against, threads=detector.threads)
    compared = compare(images, detector, other, pairs)
    print(f"{'in turn':<14} {'p50 ms':>8} {'p95 ms':>8}")
    print(f"{'this detector':<14} {compared.ours}")
    print(f"{'the other':<14} {compared.other}   {against.name}: its resize and its network alone")
    print(f"ratio {compared.ratio:.2f}: the middle of {pairs} pairs")
    return compared


def _row(name: str, value: str) -> None:
    print(f"{name:<14} {value}")
