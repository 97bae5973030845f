"""TLS: by which certificates a server is judged."""

from __future__ import annotations

import ssl

from .errors import ConfigError


def trusting(ca_file: str | None, where: str) -> ssl.SSLContext:
    """What a client connects with; a server that proves nothing is refused.

    ca_file: certificates, as PEM, that the server's must be signed by; None for the system's.
    where: what wants it, for messages.

    Raises ConfigError when the file holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # also what is no certificate
        raise ConfigError(
            f"{where}: ca_file: {ca_file}: {error.strerror or error}, expected certificates as PEM"
        ) from None
