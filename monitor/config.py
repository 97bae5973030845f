"""The configuration: every key with its type, bounds and default, read from one YAML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, ConfigDict, Field

from .actuators.sections import MqttSection
from .door_section import DoorSection
from .fields import Text
from .mqtt.door import DoorTopics
from .schema import Listed, Section, filled, named_apart, read
from .strict_yaml import read_yaml
from .web.section import WebSection

DEFAULT_PATH = Path("config.yaml")

Loaded = TypeVar("Loaded", bound=Section)


def _topics_apart(doors: tuple[DoorSection, ...]) -> tuple[DoorSection, ...]:
    # At one broker, which knows a door by its slug, the second would end the first one's
    # connection, and the first the second's.
    parts = [part for door in doors for part in door.actuators if isinstance(part, MqttSection)]
    places = [(part.host, part.port, DoorTopics(part.topic).slug) for part in parts]
    alike = [
        repr(part.topic)
        for part, place in zip(parts, places, strict=True)
        if places.count(place) > 1
    ]
    if alike:
        told = " and ".join(alike)
        raise ValueError(f"a topic of its own for each, also with _ for /, not {told}")
    return doors


class ModelSection(Section):
    """Which model, and where it runs.

    path: an ONNX file, or edge or full for one of the shipped models; None for edge.
    sha256: the file's SHA-256 in hexadecimal; any other file is refused. None takes every file.
    device: cpu, cuda, tensorrt, or auto for the best of them that works.
    threads: CPU threads of the detector; 0 for one a core but for one.
    """

    path: Text | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    device: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    threads: int = Field(default=0, ge=0, le=256)


class AuditSection(Section):
    """The lasting record of every change of state, see `monitor.audit`.

    folder: where it is kept; None keeps none.
    keep_days, keep_mb: what is older, or the oldest of what is more, is deleted.
    snapshots: whether each event leaves a picture.
    clip_seconds: how long a clip begins before an event and ends after it; 0 for no clips.
    veil: whether faces in them are made unrecognisable.
    """

    folder: Text | None = None
    keep_days: float = Field(default=90.0, ge=1, le=36_500)
    keep_mb: float = Field(default=500.0, ge=1, le=1e7)
    snapshots: bool = False
    clip_seconds: float = Field(default=0.0, ge=0, le=30)
    veil: bool = True


class OverrideSection(Section):
    """Whether somebody may order a door locked or unlocked, see `monitor.override`.

    socket: of the command `monitor override`; None takes none from it.
    page: whether whoever may see the live page may give orders there.
    max_seconds: longest time that may be asked for.
    """

    socket: Text | None = None
    page: bool = False
    max_seconds: float = Field(default=60.0, gt=0, le=3600)

    @property
    def enabled(self) -> bool:
        """Whether there is any way to give an order."""
        return self.page or self.socket is not None


class Config(Section):
    """Everything that can be set.

    window: auto shows a window where there is a display; never does not.
    snapshots: folder for the pictures that are saved from the window.
    """

    model: ModelSection = ModelSection()
    window: Literal["auto", "never"] = "auto"
    snapshots: Text = "snapshots"
    audit: AuditSection = AuditSection()
    web: WebSection = WebSection()
    override: OverrideSection = OverrideSection()
    doors: Annotated[
        Listed[DoorSection],
        AfterValidator(filled),
        AfterValidator(named_apart),
        AfterValidator(_topics_apart),
    ] = (DoorSection(name="door"),)


class Beside(Section):
    """What the commands need that are given beside a running monitor; see `Config`.

    All else in the file is left alone: whoever locks a door from a shell may have no secret of the
    service's.
    """

    model_config = ConfigDict(extra="ignore")

    audit: AuditSection = AuditSection()
    override: OverrideSection = OverrideSection()


def load(path: Path | None) -> Config:
    """Read the configuration.

    path: a YAML file; None for ./config.yaml where there is one, else the built-in defaults.

    Raises ConfigError, listing everything that is wrong in the file.
    """
    return _load(Config, path)


def load_beside(path: Path | None) -> Beside:
    """Read what concerns the commands beside a running monitor; see `load`."""
    return _load(Beside, path)


def _load(kind: type[Loaded], path: Path | None) -> Loaded:
    if path is None:
        if not DEFAULT_PATH.exists():
            return kind()
        path = DEFAULT_PATH
    return read(kind, read_yaml(path), str(path))


def json_schema() -> str:
    """The JSON Schema of the file, with which editors check and complete it."""
    return json.dumps({**Config.model_json_schema(), "title": "maskgate"}, indent=1)
