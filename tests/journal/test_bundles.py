"""A run that was over before it came into its store has its entries in one row, and is a run like any other:
to read, to follow in SQL, to prove, to fork, to move and to prune."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import connect
from tests.journal.flights import edit, made_older, rows
from tests.journal.stores import open_at
from windtunnel.errors import AgentError, StorageError
from windtunnel.journal import GENESIS, Entry, SqliteStore, Status, entry_hash
from windtunnel.journal.bundles import bundled, unbundled
from windtunnel.journal.draft import Draft
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.prune import prune
from windtunnel.journal.transfer import backup, merge
from windtunnel.journal.verify import Verified, verify
from windtunnel.run.begin import begin
from windtunnel.run.fork import fork, read_point
from windtunnel.run.replay import replay
from windtunnel.run.session import play_run
from windtunnel.world import AgentSpec, Scenario

TOOL = Path(__file__).parents[2] / "tools" / "verify_journal.py"
SEATS = (AgentSpec("a"), AgentSpec("b"))


def match(store: Any, run_id: str, *, stop_after: int | None = None) -> None:
    begin(store, connect.world, Scenario("connect", turns=60, seed=5, agents=SEATS), run_id)
    asyncio.run(play_run(store, connect.world, run_id, stop_after=stop_after))


def brought(store: SqliteStore, *drafts: Draft) -> None:
    for draft in drafts:
        draft.pack()
    settle = store.bring_all([draft.whole() for draft in drafts])
    assert settle is not None
    settle()


def draft_of(store: SqliteStore, run_id: str, **more: Any) -> Draft:
    draft = Draft(store)
    match(draft, run_id, **more)
    return draft


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with the same match twice: in one row, and in a row for each entry."""
    store = SqliteStore(tmp_path / "runs.sqlite", create=True)
    brought(store, draft_of(store, "short"))
    match(store, "plain")
    store.close()
    return tmp_path / "runs.sqlite"


@pytest.fixture
def store(path: Path) -> Any:
    made = SqliteStore(path)
    yield made
    made.close()


def proved(path: Path) -> Verified:
    store = SqliteStore(path, read_only=True)
    try:
        return verify(store, "short")
    finally:
        store.close()


def tool(path: Path, run_id: str = "short") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(TOOL), str(path), run_id]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_is_one_row_and_says_what_a_hundred_say(store):
    assert rows(store, "SELECT count(*) FROM entry WHERE run_id='short'") == [(0,)]
    assert rows(store, "SELECT count(*) FROM bundle") == [(1,)]
    short, plain = store.run("short"), store.run("plain")
    assert (short.head_hash, short.turn, short.status) == (plain.head_hash, plain.turn, Status.COMPLETED)
    every = list(store.entries("plain"))
    assert len(every) > 100
    assert list(store.entries("short")) == every
    assert list(store.entries("short", 7, 12)) == every[8:13]
    assert store.turning_points("short") == store.turning_points("plain")
    for after, upto in ((-1, None), (3, 9), (0, 0), (99, None)):
        assert list(store.scored("short", after, upto)) == list(store.scored("plain", after, upto))
    for turn in (0, 1, 8, 99):
        assert store.scored_seq("short", turn) == store.scored_seq("plain", turn)
    said = verify(store, "short")
    assert (said.intact, said.complete, said.entries) == (True, True, len(every))


