"""Whether the process that holds a lease still lives.

On the same machine that is a question to the system: the process id together with the moment it
started (a reused id does not pass), within the same boot. No clock is asked, so a clock that jumps
changes nothing. A holder on another machine is believed to live; taking its lease needs `force`,
and the fencing number stops whatever it still tries to write.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

from windtunnel.journal.store import Owner


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process started, in ticks since boot; empty where the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


@cache
def this_process() -> Owner:
    pid = os.getpid()
    return Owner(platform.node(), _boot(), pid, _started(pid))


os.register_at_fork(after_in_child=this_process.cache_clear)  # which is another one


def here(owner: Owner) -> bool:
    """Whether the holder is a process of this machine, so that the system knows of it."""
    return owner.host == platform.node()


def lives(owner: Owner) -> bool:
    if not here(owner):
        return True
    if owner.boot != _boot():
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not owner.started or _started(owner.pid) == owner.started
