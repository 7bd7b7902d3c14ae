"""Runs of a world that lives in a process of its own: the command line plays them, this talks to it.

The child answers as it answers any script: one object of JSON, errors as JSON on stderr. Ctrl-C and `pause`
reach it as the signal it knows; it ends at the end of its turn.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

import msgspec

from windtunnel import errors
from windtunnel.api.playing import Playing
from windtunnel.config import HOME, Workspace
from windtunnel.errors import RunError, UsageError, WindtunnelError

PAUSED_BY_HAND = 130
WAITING = 4


async def ask(workspace: Workspace, words: list[str], playing: Playing | None = None) -> dict[str, Any]:
    """What the command answers; its error, raised here, if it has one."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "windtunnel", "--json", *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, HOME: str(workspace.root)}, start_new_session=True,
    )  # fmt: skip

    def stop(_: str) -> None:  # the child tells pause from cancel by how often it is asked
        if child.returncode is None:
            child.send_signal(signal.SIGINT)

    if playing is not None:
        playing.stops_by(stop)
    try:
        out, said = await child.communicate()
    finally:
        if child.returncode is None:  # whoever waited for it was stopped for good
            child.kill()
    answer = _object(out)
    if child.returncode in (0, WAITING, PAUSED_BY_HAND) and answer:
        return answer
    if child.returncode == 1 and answer:  # the thing checked does not hold: the answer says so
        return answer
    raise _error(_object(said), said, child.returncode, answer)


def _object(raw: bytes) -> dict[str, Any]:
    """The last line that is an object."""
    for line in reversed([raw, *raw.splitlines()]):
        try:
            found = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(found, dict):
            return found
    return {}


def _error(told: dict[str, Any], raw: bytes, code: int | None, answer: dict[str, Any]) -> WindtunnelError:
    about = told.get("error")
    if not isinstance(about, dict):
        last = raw.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return RunError(f"the process that played the world ended with {code}: {last[0]}")
    kind = _kinds().get(about.get("code", ""), RunError if code == RunError.exit_code else UsageError)
    error = kind(about.get("message", ""), where=about.get("where"), remedy=about.get("remedy"))
    if run_id := answer.get("run_id"):
        error.data["run_id"] = run_id
        error.add_note(f"the run is kept: wt.open({run_id!r})")
    return error


def _kinds() -> dict[str, type[WindtunnelError]]:
    found = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    return {kind.code: kind for kind in found if issubclass(kind, WindtunnelError)}
