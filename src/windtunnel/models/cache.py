"""Replies kept across runs: off unless asked for, and no part of any run's record.

Keyed by the canonical request: everything that reaches the model, which model, and where. Who asked, why, and
under which run do not count. Only whole answers are kept; one that was cut, refused or empty is not.
A cache that cannot be read or written is as good as none: it never stops a call.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock

import apsw
import msgspec

from windtunnel.models.settings import Deployment
from windtunnel.models.talk import Ask, Reply, Task

FILE = "replies.sqlite"
MARK = "from the cache"
_BUSY_MILLISECONDS = 2_000
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Reply).decode


def canonical(ask: Ask, deployment: Deployment) -> str:
    """The request's name: the same for two requests that a model could not tell apart."""
    seen = msgspec.structs.replace(ask, model=deployment.full_name, task=Task())
    return sha256(_encode((deployment.url, deployment.manners.output, seen))).hexdigest()


def canonical_bytes(ask: Ask) -> bytes:
    return _encode(ask)


class Cache:
    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._db: apsw.Connection | None = None
        with suppress(apsw.Error, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            db = apsw.Connection(str(path))
            db.set_busy_timeout(_BUSY_MILLISECONDS)
            db.execute("pragma journal_mode=wal; pragma synchronous=normal")
            db.execute("create table if not exists reply (request text primary key, body blob) without rowid")
            self._db = db

    def find(self, request: str) -> Reply | None:
        """What was answered; it costs nothing now."""
        with self._lock, suppress(apsw.Error, msgspec.MsgspecError):
            if self._db is not None:
                row = self._db.execute("select body from reply where request = ?", (request,)).fetchone()
                if row is not None:
                    found = _decode(row[0])
                    return msgspec.structs.replace(found, cost=0, marks=(*found.marks, MARK))
        return None

    def keep(self, request: str, reply: Reply) -> None:
        with self._lock, suppress(apsw.Error):
            if self._db is not None and reply.label == "ok":
                body = msgspec.json.encode(msgspec.structs.replace(reply, marks=()))
                self._db.execute("insert or replace into reply values (?, ?)", (request, body))

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
