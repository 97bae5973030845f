"""A process of its own that carries out a plan of faults, until it is killed.

python fault_process.py SEED FOLDER prints a line of JSON for whatever its lock is told, and for
every number of entries that its record has come to hold.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from fault_plan import Plan
from fault_run import Run

from monitor.actuators.lease import Lease
from monitor.audit.trail import Trail
from monitor.interrupt import Interrupt, Interrupted

REPEATS = 200


def say(**content: object) -> None:
    # one write a line: two threads say something
    os.write(sys.stdout.fileno(), (json.dumps(content) + "\n").encode())


def main(seed: int, folder: Path) -> int:
    plan = Plan.of(seed)
    # longer than any test waits, and without the fault that ends a run by itself
    shots = tuple(replace(shot, detector=None) for shot in plan.doors[0] * REPEATS)
    plan = replace(plan, doors=(shots,), full_disk=(0, 0), stops_early=False)
    recorded = 0

    def told(lease: Lease | None) -> None:
        say(unlock=lease is not None, expires_at=lease.expires_at if lease else None)

    try:
        with Interrupt() as interrupt:

            def tick(trail: Trail) -> None:
                nonlocal recorded
                interrupt.check()
                if trail.recorded > recorded:
                    recorded = trail.recorded
                    say(recorded=recorded)

            Run(plan, folder, tick=tick, told=told)
    except Interrupted as stopped:
        return stopped.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
