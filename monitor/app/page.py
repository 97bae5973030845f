"""The live page beside the commands that watch doors, where it is wanted and can be had."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MaskgateError, UsageError
from ..override import Override
from ..web.earlier import earlier_changes
from ..web.section import WebSection

if TYPE_CHECKING:
    from ..web.live_page import LivePage

_EXPECTED = "expected pip install '.[web]' in the source folder"


def open_page(
    stack: ExitStack,
    web: WebSection,
    *,
    overrides: Mapping[str, Override] | None = None,
    record: Path | None = None,
    snapshots: bool = False,
) -> LivePage | None:
    """The live page, served until the stack is left; None where there is none.

    overrides: see `LivePage`.
    record: the audit's file, for what happened earlier; None where there is none.
    snapshots: whether the audit's pictures of it are shown.

    Says its address, or why there is none, on stderr. Raises UsageError where it must be served and
    is not installed, and MaskgateError where the address cannot be had.
    """
    if web.serve == "never":
        return None
    try:
        page = stack.enter_context(_page(web, overrides, record, snapshots))
    except MaskgateError as error:
        if web.serve == "always":
            raise
        print(f"monitor: no live page: {error}", file=sys.stderr)
        return None
    print(f"monitor: live page: {page.address}", file=sys.stderr)
    return page


def _page(
    web: WebSection,
    overrides: Mapping[str, Override] | None,
    record: Path | None,
    snapshots: bool,
) -> LivePage:
    try:
        # Its libraries are an extra: without them doors are watched all the same.
        from ..web.live_page import LivePage
    except ImportError as error:
        # A version that is too old has the module and lacks a name in it.
        raise UsageError(f"web: not installed as needed ({error}); {_EXPECTED}") from None
    token = web.token.get_secret_value() if web.token else None
    return LivePage(
        host=web.host,
        port=web.port,
        token=token,
        overrides=overrides,
        earlier=earlier_changes(record, snapshots=snapshots) if record else (),
    )
