"""Bodies that are files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from windtunnel.server.ground import aside


async def stored(chunks: AsyncIterator[bytes], folder: Path) -> Path:
    """What a client sends, as a file; the guard has bounded it."""
    path = folder / "sent.sqlite"
    with path.open("wb") as file:
        async for chunk in chunks:
            await aside(_write, file, chunk)
    return path


def _write(file: BinaryIO, chunk: bytes) -> None:
    file.write(chunk)
