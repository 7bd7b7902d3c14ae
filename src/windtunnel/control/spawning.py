"""Processes that outlive who started them: in a session of their own, reaped as long as their parent is
there."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from windtunnel.control.logs import open_raw
from windtunnel.errors import StorageError
from windtunnel.journal import Owner
from windtunnel.journal.lease import lives, this_process


class Child:
    """A worker that this process started. Nothing happens to it when this object goes."""

    def __init__(self, module: str, arguments: Sequence[str], raw: Path, *, world: str, run_id: str) -> None:
        """`raw`: where it writes what it says before it can say it better."""
        self.world, self.run_id, self.raw = world, run_id, raw
        self.since = time.monotonic()
        self.code: int | None = None  # how it ended; negative for a signal
        command = [sys.executable, "-P", "-m", module, *arguments]
        out = open_raw(raw)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out, 1),
            (os.POSIX_SPAWN_DUP2, out, 2),
        ]
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                command,
                os.environ,
                file_actions=actions,
                setsid=True,
                setsigdef=[signal.SIGPIPE],
            )
        except OSError as error:
            raise StorageError(f"no process can be started: {error.strerror}", where=world) from None
        finally:
            os.close(out)

    def poll(self) -> int | None:
        """How it ended, if it did."""
        if self.code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # another part of this process was faster
                self.code = 0
            else:
                self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self, seconds: float) -> int | None:
        end = time.monotonic() + seconds
        while self.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        return self.code


def kill(owner: Owner) -> None:
    """A process of this machine, if it is the one that is meant, with everything it started."""
    if lives(owner):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(owner.pid, signal.SIGKILL)
    elif owner.boot == this_process().boot:
        kill_group(owner.pid)


def kill_group(pid: int) -> None:
    """What a dead process left behind. Its number cannot belong to another while its group lives on; where a
    process has that number again, there is no such group."""
    if not Path(f"/proc/{pid}").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
