"""`resume --force`: a run is taken from a process on a machine that is gone. And who does such a thing."""

from __future__ import annotations

import getpass

from windtunnel.cli import say
from windtunnel.control import Control


def me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "operator"


def taken_over(control: Control, run: str) -> None:
    """Say from whom a run was taken, and what that does not undo."""
    if (holder := control.take_over(run, sender=me())) is None:
        return
    say.note(
        f"taken over from process {holder.pid} on {holder.host}. Should it live, nothing that it writes is\n"
        "accepted any more; but what it asked of the outside and did not record may be asked again."
    )
