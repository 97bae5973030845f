"""The end of a command that the system has refused something, and of its output."""

from __future__ import annotations

import os
import sys


def end_refused(error: OSError, prog: str) -> int:
    """Write what is left of the output, and say in a line what was refused; returns exit code 1.

    What cannot be written is given up, also at the exit.

    error: of a pipe whose reader has gone it says nothing: whoever read it has enough.
    prog: what the command is called in messages.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        print(f"{prog}: error: {error}", file=sys.stderr)
    return 1
