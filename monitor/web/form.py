"""The fields of a form that a browser sends."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

_LONGEST_FORM_BYTES = 4096


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form, the first of each name; too long a form has none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM_BYTES:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}
