# ruff: noqa: E501 - a table of edits reads best with one a line
"""Whatever is done to a store with plain sqlite3 is found, and the report says where."""

from __future__ import annotations

import math
import random
import shutil
import sqlite3
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.journal.flights import edit, rows
from tests.sampling import sampled
from windtunnel.journal import GENESIS, SqliteStore, entry_hash, operation_hash
from windtunnel.journal.verify import PLACES, Verified, verify
from windtunnel.run.entries import KINDS


def proved(path: Path, run_id: str = "r1") -> Verified:
    store = SqliteStore(path)
    try:
        return verify(store, run_id)
    finally:
        store.close()


def told(verdict: Verified) -> str:
    return "\n".join(problem["message"] for problem in verdict.problems)


def test_a_sound_run_and_its_fork_are_intact_and_complete(flown):
    for run_id in ("r1", "f1"):
        verdict = proved(flown, run_id)
        assert (verdict.intact, verdict.complete, verdict.problems) == (True, True, [])
    assert proved(flown).entries == rows(flown, "SELECT count(*) FROM entry WHERE run_id='r1'")[0][0]


def test_verify_knows_every_kind_of_entry():
    assert PLACES.keys() == KINDS.keys()


MIDDLE = "run_id='r1' AND seq=20"
EDITS = {
    "entry body": (f"UPDATE entry SET body=body||' ' WHERE {MIDDLE}", "entry 20 (turn 3"),
    "entry body no text": (f"UPDATE entry SET body=CAST(x'ff'||body AS TEXT) WHERE {MIDDLE}", "entry 20 (turn 3"),
    "entry hash": (f"UPDATE entry SET hash=zeroblob(32) WHERE {MIDDLE}", "entry 20 (turn 3"),
    "entry prev": (f"UPDATE entry SET prev=zeroblob(32) WHERE {MIDDLE}", "entry 20 (turn 3"),
    "entry turn": (f"UPDATE entry SET turn=turn+1 WHERE {MIDDLE}", "entry 20 (turn 4"),
    "entry turn in halves": (f"UPDATE entry SET turn=turn+0.5 WHERE {MIDDLE}", "no number"),
    "entry phase": (f"UPDATE entry SET phase='execute' WHERE {MIDDLE}", "entry 20 (turn 3, execute"),
    "entry phase no text": (f"UPDATE entry SET phase=CAST(x'ff' AS TEXT) WHERE {MIDDLE}", "entry 19"),
    "entry kind": (f"UPDATE entry SET kind='scored' WHERE {MIDDLE}", "entry 20 (turn 3"),
    "entry actor": (f"UPDATE entry SET actor='zoe' WHERE {MIDDLE}", "entry 20 (turn 3"),
    "entry seq": (f"UPDATE entry SET seq=2000 WHERE {MIDDLE}", "entry 20 is missing"),
    "first entry gone": ("DELETE FROM entry WHERE run_id='r1' AND seq=0", "entry 0 is missing"),
    "middle entry gone": (f"DELETE FROM entry WHERE {MIDDLE}", "entry 20 is missing"),
    "last entry gone": ("DELETE FROM entry WHERE run_id='r1' AND kind='ended'", "history says 59"),
    "all entries gone": ("DELETE FROM entry WHERE run_id='r1'", "there are no entries"),
    "an entry before the first": ("UPDATE entry SET seq=-7 WHERE run_id='r1' AND seq=0", "entry -7"),
    "operation body": ("UPDATE operation SET body='{}' WHERE run_id='r1' AND seq=1", "operation 1"),
    "operation kind": ("UPDATE operation SET kind='paused!' WHERE run_id='r1' AND seq=1", "operation 1"),
    "operation time": ("UPDATE operation SET at=at+1 WHERE run_id='r1' AND seq=1", "operation 1"),
    "operation prev": ("UPDATE operation SET prev=zeroblob(32) WHERE run_id='r1' AND seq=1", "operation 1"),
    "operation hash": ("UPDATE operation SET hash=zeroblob(32) WHERE run_id='r1' AND seq=1", "operation 1"),
    "operation gone": ("DELETE FROM operation WHERE run_id='r1' AND seq=1", "operation 1 is missing"),
    "last operation gone": ("DELETE FROM operation WHERE run_id='r1' AND kind='completed'", "operations end at"),
    "effect request": ("UPDATE effect SET request='{}' WHERE run_id='r1' AND turn=2", "effect 2.plan.a.0 has another request"),
    "effect result": ("UPDATE effect SET result='{\"ok\":1}' WHERE run_id='r1' AND turn=2", "effect 2.plan.a.0 has another result"),
    "effect result gone": ("UPDATE effect SET result=NULL WHERE run_id='r1' AND turn=2", "effect 2.plan.a.0 has another result"),
    "effect kind": ("UPDATE effect SET kind='fill' WHERE run_id='r1' AND turn=2", "is of kind 'fill'"),
    "effect moved": ("UPDATE effect SET idx=5 WHERE run_id='r1' AND turn=2", "2.plan.a.5 stands in a sealed turn"),
    "effect gone": ("DELETE FROM effect WHERE run_id='r1' AND turn=2", "effect 2.plan.a.0 (quote) is missing"),
    "effect added": (
        "INSERT INTO effect SELECT run_id,turn,phase,actor,9,kind,key,request,result,asked,answered,attempts FROM effect WHERE run_id='r1' AND turn=2",
        "effect 2.plan.a.9 stands in a sealed turn, and no entry names it",
    ),
    "effect of the future": ("UPDATE effect SET turn=99 WHERE run_id='r1' AND turn=8", "never played"),
    "text body": ("UPDATE text SET body=body||' ' WHERE body LIKE 'Say what%'", "effect 2.plan.a.0 cannot be read whole: in its request, text"),
    "text of a result": ("UPDATE text SET body=replace(body,'28','29') WHERE body LIKE '28. %'", "effect 4.plan.a.0 cannot be read whole: in its result, text"),
    "text gone": ("DELETE FROM text WHERE body LIKE '28. %'", "is missing from the store"),
    "text hash": ("UPDATE text SET hash=zeroblob(32) WHERE body LIKE '28. %'", "is missing from the store"),
    "text of another": ("UPDATE text SET body=(SELECT body FROM text WHERE body LIKE '42. %') WHERE body LIKE '28. %'", "was changed: its hash does not match its body"),
    "table of texts gone": ("DROP TABLE text", "table text of this store is not"),
    "effect no longer folded": ("UPDATE effect SET request=ltrim(request) WHERE run_id='r1' AND turn=2", "effect 2.plan.a.0 has another request"),
    "checkpoint state": ("UPDATE checkpoint SET state=CAST(state||'x' AS BLOB) WHERE run_id='r1' AND turn=5", "checkpoint of turn 5 is not"),
    "checkpoint memory": ("UPDATE checkpoint SET memory='{}' WHERE run_id='r1' AND turn=5", "checkpoint of turn 5 has another memory"),
    "checkpoint deferred": ("UPDATE checkpoint SET deferred='[]' WHERE run_id='r1' AND turn=5", "turn 5 has another deferred"),
    "checkpoint turn": ("UPDATE checkpoint SET turn=4 WHERE run_id='r1' AND turn=5", "checkpoint of turn 4"),
    "checkpoint seq": ("UPDATE checkpoint SET seq=seq-1 WHERE run_id='r1' AND turn=5", "at which no turn ends"),
    "checkpoint beyond": ("UPDATE checkpoint SET seq=999 WHERE run_id='r1' AND turn=8", "which is not there"),
    "a part of a Log gone": ("DELETE FROM segment WHERE run_id='r1' AND count=6", "a part of a Log that is missing"),
    "a part of a Log": ("UPDATE segment SET items=items||' ' WHERE run_id='r1' AND count=6", "a part of a Log that was changed"),
    "status": ("UPDATE run SET status='paused' WHERE run_id='r1'", "says status paused"),
    "turn": ("UPDATE run SET turn=3 WHERE run_id='r1'", "says turn 3"),
    "head": ("UPDATE run SET head_seq=12 WHERE run_id='r1'", "says head 12"),
    "head hash": ("UPDATE run SET head_hash=zeroblob(32) WHERE run_id='r1'", "says head hash 000000000000"),
    "operations' head": ("UPDATE run SET op_seq=0 WHERE run_id='r1'", "operations end at 0"),
    "operations' hash": ("UPDATE run SET op_hash=zeroblob(32) WHERE run_id='r1'", "another hash than operation"),
    "seed": ("UPDATE run SET seed=7 WHERE run_id='r1'", "says seed 7"),
    "mode": ("UPDATE run SET mode='real' WHERE run_id='r1'", "says mode real"),
    "world": ("UPDATE run SET world='other' WHERE run_id='r1'", "says world other"),
    "scenario": ("UPDATE run SET scenario='other' WHERE run_id='r1'", "says scenario other"),
    "branch": ("UPDATE run SET branch=2 WHERE run_id='r1'", "says branch 2"),
    "mail body": ("UPDATE inbox SET body='{\"kind\":\"sun\"}'", "mail 1 is not what was taken in in turn 6"),
    "mail sender": ("UPDATE inbox SET sender='nobody'", "mail 1 is not what"),
    "mail turn": ("UPDATE inbox SET taken=5", "mail 1 is marked as taken in turn 5"),
    "mail added": (
        "INSERT INTO inbox(run_id,kind,body,sender,at,taken) SELECT run_id,kind,body,sender,at,taken FROM inbox",
        "mail 2 is marked as taken in turn 6, and no entry names it",
    ),
    "parent": ("UPDATE run SET parent='gone', parent_seq=1, parent_turn=1 WHERE run_id='r1'", "its past is missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_found_and_named(flown, what):
    sql, words = EDITS[what]
    edit(flown, sql)
    verdict = proved(flown)
    assert not verdict.intact
    assert words in told(verdict)
    assert verdict.first_problem == verdict.problems[0]


def test_swapped_rows_are_found(flown):
    edit(flown, "UPDATE entry SET seq=1000 WHERE run_id='r1' AND seq=20")
    edit(flown, "UPDATE entry SET seq=20 WHERE run_id='r1' AND seq=21")
    edit(flown, "UPDATE entry SET seq=21 WHERE run_id='r1' AND seq=1000")
    verdict = proved(flown)
    assert not verdict.intact
    assert verdict.first_problem is not None
    assert verdict.first_problem["seq"] == 20


def test_swapped_bodies_are_found(flown):
    ((a,), (b,)) = rows(flown, "SELECT body FROM entry WHERE run_id='r1' AND kind='scored' LIMIT 2")
    edit(flown, "UPDATE entry SET body=? WHERE run_id='r1' AND body=?", "x", a)
    edit(flown, "UPDATE entry SET body=? WHERE run_id='r1' AND body=?", a, b)
    edit(flown, "UPDATE entry SET body=? WHERE run_id='r1' AND body=?", b, "x")
    assert proved(flown).found >= 2


def _cut(path: Path, after: int) -> None:
    edit(path, "DELETE FROM entry WHERE run_id='r1' AND seq>?", after)
    edit(path, "DELETE FROM effect WHERE run_id='r1' AND turn>4")
    edit(path, "DELETE FROM checkpoint WHERE run_id='r1' AND seq>?", after)
    edit(path, "UPDATE inbox SET taken=NULL")


def test_a_cut_tail_is_found(flown):
    _cut(flown, 30)
    verdict = proved(flown)
    assert (verdict.intact, verdict.complete) == (False, False)


def test_a_cut_tail_with_a_mended_row_is_found_by_the_head_outside(flown):
    _cut(flown, 30)
    ((hash, turn),) = rows(flown, "SELECT hash, turn FROM entry WHERE run_id='r1' AND seq=30")
    edit(
        flown,
        "UPDATE run SET head_seq=30, head_hash=?, turn=?, status='paused' WHERE run_id='r1'",
        hash,
        turn,
    )
    verdict = proved(flown)
    assert (verdict.intact, verdict.complete) == (True, False), verdict
    assert "the tail was cut: the head kept outside is entry 60, the journal ends at 30" in told(verdict)
    flown.with_suffix(".heads").unlink()
    verdict = proved(flown)
    assert (verdict.intact, verdict.complete) == (True, None)
    assert verdict.notes


def test_an_old_backup_put_back_is_found(tmp_path):
    from tests.journal import flights

    path = tmp_path / "x.sqlite"
    store = SqliteStore(path, create=True)
    flights.fly(store, stops=(3,))
    store.close()
    shutil.copy(path, tmp_path / "old")
    store = SqliteStore(path)
    flights.forked(store, "r1", "2", "f2")
    store.close()
    shutil.copy(tmp_path / "old", path)
    store = SqliteStore(path)
    flights.fly(store, "r2")
    store.close()
    assert proved(path, "r1").complete is True
    path.write_bytes((tmp_path / "old").read_bytes())
    for left in tmp_path.glob("x.sqlite-*"):
        left.unlink()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE run SET head_seq=head_seq WHERE run_id='r1'")
    db.close()
    edit(path, "DELETE FROM operation WHERE run_id='r1' AND seq=(SELECT op_seq FROM run WHERE run_id='r1')")
    ((seq, hash),) = rows(path, "SELECT seq, hash FROM operation WHERE run_id='r1' ORDER BY seq DESC LIMIT 1")
    edit(path, "UPDATE run SET op_seq=?, op_hash=? WHERE run_id='r1'", seq, hash)
    verdict = proved(path)
    assert (verdict.intact, verdict.complete) == (True, False)
    assert "the head kept outside is operation" in told(verdict)


def rechain(path: Path, table: str, since: int, first: Any) -> None:
    """All hashes from an entry on computed again, and the run's row with them: the chain itself holds."""
    db = sqlite3.connect(path)
    columns = "seq,turn,phase,kind,actor,body" if table == "entry" else "seq,at,kind,body"
    found = db.execute(
        f"SELECT id,prev,{columns} FROM {table} WHERE run_id='r1' AND seq>=? ORDER BY seq", [since]
    )
    last = b""
    for number, (key, prev, seq, *columns_, was) in enumerate(found.fetchall()):
        body = first(was) if number == 0 else was
        last = prev if number == 0 else last
        rule: Any = entry_hash if table == "entry" else operation_hash
        hash = rule(last, seq, *columns_, body.encode())
        db.execute(f"UPDATE {table} SET body=?, prev=?, hash=? WHERE id=?", [body, last, hash, key])
        last = hash
    which = "head_hash" if table == "entry" else "op_hash"
    db.execute(f"UPDATE run SET {which}=? WHERE run_id='r1'", [last])
    db.commit()
    db.close()


def test_a_history_rechained_from_the_middle_is_found_by_the_head_outside(flown):
    ((seq,),) = rows(flown, "SELECT seq FROM entry WHERE run_id='r1' AND kind='scored' AND turn=6")
    rechain(flown, "entry", seq, lambda body: body.replace('"a":{"wealth":', '"a":{"wealth":9'))
    verdict = proved(flown)
    assert (verdict.intact, verdict.complete) == (True, False), told(verdict)
    assert "entry 60 is not the one whose hash is kept outside" in told(verdict)


def test_rechained_operations_are_found_by_the_head_outside(flown):
    rechain(flown, "operation", 1, lambda body: '{"turn":99}')
    verdict = proved(flown)
    assert (verdict.intact, verdict.complete) == (True, False), told(verdict)


def test_a_rechained_history_that_its_tables_contradict_is_not_intact(flown):
    ((seq,),) = rows(flown, "SELECT seq FROM entry WHERE run_id='r1' AND kind='effect' AND turn=7")
    rechain(flown, "entry", seq, lambda body: body.replace(sha256(b'{"ok":49}').hexdigest(), "0" * 64))
    assert "effect 7.plan.a.0 has another result" in told(proved(flown))


def test_a_changed_parent_is_found_under_its_fork(flown):
    edit(
        flown,
        "UPDATE entry SET body=replace(body,'wealth','health') WHERE run_id='r1' AND kind='scored' AND turn=2",
    )
    assert not proved(flown, "f1").intact


def test_what_a_parent_did_after_the_fork_is_no_matter_of_the_fork(flown):
    edit(
        flown,
        "UPDATE entry SET body=replace(body,'wealth','health') WHERE run_id='r1' AND kind='scored' AND turn=7",
    )
    edit(flown, "UPDATE effect SET result='{}' WHERE run_id='r1' AND turn=7")
    edit(flown, "UPDATE checkpoint SET state=x'00' WHERE run_id='r1' AND turn=8")
    assert proved(flown, "f1").intact
    assert not proved(flown, "r1").intact


def test_a_fork_moved_to_another_entry_is_found(flown):
    edit(flown, "UPDATE run SET parent_seq=parent_seq-1 WHERE run_id='f1'")
    assert not proved(flown, "f1").intact


def test_words_moved_between_columns_are_found(flown):
    edit(flown, "UPDATE entry SET kind='effect a', actor='' WHERE run_id='r1' AND kind='effect' AND turn=2")
    assert not proved(flown).intact


def test_a_view_that_tells_other_metrics_is_found(flown):
    with sqlite3.connect(flown) as db:
        db.execute("DROP VIEW metric")
        db.execute(
            "CREATE TABLE metric AS SELECT 'r1' AS run_id, 1 AS turn, 'a' AS agent, 'wealth' AS name, 1e9 AS value"
        )
    db.close()
    verdict = proved(flown)
    assert not verdict.intact
    assert "view metric" in told(verdict)


def test_the_list_of_problems_is_bounded_and_the_count_is_not(flown):
    edit(flown, "UPDATE entry SET body='{}' WHERE run_id='r1'")
    verdict = proved(flown)
    assert len(verdict.problems) <= 21
    assert verdict.found > 50


def _flip(value: Any, luck: random.Random) -> Any:
    """The same cell with one byte changed."""
    if isinstance(value, int):
        return value ^ (1 << luck.randrange(62))
    raw = bytearray(struct.pack("<d", value) if isinstance(value, float) else value)
    raw[luck.randrange(len(raw))] ^= luck.randrange(1, 256)
    return struct.unpack("<d", raw)[0] if isinstance(value, float) else bytes(raw)


PROVED = {
    "entry": ("run_id", "seq", "turn", "phase", "kind", "actor", "body", "prev", "hash"),
    "operation": ("run_id", "seq", "at", "kind", "body", "prev", "hash"),
    "effect": ("run_id", "turn", "phase", "actor", "idx", "kind", "request", "result"),
    "checkpoint": ("turn", "seq", "state", "memory", "deferred"),
}
TEXT = {"run_id", "phase", "kind", "actor", "body", "request", "result", "memory", "deferred"}


@pytest.mark.parametrize("seed", sampled(range(40), 4))
def test_a_random_flipped_byte_in_any_cell_is_found(flown, seed):
    luck = random.Random(seed)
    for _ in range(5):
        table = luck.choice(list(PROVED))
        column = luck.choice(PROVED[table])
        shown = f"CAST({column} AS BLOB)" if column in TEXT else column
        found = rows(flown, f"SELECT rowid, {shown} FROM {table} WHERE run_id='r1'")
        rowid, value = luck.choice([row for row in found if row[1] not in (None, b"")])
        fresh = _flip(value, luck)
        if isinstance(fresh, float) and math.isnan(fresh):
            continue  # SQLite stores no NaN
        cast = "CAST(? AS TEXT)" if column in TEXT else "?"
        backup = flown.read_bytes()
        try:
            edit(flown, f"UPDATE {table} SET {column}={cast} WHERE rowid=?", fresh, rowid)
        except sqlite3.IntegrityError:
            continue  # the number stands there already: the database itself refuses
        verdict = proved(flown)
        assert not verdict.intact, f"{table}.{column} of row {rowid}: {value!r} became {fresh!r}"
        flown.write_bytes(backup)


def test_a_file_with_ruined_pages_gets_a_verdict_and_no_traceback(flown):
    raw = bytearray(flown.read_bytes())
    for offset in range(4096 * 4, len(raw) - 4096, 4096):
        raw[offset : offset + 64] = b"\xa5" * 64
    flown.write_bytes(raw)
    from windtunnel.errors import StorageError

    try:
        found = told(proved(flown))
    except StorageError as error:
        found = error.message
    assert found


def test_an_unfinished_run_is_intact_and_a_head_that_lags_is_complete(tmp_path):
    from tests.journal import flights

    path = tmp_path / "x.sqlite"
    store = SqliteStore(path, create=True)
    flights.fly(store, stops=(3,))
    flights.forked(store, "r1", "8", "f1")
    store.close()
    lines = path.with_suffix(".heads").read_text().splitlines(keepends=True)
    mine = [line for line in lines if line.startswith("r1 ")]
    path.with_suffix(".heads").write_text("".join(mine[:-1]))
    verdict = proved(path)
    assert (verdict.intact, verdict.complete) == (True, True)
    assert GENESIS.hex() in mine[0], "before the first operation its hash is written as zeros"