@pytest.mark.parametrize("columns", ["*", "seq, CAST(body AS BLOB), prev, hash"])
def test_plain_sql_finds_its_entries_among_those_of_others(path, columns):
    """With the SQLite that Python has, an older one than ours."""
    with sqlite3.connect(path) as db:
        asked = f"SELECT {columns} FROM history WHERE run_id=? ORDER BY seq"
        short, plain = (db.execute(asked, [name]).fetchall() for name in ("short", "plain"))
        skip = 1 if columns == "*" else 0  # its own name
        assert [row[skip:] for row in short] == [row[skip:] for row in plain]
        for view in ("metric", "decision"):
            told = [
                db.execute(f"SELECT * FROM {view} WHERE run_id=?", [n]).fetchall() for n in ("short", "plain")
            ]
            assert len(told[0]) > 10
            assert [row[1:] for row in told[0]] == [row[1:] for row in told[1]]
        plan = db.execute("EXPLAIN QUERY PLAN SELECT * FROM history WHERE run_id='short'").fetchall()
        assert not [step for step in plan if "SCAN entry" in step[3] or "SCAN bundle" in step[3]], "by run"
    db.close()


def test_it_replays_and_forks_and_goes_on(store):
    assert asyncio.run(replay(store, connect.world, "short")).identical
    fork(store, connect.world, "short", read_point("6"), "f", branch=1)
    row = asyncio.run(play_run(store, connect.world, "f"))
    assert row.status is Status.COMPLETED
    assert row.head_hash != store.run("short").head_hash
    shared = [one for one in Lineage(store, "f").entries() if one.seq <= (row.parent_seq or 0)]
    assert shared == list(store.entries("short", -1, row.parent_seq))
    assert verify(store, "f").intact


def test_it_moves_to_another_store_and_into_a_backup(store, tmp_path):
    target = SqliteStore(tmp_path / "other.sqlite", create=True)
    assert merge(store, target).copied == ["short", "plain"]
    assert list(target.entries("short")) == list(store.entries("short"))
    assert verify(target, "short").intact
    target.close()
    assert proved(backup(store.path, tmp_path / "copy.sqlite")).complete


def test_it_is_weighed_and_pruned_as_others_are(store):
    short, plain = store.weigh("short"), store.weigh("plain")
    assert plain / 2 < short < plain
    prune(store, ["short"], at=1.0)
    assert rows(store, "SELECT count(*) FROM bundle") == [(0,)]
    assert verify(store, "short").intact
    assert verify(store, "plain").intact


def test_one_that_failed_goes_on_in_rows_behind_it(store):
    def breaks(seen: Any, context: Any) -> connect.Drop:
        if context.turn == 5 and broken:
            raise RuntimeError("it broke")
        return connect.scripted(seen, context)

    broken, draft = True, Draft(store)
    seats = (AgentSpec("a", kind="python"), AgentSpec("b"))
    scenario = Scenario("connect", turns=60, seed=5, agents=seats)
    begin(draft, connect.world, scenario, "failed", players={"a": breaks})
    with pytest.raises(AgentError, match="it broke"):
        asyncio.run(play_run(draft, connect.world, "failed", players={"a": breaks}))
    brought(store, draft)
    assert store.run("failed").status is Status.FAILED
    assert rows(store, "SELECT count(*) FROM bundle WHERE run_id='failed'") == [(1,)]
    bundled_ones = len(list(store.entries("failed")))
    broken = False
    row = asyncio.run(play_run(store, connect.world, "failed", players={"a": breaks}))
    assert (row.status, row.turn) == (Status.COMPLETED, store.run("plain").turn)
    every = list(store.entries("failed"))
    assert [one.seq for one in every] == list(range(len(list(store.entries("plain")))))
    assert len(every) > bundled_ones > 0
    assert rows(store, "SELECT min(seq) FROM entry WHERE run_id='failed'") == [(bundled_ones,)]
    told = rows(store, "SELECT seq, hash FROM history WHERE run_id='failed' ORDER BY seq")
    assert told == [(one.seq, one.hash) for one in every]
    assert [turn for turn, _ in store.scored("failed")] == [turn for turn, _ in store.scored("plain")]
    assert verify(store, "failed").complete
    store.close()
    assert tool(store.path, "failed").returncode == 0


