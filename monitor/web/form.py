"""The fields of a form that a browser sends."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

BODY_SECONDS = 10.0
_LONGEST_FORM_BYTES = 4096


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name; too long or too slow a form has none."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LONGEST_FORM_BYTES:
                    return {}
    except (TimeoutError, ClientDisconnect):
        return {}
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}
