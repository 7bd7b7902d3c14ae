"""A guest in a process of its own: opens the store, sees what waits for it, answers by mail, and leaves."""

from __future__ import annotations

import sys
import time

from windtunnel.codec import decode_body, encode_body
from windtunnel.journal import SqliteStore
from windtunnel.journal.texts import whole


def main(path: str, name: str, answers: int) -> None:
    store = SqliteStore(path)
    given: set[str] = set()
    limit = time.monotonic() + 20
    while len(given) < answers and time.monotonic() < limit:
        for effect in store.waiting("run"):
            if effect.actor == name and effect.name not in given:
                seen = decode_body(whole(store, effect).request)["observation"]
                body = {"effect": effect.name, "result": {"type": "Say", "text": f"Not {seen['hint']}!"}}
                store.post("run", "answer", encode_body(body), name, time.time())
                given.add(effect.name)
        time.sleep(0.01)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