def test_one_that_stopped_stands_in_rows_and_goes_on(store):
    brought(store, draft_of(store, "stopped", stop_after=4))
    assert rows(store, "SELECT count(*) FROM bundle WHERE run_id='stopped'") == [(0,)]
    row = asyncio.run(play_run(store, connect.world, "stopped"))
    assert row.head_hash == store.run("plain").head_hash


def test_a_draft_that_is_packed_is_read_as_before_and_may_come_in_by_itself(store):
    draft = draft_of(store, "alone")
    before = list(draft.entries("alone"))
    draft.pack()
    assert list(draft.entries("alone")) == before
    assert list(draft.entries("alone", 3, 9)) == before[4:10]
    draft.publish()
    assert list(store.entries("alone")) == before
    assert rows(store, "SELECT count(*) FROM bundle") == [(2,)]
    assert verify(store, "alone").complete


@pytest.mark.slow
def test_in_postgresql_a_packed_draft_comes_in_as_rows(store, postgres_url, tmp_path):
    there: Any = open_at(postgres_url, tmp_path / "heads", create=True)
    draft = draft_of(there, "short")
    draft.pack()
    settle = there.bring_all([draft.whole()])
    assert settle is not None
    settle()
    assert list(there.entries("short")) == list(store.entries("short"))
    assert verify(there, "short").complete
    there.close()


def test_a_name_that_is_taken_is_refused_and_changes_nothing(store):
    from windtunnel.errors import WrongState

    before = rows(store, "SELECT * FROM bundle")
    with pytest.raises(WrongState, match="there is a run short already"):
        brought(store, draft_of(store, "new"), draft_of(store, "short"))
    assert rows(store, "SELECT * FROM bundle") == before
    assert rows(store, "SELECT run_id FROM run ORDER BY run_id") == [("plain",), ("short",)]


def test_a_reader_of_an_older_store_sees_what_comes_in_once_it_is_brought_up(tmp_path):
    path = tmp_path / "old.sqlite"
    first = SqliteStore(path, create=True)
    match(first, "plain")
    first.close()
    made_older(path, 3)
    reader = SqliteStore(path, read_only=True)
    assert (reader.altered(), len(list(reader.entries("plain"))) > 100) == ([], True)
    writer = SqliteStore(path)
    brought(writer, draft_of(writer, "short"))
    assert list(reader.entries("short")) == list(reader.entries("plain"))
    assert (reader.altered(), writer.altered()) == ([], [])
    reader.close()
    writer.close()


def test_an_older_store_without_its_views_is_opened_and_given_them(tmp_path):
    path = tmp_path / "old.sqlite"
    first = SqliteStore(path, create=True)
    match(first, "plain")
    first.close()
    made_older(path, 3)
    rows(path, "DROP VIEW metric")
    reader = SqliteStore(path, read_only=True)
    assert reader.altered() == ["view metric"]
    reader.close()
    writer = SqliteStore(path)
    assert writer.altered() == []
    assert len(rows(writer, "SELECT * FROM metric")) > 20
    writer.close()


# --- whatever is done to it is found -----------------------------------------------------------------

LINE = 20  # of the bundle


def changed(path: Path, how: Any) -> None:
    ((lines, hashes),) = rows(path, "SELECT lines, hashes FROM bundle")
    lines, hashes = how(json.loads(lines), hashes)
    edit(path, "UPDATE bundle SET lines=?, hashes=?", json.dumps(lines, separators=(",", ":")), hashes)


def put(at: int, value: Any) -> Any:
    def how(lines: Any, hashes: bytes) -> Any:
        lines[LINE][at] = value
        return lines, hashes

    return how


