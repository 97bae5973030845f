"""What a run leaves behind: the audit's trail, and pictures around each event."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..audit import Trail
from ..audit.pictures import Pictures
from ..config import Config
from ..detector import Detector
from ..door_section import DoorSection


def make_trail(config: Config, detector: Detector) -> Trail | None:
    """What records every change of state; None when the configuration names no folder for it."""
    audit = config.audit
    if audit.folder is None:
        return None
    return Trail(
        Path(audit.folder),
        keep_days=audit.keep_days,
        keep_mb=audit.keep_mb,
        model_sha256=detector.sha256,
        config_sha256=config_sha256(config),
    )


def config_sha256(config: Config) -> str:
    """What tells one configuration from another: the SHA-256 of its values, defaults included."""
    return hashlib.sha256(config.model_dump_json().encode()).hexdigest()


def make_pictures(
    config: Config, door: DoorSection, trail: Trail, *, overwrite: bool
) -> Pictures | None:
    """What keeps a door's pictures around each event; None when the configuration wants none.

    overwrite: as for `make_line`.
    """
    audit = config.audit
    if audit.folder is None or not (audit.snapshots or audit.clip_seconds):
        return None
    return Pictures(
        Path(audit.folder),
        door=door.name,
        snapshots=audit.snapshots,
        clip_seconds=audit.clip_seconds,
        veil=audit.veil,
        overwrite=overwrite,
        written=trail.prune_pictures,
    )
