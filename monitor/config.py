"""The configuration: every key with its type, bounds and default, read from one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from .schema import Listed, Section, filled, read
from .strict_yaml import read_yaml

DEFAULT_PATH = Path("config.yaml")


def _source(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError("a camera index of 0 or more, a device path, URL, file or folder, or demo")


def _printable(text: str) -> str:
    if not (text and text.isprintable()):
        raise ValueError("printable text")
    return text


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("text without a NUL character")
    return text


def _enclosing(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if len(set(polygon)) < 3:
        raise ValueError("at least 3 different points")
    return polygon


Text = Annotated[str, AfterValidator(_printable)]
Argument = Annotated[str, AfterValidator(_argument)]
Arguments = Annotated[Listed[Argument], AfterValidator(filled)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(gt=0, le=1)]
Point = Annotated[tuple[Fraction, Fraction], Field(strict=False)]
Polygon = Annotated[Listed[Point], AfterValidator(_enclosing)]


class ModelSection(Section):
    """Which model, and where it runs.

    path: an ONNX file; None for the shipped model.
    sha256: the file's SHA-256 in hexadecimal; any other file is refused. None takes every file.
    device: cpu, cuda, or auto for cuda where it works.
    threads: CPU threads of the detector; 0 for one a core.
    """

    path: Text | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(default=0, ge=0, le=256)


class ZonesSection(Section):
    """Polygons of (x, y) points as fractions of the frame, see `monitor.zones`."""

    watch: Listed[Polygon] = ()
    ignore: Listed[Polygon] = ()


class PolicySection(Section):
    """When the door opens, see `monitor.policy`.

    grant, deny: scores; None for the model's own.
    max_age_seconds: a live picture older than this is no evidence.
    """

    allowed: Annotated[Listed[Text], AfterValidator(filled)] = ("mask",)
    grant: Score | None = None
    deny: Score | None = None
    min_faces: int = Field(default=1, ge=1, le=100)
    smallest_face_px: float = Field(default=20.0, ge=0, le=10_000)
    hold_seconds: float = Field(default=1.0, ge=0, le=60)
    grace_seconds: float = Field(default=0.5, ge=0.05, le=10)
    max_age_seconds: float = Field(default=1.0, ge=0.1, le=60)

    @field_validator("deny")
    @classmethod
    def _at_most_grant(cls, deny: float | None, info: ValidationInfo) -> float | None:
        grant = info.data.get("grant")
        if deny is not None and grant is not None and deny > grant:
            raise ValueError(f"at most grant, {grant:g}")
        return deny


class LogSection(Section):
    """An actuator that writes a line to the log for every change."""

    kind: Literal["log"] = "log"
    name: Text = "log"


class CommandSection(Section):
    """An actuator that runs a command, see `monitor.actuators.command`."""

    kind: Literal["command"]
    name: Text
    lock: Arguments
    unlock: Arguments
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)


ActuatorSection = Annotated[LogSection | CommandSection, Field(discriminator="kind")]


class DoorSection(Section):
    """One door: its camera, its zones, its policy and what moves its lock.

    rotate_degrees: clockwise, before mirroring; both before the detector.
    """

    name: Text
    source: Annotated[int | str, PlainValidator(_source)] = "demo"
    rotate_degrees: Literal[0, 90, 180, 270] = 0
    mirror: bool = False
    zones: ZonesSection = ZonesSection()
    policy: PolicySection = PolicySection()
    actuators: Annotated[Listed[ActuatorSection], AfterValidator(filled)] = (LogSection(),)


class Config(Section):
    """Everything that can be set.

    window: auto shows a window where there is a display; never does not.
    """

    model: ModelSection = ModelSection()
    window: Literal["auto", "never"] = "auto"
    doors: Annotated[Listed[DoorSection], AfterValidator(filled)] = (DoorSection(name="door"),)

    @field_validator("doors", mode="wrap")
    @classmethod
    def _one_door(
        cls, doors: object, validate: ValidatorFunctionWrapHandler
    ) -> tuple[DoorSection, ...]:
        wrong: list[InitErrorDetails] = []
        checked: tuple[DoorSection, ...] = ()
        if isinstance(doors, list) and len(doors) > 1:
            problem = PydanticCustomError("several_doors", "1: run a monitor for each door")
            wrong.append(InitErrorDetails(type=problem, input=doors))
        try:
            checked = validate(doors)
        except ValidationError as error:
            wrong += [cast(InitErrorDetails, details) for details in error.errors()]
        if wrong:
            # Both kinds of mistake at once: the doors' own values, and that there are several.
            raise ValidationError.from_exception_data("doors", wrong)
        return checked


def load(path: Path | None) -> Config:
    """Read the configuration.

    path: a YAML file; None for ./config.yaml where there is one, else the built-in defaults.

    Raises ConfigError, listing everything that is wrong in the file.
    """
    if path is None:
        if not DEFAULT_PATH.exists():
            return Config()
        path = DEFAULT_PATH
    return read(Config, read_yaml(path), str(path))
