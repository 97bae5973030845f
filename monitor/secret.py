"""Secrets of the configuration: named there, read from the environment or a file, never shown."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo, WithJsonSchema

from .schema import Unshown

_log = logging.getLogger("monitor.config")

_LONGEST_BYTES = 4096


def _of_variable(name: object) -> object:
    if not isinstance(name, str):
        return name
    # The name is not repeated: someone may have put the secret itself in its place.
    if not name or name not in os.environ:
        raise Unshown("no environment variable of that name found, expected one that is set")
    return _checked(os.environ[name], "in the variable")


def _of_file(path: object) -> object:
    if not isinstance(path, str):
        return path
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LONGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError
        said = error.strerror if isinstance(error, OSError) else error
        raise Unshown(f"{path!r}: {said}; expected a file with the secret") from None
    if len(content) > _LONGEST_BYTES:
        raise Unshown(f"{path!r}: more found, expected at most {_LONGEST_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Unshown(f"{path!r}: other bytes found, expected UTF-8 text") from None
    if mode & stat.S_IROTH:
        _log.warning("%s: every user of this machine may read this secret: chmod o-r", path)
    return _checked(text.removesuffix("\n").removesuffix("\r"), f"in {path!r}")


def _checked(text: str, where: str) -> SecretStr:
    if not text:
        raise Unshown(f"nothing found {where}, expected the secret")
    if not text.isprintable():
        raise Unshown(f"a line break or control character found {where}, expected one line of text")
    return SecretStr(text)


def unless(other: str, *, required: bool = False) -> AfterValidator:
    """A validator that lets a key be given only where another one, above it, is not.

    other: the key that may be given in its place.
    required: whether one of the two must be given; the key's default must then be validated.
    """

    def check(secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # A wrong value of the other key is absent here, and has been complained about.
        if other in info.data:
            if secret and info.data[other]:
                raise Unshown(f"found beside {other}, expected one of the two")
            if required and not secret and not info.data[other]:
                raise Unshown(f"nothing found, expected this or {other}")
        return secret

    return AfterValidator(check)


# The value of each is the secret itself, wrapped so that no message, repr or log line shows it. In
# a section, where `password` is what the secret is called and one of the two may be given:
#
#     password_env: EnvSecret | None = None
#     password_file: Annotated[FileSecret | None, unless("password_env")] = None
_TEXT = WithJsonSchema({"type": "string"})
EnvSecret = Annotated[SecretStr, BeforeValidator(_of_variable), _TEXT]
FileSecret = Annotated[SecretStr, BeforeValidator(_of_file), _TEXT]
