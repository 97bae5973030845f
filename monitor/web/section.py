"""Section of the configuration for the live page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from ..fields import Text
from ..schema import Section
from ..secret import EnvSecret, FileSecret, unless
from .loopback import is_loopback

SHORTEST_TOKEN = 16


class WebSection(Section):
    """Who may see the doors in a browser, and where; see `monitor.web`.

    serve: auto where the extra `web` is installed and the address free, always or never.
    host: the address to be bound.
    port: 0 for any that is free.
    token_env, token_file: what a viewer has to show; required with any host but this machine's own.
    """

    serve: Literal["auto", "always", "never"] = "auto"
    host: Text = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    token_env: EnvSecret | None = None
    token_file: Annotated[FileSecret | None, unless("token_env")] = None

    @property
    def token(self) -> SecretStr | None:
        """What a viewer has to show; None where everyone at this machine may look."""
        return self.token_env or self.token_file

    @model_validator(mode="after")
    def _not_open_to_all(self) -> WebSection:
        if self.token is None and not is_loopback(self.host):
            raise ValueError(f"token_env or token_file with the host {self.host}")
        if self.token is not None and len(self.token.get_secret_value()) < SHORTEST_TOKEN:
            raise ValueError(f"a token of at least {SHORTEST_TOKEN} characters")
        return self
