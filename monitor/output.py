"""The end of a command's output, also where the system has refused something."""

from __future__ import annotations

import os
import sys


def end_output() -> None:
    """Write what is left of the output; what cannot be written is given up, also at the exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Python tries again at the exit, and has an exit code of its own for that.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def end_refused(error: OSError, prog: str) -> int:
    """Write what is left of the output, and say in a line what was refused; returns exit code 1.

    error: of a pipe whose reader has gone it says nothing: whoever read it has enough.
    prog: what the command is called in messages.
    """
    end_output()
    if not isinstance(error, BrokenPipeError):
        print(f"{prog}: error: {error}", file=sys.stderr)
    return 1
