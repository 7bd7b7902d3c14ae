"""How the door speaks: to whom, in what form, and what becomes of errors. The only place that writes.

Standard output carries results and nothing else; standard error carries errors and progress. A reader that
went away (`| head`) is no error, and neither is a terminal that lacks a character.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from windtunnel.errors import WindtunnelError

_RED, _DIM, _PLAIN = "\x1b[31m", "\x1b[2m", "\x1b[0m"


class _Door:
    json = False
    debug = False
    printed = False


door = _Door()


def begin(*, json: bool, debug: bool) -> None:
    door.json, door.debug, door.printed = json, debug, False
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def end() -> OSError | None:
    """Flush here, where a reader that went away can still be borne. Returns why something was not taken."""
    lost: OSError | None = None
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            _mute(stream)
        except OSError as error:  # the disk is full: nothing more goes there, not when Python ends either
            _mute(stream)
            lost = error
    return lost


def _mute(stream: Any) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _write(stream: Any, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        _mute(stream)


# --- results ---


def line(text: str = "") -> None:
    _write(sys.stdout, text + "\n")


def data(value: Mapping[str, Any]) -> None:
    """One JSON object on one line."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=not utf8(), default=plain) + "\n")


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "__struct_fields__"):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    return str(value)


def show(*parts: RenderableType) -> None:
    """Rendered for people, as wide as their terminal (80 columns into a pipe)."""
    console = console_for(sys.stdout)
    with console.capture() as capture:
        for part in parts:  # rich joins the texts it is given, and forgets how they wrap
            no_wrap, overflow = getattr(part, "no_wrap", None), getattr(part, "overflow", None)
            console.print(part, crop=False, no_wrap=no_wrap, overflow=overflow)
    _write(sys.stdout, "".join(f"{row.rstrip(' ')}\n" for row in capture.get().splitlines()))


def console_for(stream: Any) -> Console:
    from rich.console import Console  # noqa: PLC0415 - only what is shown to people needs it

    return Console(file=stream, highlight=False, soft_wrap=False, emoji=False, markup=True)


def utf8() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"


def wide(stream: Any = None) -> bool:
    """Whether progress has somewhere to go: a terminal that can move its cursor."""
    stream = stream or sys.stderr
    return not door.json and stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")


def version() -> None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - slow, and rarely asked

    try:
        number = version("windtunnel")
    except PackageNotFoundError:
        number = "unknown"
    data({"version": number}) if door.json else line(f"windtunnel {number}")


# --- errors ---


def note(text: str) -> None:
    """A word on the side, for people only."""
    if not door.json:
        _write(sys.stderr, text + "\n")


def error(code: str, message: str, where: str | None = None, remedy: str | None = None) -> None:
    if door.json:
        about = {"code": code, "message": message, "where": where, "remedy": remedy}
        _write(sys.stderr, json.dumps({"error": about}) + "\n")
        return
    colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    red, dim, off = (_RED, _DIM, _PLAIN) if colour else ("", "", "")
    lines = [f"{red}error:{off} {message}"]
    lines += [f"{dim}where:{off} {where}"] if where else []
    lines += [f"{dim}next:{off}  {remedy}"] if remedy else []
    _write(sys.stderr, "\n".join(lines) + "\n")


def failure(problem: WindtunnelError) -> int:
    """Show an error of ours; what to type next is part of it."""
    if door.debug:
        _traceback(problem)
    error(problem.code, problem.message, problem.where, problem.remedy)
    return problem.exit_code


def unexpected(problem: BaseException) -> int:
    """Something nobody foresaw: one line, and how to see more."""
    if door.debug:
        _traceback(problem)
    text = " ".join(f"{type(problem).__name__}: {problem}".split())
    remedy = None if door.debug else "the same command with --debug shows where; a bug report is welcome"
    error("bug", f"Windtunnel itself failed: {text[:500]}", None, remedy)
    return 3


def system(problem: OSError) -> int:
    """The system said no: a folder that may not be written, a disk that is full."""
    if door.debug:
        _traceback(problem)
    message = problem.strerror or str(problem)
    where = str(problem.filename) if problem.filename else None
    error("system", message, where, "windtunnel doctor tells what this machine lacks")
    return 3


def _traceback(problem: BaseException) -> None:
    import traceback  # noqa: PLC0415 - for --debug only

    _write(sys.stderr, "".join(traceback.format_exception(problem)))