HOWS: dict[str, tuple[Any, str]] = {
    "turn": (put(0, 9), "out of order"),
    "phase": (put(1, "execute"), "entry 20"),
    "kind": (put(2, "scored"), "entry 20"),
    "actor": (put(3, "zoe"), "entry 20"),
    "body": (put(4, {"events": ["x"]}), "entry 20"),
    "one gone": (lambda lines, hashes: (lines[:LINE] + lines[LINE + 1 :], hashes), "cannot be read"),
    "one gone with its hash": (
        lambda lines, hashes: (
            lines[:LINE] + lines[LINE + 1 :],
            hashes[: 32 * LINE] + hashes[32 * LINE + 32 :],
        ),
        "does not match its content",
    ),
    "cut": (lambda lines, hashes: (lines[:LINE], hashes[: 32 * LINE]), "the run's row says head"),
    "two changed about": (
        lambda lines, hashes: ([*lines[:LINE], lines[LINE + 1], lines[LINE], *lines[LINE + 2 :]], hashes),
        "entry 20",
    ),
    "hash": (lambda lines, hashes: (lines, hashes[:-32] + bytes(32)), "does not match its content"),
    "no hashes": (lambda lines, _: (lines, b""), "cannot be read"),
}  # fmt: skip


def test_what_nobody_touched_is_sound_for_the_standalone_verifier_too(path):
    done = tool(path)
    assert (done.returncode, done.stdout) == (0, "short: intact and complete\n")


@pytest.mark.parametrize("what", HOWS)
def test_an_edit_is_found_and_placed(path, what):
    how, place = HOWS[what]
    assert proved(path).intact
    changed(path, how)
    verdict = proved(path)
    assert not verdict.intact
    assert place in "\n".join(problem["message"] for problem in verdict.problems)
    done = tool(path)
    assert (done.returncode, "intact" in done.stdout) == (1, False), done.stdout


SQL = {
    "gone": "DELETE FROM bundle",
    "of another run": "UPDATE bundle SET run_id='plain'",
    "no json": "UPDATE bundle SET lines=substr(lines, 1, 200)",
    "no text": "UPDATE bundle SET lines=CAST(x'ff'||lines AS TEXT)",
    "a number": "UPDATE bundle SET lines=7",
    "a blank more in a body": "UPDATE bundle SET lines=replace(lines, '{\"state\":', '{ \"state\":')",
    "twice": "INSERT INTO entry(run_id,seq,turn,phase,kind,actor,body,prev,hash)"
    " SELECT * FROM history WHERE run_id='short' AND seq=20",
    "one more": "INSERT INTO entry(run_id,seq,turn,phase,kind,actor,body,prev,hash)"
    " SELECT run_id,seq+1,turn,phase,kind,actor,body,prev,hash FROM history"
    " WHERE run_id='short' AND kind='ended'",
}  # fmt: skip


@pytest.mark.parametrize("what", SQL)
def test_what_plain_sql_does_to_it_is_found(path, what):
    edit(path, SQL[what])
    assert not proved(path).intact
    done = tool(path)
    # SQLite leaves a blank out again: the tool is told what was hashed, and finds nothing amiss.
    assert (done.returncode == 0) is (what == "a blank more in a body"), done.stdout


def test_one_that_cannot_be_read_says_so_with_a_remedy(store):
    edit(store, "UPDATE bundle SET lines='[7]'")
    with pytest.raises(StorageError, match="a bundle of entries cannot be read") as error:
        list(store.entries("short"))
    assert "run short" in str(error.value.where)
    assert "backup" in str(error.value.remedy)


WORDS = st.text(st.characters(blacklist_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | WORDS,
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner),
    max_leaves=9,
)


@given(st.lists(st.tuples(st.integers(0, 1 << 40), WORDS, st.dictionaries(WORDS, VALUES)), max_size=6))
def test_entries_come_out_as_they_went_in(given_entries):
    entries: list[Entry] = []
    for seq, (turn, actor, body) in enumerate(given_entries):
        prev = entries[-1].hash if entries else GENESIS
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        hash = entry_hash(prev, seq, turn, "plan", "effect", actor, raw)
        entries.append(Entry(seq, turn, "plan", "effect", actor, raw, prev, hash))
    assert unbundled(*bundled(entries), where="here") == entries
