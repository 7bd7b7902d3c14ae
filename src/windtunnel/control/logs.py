"""What processes that run a world's code say: files in `.windtunnel/logs/`, bounded in size.

A world may print as it likes. In a worker, what Python code prints becomes lines of JSON that name the run;
what comes from below Python (a crash in C code) goes to a plain file beside them.
"""

from __future__ import annotations

import io
import os
import re
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import msgspec

MOST_BYTES = 1 << 20  # of one file
LINE_BYTES = 4000
KEPT_FILES = 40
RUN: ContextVar[str] = ContextVar("run", default="")  # which run is being played here


def log_file(folder: Path, name: str, suffix: str) -> Path:
    """The place of a process's log; names of worlds are made harmless."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)[:100]}{suffix}"


def open_raw(path: Path) -> int:
    """A file descriptor to append to, for a process's stdout and stderr; whoever owns it keeps it `short`."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def shorten(path: Path, most: int = MOST_BYTES) -> None:
    """Empty a file that grew too large. It is appended to, so that whoever writes goes on at its
    beginning."""
    with suppress(OSError):
        if path.stat().st_size > most:
            os.truncate(path, 0)


def tail(path: Path, lines: int = 8, most: int = 4096) -> list[str]:
    """The last lines of a file, as far as there are any."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            raw = file.read(most)
    except OSError:
        return []
    return [line[:300] for line in raw.decode(errors="replace").splitlines() if line.strip()][-lines:]


def sweep(folder: Path, keep: int = KEPT_FILES) -> None:
    """Let the oldest files go."""
    with suppress(OSError):
        files = [file for file in folder.iterdir() if file.suffix in (".jsonl", ".out")]
        ages = sorted(((file.stat().st_mtime, file) for file in files), reverse=True)
        for _, file in ages[keep:]:
            file.unlink(missing_ok=True)


class Journalist:
    """Writes lines of JSON to one file, from any thread. A full or missing disk silences it and nothing
    else."""

    def __init__(self, path: Path, **always: Any) -> None:
        self._path, self._always = path, always
        self._lock = threading.Lock()
        self._size = 0
        with suppress(OSError):
            self._size = path.stat().st_size

    def say(self, event: str, /, level: str = "info", **about: Any) -> None:
        run = RUN.get()
        line = {"at": round(time.time(), 3), "level": level, **self._always, "event": event}  # ambient: a log
        raw = msgspec.json.encode({**line, **({"run_id": run} if run else {}), **about}, enc_hook=str) + b"\n"
        with self._lock, suppress(OSError):
            if self._size + len(raw) > MOST_BYTES:
                self._path.replace(self._path.with_suffix(".old.jsonl"))
                self._size = 0
            with os.fdopen(open_raw(self._path), "ab") as file:
                file.write(raw)
            self._size += len(raw)


class _Lines(io.RawIOBase):
    """A stream whose lines become lines of the log."""

    def __init__(self, journalist: Journalist, stream: str) -> None:
        super().__init__()
        self._journalist, self._stream = journalist, stream
        self._rest = b""

    def writable(self) -> bool:
        return True

    def write(self, raw: Any) -> int:
        data = bytes(raw)
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > LINE_BYTES:
            lines, rest = [*lines, rest], b""
        self._rest = rest
        for line in lines:
            if text := line[:LINE_BYTES].decode(errors="replace").rstrip():
                self._journalist.say("printed", stream=self._stream, text=text)
        return len(data)


def take_over_prints(journalist: Journalist) -> None:
    """From now on what this process prints goes to the log."""
    for name in ("stdout", "stderr"):
        lines: Any = _Lines(journalist, name)
        text = io.TextIOWrapper(lines, encoding="utf-8", errors="backslashreplace", write_through=True)
        setattr(sys, name, text)
