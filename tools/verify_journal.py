"""Verify a Windtunnel store with the standard library alone: `python3 tools/verify_journal.py STORE [RUN]`

From what docs/journal.md says: both hash chains of each run, its row, the head kept beside the store; and its
texts. Exit 0: all hold; 1: something does not; 2: this is no store. (`windtunnel verify` proves more.)
"""

import hashlib
import pathlib
import sqlite3
import sys
from collections.abc import Iterable
from typing import Any

Rows = Iterable[tuple[Any, ...]]
Head = tuple[int, bytes, int, bytes]
ZERO, NO_LIMIT = bytes(32), 1 << 62
ENTRIES = """SELECT seq, turn, phase, kind, actor, CAST(body AS BLOB), prev, hash FROM entry
             WHERE run_id = ?1 AND seq <= ?2"""
BUNDLED = f""" UNION ALL SELECT key, {"json_extract(value, '$[%d]'), " * 4 % (0, 1, 2, 3)}
    CAST(json_extract(value, '$[4]') AS BLOB), CASE key WHEN 0 THEN zeroblob(32)
    ELSE substr(hashes, key * 32 - 31, 32) END, substr(hashes, key * 32 + 1, 32)
    FROM bundle, json_each(lines) WHERE run_id = ?1 AND key <= ?2"""
OPERATIONS = "SELECT seq, at, kind, CAST(body AS BLOB), prev, hash FROM operation WHERE run_id=? ORDER BY seq"
PARENT = "SELECT parent, parent_seq FROM run WHERE run_id = ? AND parent IS NOT NULL"
HAS = "SELECT 1 FROM sqlite_master WHERE name = ?"  # an older store has not every table
ROW = "SELECT head_seq, head_hash, op_seq, op_hash, pruned FROM run WHERE run_id = ?"


def history(db: sqlite3.Connection, run: str, limit: int = NO_LIMIT) -> Rows:
    """The entries of a run, those of the past it shares with its parents first."""
    for parent, last in db.execute(PARENT, [run]).fetchall():
        yield from history(db, parent.decode(), min(last, limit))
    bundled = BUNDLED if db.execute(HAS, ["bundle"]).fetchone() else ""
    yield from db.execute(f"{ENTRIES}{bundled} ORDER BY 1", [run, limit])


def chain(rows: Rows, what: str, wanted: int) -> tuple[tuple[int, bytes], bytes]:
    """Check one chain; return its last number and hash, and the hash at the wanted number."""
    last, previous, there = -1, ZERO, ZERO
    for seq, *columns, body, prev, digest in rows:
        words = [word if isinstance(word, bytes) else repr(word).encode() for word in (seq, *columns)]
        if seq != last + 1:
            raise ValueError(f"{what} {last + 1} is missing")
        if prev != previous:
            raise ValueError(f"{what} {seq} does not follow the one before it")
        if hashlib.sha256(prev + b" ".join(words) + b"\n" + body).digest() != digest:
            raise ValueError(f"{what} {seq} was changed: its hash does not match its content")
        if b"\n" in body or any(b" " in word for word in words[:-1]):
            raise ValueError(f"{what} {seq} does not have the form that the rule asks for")
        last, previous, there = seq, digest, digest if seq == wanted else there
    return (last, previous), there


def verify(db: sqlite3.Connection, heads: dict[str, Head], run: str) -> str:
    row = db.execute(ROW, [run]).fetchone() or [-2, b"", -2, b"", None]
    kept = heads.get(run, (-1, ZERO, -1, ZERO))
    said = (row[0], row[1] or ZERO, row[2], row[3] or ZERO)
    if row[4] is not None:
        return "pruned" if said[0] >= kept[0] else "its tombstone is behind the head kept outside"
    entries, entry_there = chain(history(db, run), "entry", kept[0])
    operations, operation_there = chain(db.execute(OPERATIONS, [run]), "operation", kept[2])
    if said != entries + operations:
        return f"its row does not name its ends, entry {entries[0]} and operation {operations[0]}"
    if (entry_there, operation_there) != (kept[1], kept[3]):
        return f"the head outside (entry {kept[0]}, operation {kept[2]}) is not in it: cut, or written anew"
    return "intact and complete" if run in heads else "intact; no head is kept outside"


def read_heads(path: pathlib.Path) -> dict[str, Head]:
    heads: dict[str, Head] = {}
    text = path.read_text(errors="replace") if path.exists() else ""
    for parts in (line.split(" ") for line in text.split("\n")):
        if len(parts) in (5, 6) and len(parts[2]) == len(parts[4]) == 64:
            head = (int(parts[1]), bytes.fromhex(parts[2]), int(parts[3]), bytes.fromhex(parts[4]))
            heads[parts[0]] = max(heads.get(parts[0], head), head, key=lambda head: (head[0], head[2]))
    return heads


def main(store: str, *runs: str) -> int:
    db = sqlite3.connect(pathlib.Path(store).absolute().as_uri() + "?mode=ro", uri=True)
    db.text_factory = bytes  # as it is stored, whatever it is
    heads, sound = read_heads(pathlib.Path(store).with_suffix(".heads")), True
    for run in runs or [row[0].decode() for row in db.execute("SELECT run_id FROM run ORDER BY run_id")]:
        try:
            verdict = verify(db, heads, run)
        except (ValueError, TypeError) as problem:
            verdict = str(problem)
        sound = sound and verdict.startswith(("intact", "pruned"))
        print(f"{run}: {verdict}")
    texts = "SELECT hash, CAST(body AS BLOB) FROM text"
    for digest, body in db.execute(texts) if db.execute(HAS, ["text"]).fetchone() else ():
        if hashlib.sha256(body).digest() != digest:
            print(f"text {digest.hex()}: was changed: its hash does not match its body")
            sound = False
    return 0 if sound else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:3]))
    except (sqlite3.Error, TypeError) as problem:
        print(f"this is no store: {problem}", file=sys.stderr)
        sys.exit(2)
