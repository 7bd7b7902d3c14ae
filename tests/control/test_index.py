"""The index of runs: only an index, always to be had from the journals, and quick."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.shelf import Shelf, Watched, approval, row
from tests.databases import BOTH, made_for
from windtunnel.config import Workspace
from windtunnel.control import index_sql
from windtunnel.control.catalog import all_runs, find_run
from windtunnel.control.index import PICKED, Filter, Index, Listed, open_index
from windtunnel.errors import NotFound, UsageError
from windtunnel.journal import Owner, RunRow, SqliteStore, Status
from windtunnel.journal.database import SqliteDatabase
from windtunnel.journal.lease import _boot, _started, this_process
from windtunnel.journal.prune import prune

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / ".windtunnel" / "runs")


@pytest.fixture
def stores(shelf: Shelf) -> Watched:
    return Watched(shelf.folder)


@pytest.fixture(params=BOTH)
def index(request: Any, stores: Watched) -> Iterator[Index]:
    made = Index(made_for(request), stores)
    yield made
    made.close()


def ids(found: list[Listed]) -> list[str]:
    return [one.run_id for one in found]


def walk(index: Index, asked: Filter, limit: int) -> list[str]:
    """Every page of a list, one after the other."""
    seen, after = [], None
    for _ in range(1000):
        page = index.page(asked, after=after, limit=limit)
        seen += ids(page.items)
        if (after := page.next) is None:
            return seen
    raise AssertionError("the pages have no end")


def many() -> list[RunRow]:
    return [
        row(
            f"r{number:02}",
            world=["pond", "lake"][number % 2],
            scenario=["pond/calm", "lake/calm", "pond/wild"][number % 3],
            status=[Status.COMPLETED, Status.FAILED, Status.PAUSED][number % 5 % 3],
            tags='["night"]' if number % 4 == 0 else "[]",
            reason="budget reached" if number % 7 == 0 else None,
            parent="r00" if number % 10 == 3 else None,
            created=1000.0 + number // 2,  # two and two of the same moment
            updated=5000.0 - number // 3,
        )
        for number in range(60)
    ]


# --- from the journals ---


def test_an_index_that_was_deleted_is_had_again_from_the_journals(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(*many()[:30])
    for one in many()[30:]:
        shelf.put(one)
    shelf.write("r33", Status.COMPLETED, operations=[("model_attempt", {"cost": 7})])
    workspace = Workspace(tmp_path)

    def listed() -> list[Listed]:
        index = open_index(workspace)
        index.refresh()
        found = list(index.each())
        index.close()
        return found

    before = listed()
    assert len(before) == 60
    for file in (tmp_path / ".windtunnel").glob("catalog.sqlite*"):
        file.unlink()
    assert listed() == before
    index = open_index(workspace)
    index.database.rows("UPDATE listed SET world='sea', spend=99, created=created+1")
    assert index.refresh() <= 2  # nothing tells that it lies, but a rebuild needs no telling
    assert list(index.each()) != before
    index.rebuild()
    assert list(index.each()) == before
    index.close()


def test_only_stores_that_were_written_are_opened_again(shelf: Shelf, index: Index, stores: Watched) -> None:
    for one in many()[:10]:
        shelf.put(one)
    assert index.refresh() == 10
    stores.opened.clear()
    assert (index.refresh(), stores.opened) == (0, [])
    shelf.write("r04", Status.COMPLETED)
    index.refresh()
    assert stores.opened == ["r04.sqlite"]
    assert index.find("r04").updated == 2000.0


def test_of_a_large_store_only_the_runs_that_changed_are_read(
    shelf: Shelf, index: Index, stores: Watched
) -> None:
    shelf.put(*many())
    index.refresh()
    assert stores.runs_read == 60
    stores.runs_read = 0
    shelf.write("r07", Status.FAILED, store="r00")
    index.refresh()
    assert stores.runs_read == 1
    assert index.find("r07").status is Status.FAILED


def test_a_write_within_one_tick_of_the_clock_is_seen(shelf: Shelf, index: Index) -> None:
    path = shelf.put(row("r01"))
    os.utime(path)
    tick = path.stat().st_mtime_ns
    index.refresh()
    shelf.write("r01", Status.FAILED)
    os.utime(path, ns=(tick, tick))
    index.refresh()
    assert index.find("r01").status is Status.FAILED


@pytest.mark.slow
def test_commits_that_wait_in_a_wal_are_seen(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01"))
    index.refresh()
    reader = SqliteStore(shelf.path("r01"), read_only=True)  # keeps the WAL from being emptied at the close
    with reader.snapshot():
        shelf.write("r01", Status.FAILED)
        assert Path(f"{shelf.path('r01')}-wal").stat().st_size
        index.refresh()
        assert index.find("r01").status is Status.FAILED
        shelf.write("r01", Status.CANCELLED, at=3000.0)  # into a WAL that was there
        index.refresh()
        assert index.find("r01").status is Status.CANCELLED
    reader.close()


def test_a_folder_that_stands_still_is_not_looked_through(
    shelf: Shelf, index: Index, stores: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put(row("r01"))
    shelf.put(row("r02"))
    index.refresh()
    looks: list[int] = []
    whole = stores._all

    def noted(recent: int) -> tuple[dict[str, str], list[str]]:
        looks.append(1)
        return whole(recent)

    monkeypatch.setattr(stores, "_all", noted)
    index.refresh()
    assert looks == []
    shelf.write("r02", Status.FAILED)  # made a WAL, and took it away again
    index.refresh()
    assert looks == [1]
    assert index.find("r02").status is Status.FAILED


def test_looking_leaves_nothing_beside_a_store(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01"))
    before = sorted(file.name for file in shelf.folder.iterdir())
    index.refresh()
    index.rebuild()
    assert sorted(file.name for file in shelf.folder.iterdir()) == before


def test_a_store_that_is_gone_is_in_no_list(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", tags='["night"]'))
    shelf.put(row("r02", tags='["night"]'))
    index.refresh()
    shelf.path("r01").unlink()
    index.refresh()
    assert walk(index, Filter(tag="night"), 10) == walk(index, Filter(), 10) == ["r02"]


def test_a_store_that_cannot_be_read_is_named_and_comes_back_when_mended(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01"))
    broken = shelf.put(row("r02"))
    whole = broken.read_bytes()
    broken.write_bytes(b"no database at all" * 100)
    shelf.rest()
    index.refresh()
    (problem,) = index.problems()
    assert problem.location == str(broken)
    assert "no SQLite database" in problem.message
    assert walk(index, Filter(), 10) == ["r01"]
    broken.write_bytes(whole)
    shelf.rest()
    index.refresh()
    assert index.problems() == []
    assert walk(index, Filter(), 10) == ["r02", "r01"]


def test_a_row_that_makes_no_sense_takes_only_its_own_store_with_it(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01"))
    odd = shelf.put(row("r02"))
    with sqlite3.connect(odd) as db:
        db.execute("UPDATE run SET status='odd'")
    db.close()
    index.refresh()
    assert [Path(one.location).name for one in index.problems()] == ["r02.sqlite"]
    assert walk(index, Filter(), 10) == ["r01"]


# --- what is true of a run ---


def test_a_run_whose_process_died_reads_crashed_without_opening_its_store(
    shelf: Shelf, index: Index, stores: Watched
) -> None:
    shelf.put(row("r01", status=Status.QUEUED))
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    try:
        owner = Owner(this_process().host, _boot(), child.pid, _started(child.pid))
        shelf.write("r01", Status.RUNNING, owner=owner, keep=True)
        shelf.rest()
        index.refresh()
        assert index.find("r01").status is Status.RUNNING
        assert index.counts()["running"] == 1
    finally:
        child.kill()
        child.communicate(timeout=60)
    stores.opened.clear()
    assert walk(index, Filter(status="crashed"), 10) == ["r01"]
    assert walk(index, Filter(status="running"), 10) == []
    assert (index.counts()["running"], index.counts()["crashed"]) == (0, 1)
    assert stores.opened == []


@pytest.mark.parametrize("asked", [Filter(), Filter(world="pond", status="completed"), Filter(tag="night"),
                                   Filter(text="budget"), Filter(since=1010.0, parent="r00")])  # fmt: skip
@pytest.mark.parametrize("by", ["world", "tag"])
def test_runs_are_counted_by_world_or_tag_as_a_list_would_show_them(
    shelf: Shelf, index: Index, asked: Filter, by: Any
) -> None:
    shelf.put(*many())
    shelf.put(row("two", world="sea", tags='["night","day"]', created=3000.0))
    index.refresh()
    listed = list(index.each(asked))
    names = (
        [one.world for one in listed] if by == "world" else [t for o in listed for t in json.loads(o.tags)]
    )
    if by == "tag" and asked.tag:
        names = [name for name in names if name == asked.tag]
    told = index.grouped(asked, by)
    assert told == Counter(names)
    assert list(told.values()) == sorted(told.values(), reverse=True)
    assert list(index.grouped(asked, by, limit=1)) == list(told)[:1]


def test_a_row_that_says_running_while_nobody_holds_it_reads_crashed(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", status=Status.QUEUED))
    shelf.write("r01", Status.RUNNING)
    index.refresh()
    assert index.find("r01").status is Status.CRASHED
    assert index.differing() == []


def test_what_models_cost_is_summed_as_the_run_goes_on(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", status=Status.QUEUED))
    first: Told = [
        ("started", {}),
        ("model_attempt", {"cost": 30}),
        ("model_doubt", {"doubt": {"money": 500}}),
    ]
    shelf.write("r01", Status.PAUSED, operations=first)
    index.refresh()
    assert index.find("r01").spend == 30
    shelf.write("r01", Status.PAUSED, operations=[("model_attempt", {"cost": 9})], at=3000.0)
    index.refresh()
    assert index.find("r01").spend == 39
    more: Told = [("model_balance", {"spent": [39, 9], "doubtful": [500, 0]}), ("model_attempt", {"cost": 3})]
    shelf.write("r01", Status.PAUSED, operations=more, at=4000.0)
    index.refresh()
    assert index.find("r01").spend == 42
    index.rebuild()
    assert index.find("r01").spend == 42


def test_how_often_models_were_asked_is_counted_once_for_each_attempt(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", status=Status.QUEUED), row("r02", status=Status.QUEUED))
    asked: Told = [("model_attempt", {"cost": 1})]
    shelf.write("r01", Status.PAUSED, operations=[*asked * 2, ("model_doubt", {}), ("model_skipped", {})])
    shelf.write("r02", Status.PAUSED, store="r01", operations=asked)
    index.refresh()
    assert index.totals()[2] == 3
    balance: Told = [("model_balance", {"spent": [2, 2], "doubtful": [0, 0]})]
    shelf.write("r01", Status.PAUSED, operations=[*balance, *asked], at=3000.0)
    index.refresh()
    assert index.totals()[2] == 4
    index.rebuild()  # what stands before the balance counts too
    assert index.totals()[2] == 4


def test_an_index_of_an_earlier_version_reads_all_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(row("r01", status=Status.QUEUED), row("r02", status=Status.QUEUED))
    shelf.write("r01", Status.PAUSED, operations=[("model_attempt", {"cost": 5})])
    workspace = Workspace(tmp_path)
    index = open_index(workspace)
    index.refresh()
    index.database.rows("ALTER TABLE listed DROP COLUMN calls")
    index.database.rows("UPDATE room SET version=1 WHERE name='index'")
    index.close()
    for _ in range(2):
        index = open_index(workspace)
        assert len(list(index.each())) == 2  # lists stay whole meanwhile
        index.refresh()
        assert (index.totals(), index.find("r01").spend) == ((6, 5, 1), 5)
        index.close()


def test_the_first_vote_to_expire_is_when_a_run_wakes(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", status=Status.QUEUED))
    waits = [approval(100.0, 60.0), approval(90.0, None), approval(80.0, 900.0)]
    shelf.write("r01", Status.WAITING, effects=waits)
    index.refresh()
    assert index.find("r01").wake == 160.0
    assert (ids(index.due(159.0)), ids(index.due(160.0))) == ([], ["r01"])
    shelf.write("r01", Status.CANCELLED, at=3000.0)
    index.refresh()
    assert index.find("r01").wake is None


def test_what_is_noted_is_listed_at_once_and_completed_from_the_journal(shelf: Shelf, index: Index) -> None:
    path = shelf.put(row("r01", status=Status.QUEUED))
    shelf.write("r01", Status.PAUSED, operations=[("model_attempt", {"cost": 5})])
    now = row("r01", status=Status.PAUSED, op_seq=0, updated=2000.0, tags='["night"]')
    assert index.note(str(path), now)
    assert walk(index, Filter(status="paused", tag="night"), 10) == ["r01"]
    index.refresh()
    assert index.find("r01").spend == 5


def test_a_late_note_never_takes_a_run_back(shelf: Shelf, index: Index) -> None:
    path = shelf.put(row("r01", status=Status.QUEUED))
    shelf.write("r01", Status.FAILED)
    index.refresh()
    index.note(str(path), row("r01", status=Status.RUNNING, updated=1500.0))
    assert index.find("r01").status is Status.FAILED


def test_a_note_that_fails_stops_nobody(shelf: Shelf, tmp_path: Path) -> None:
    index = Index(SqliteDatabase(tmp_path / "other.sqlite"), Watched(shelf.folder))
    assert not index.note(str(tmp_path / "elsewhere.sqlite"), row("r01"))
    index.database.rows("DROP TABLE listed_tag")
    assert not index.note(str(shelf.path("r01")), row("r01", tags='["night"]'))
    index.close()
    assert not index.note(str(shelf.path("r01")), row("r01"))


def test_a_forgotten_run_is_in_no_list(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", tags='["night"]'), row("r02"))
    index.refresh()
    index.forget("r01")
    assert walk(index, Filter(), 10) == ["r02"]
    assert walk(index, Filter(tag="night"), 10) == []


def test_tombstones_are_counted_apart(shelf: Shelf, index: Index) -> None:
    path = shelf.put(row("r01"), row("r02"), row("r03", status=Status.FAILED))
    store = SqliteStore(path)
    prune(store, ["r01"], at=3000.0)
    store.close()
    index.refresh()
    counts = index.counts()
    assert (counts["completed"], counts["failed"], counts["pruned"], counts["queued"]) == (1, 1, 1, 0)


# --- pages ---

ASKED: list[dict[str, list[Any]]] = [
    {"world": ["", "pond"], "status": ["", "failed"], "tag": ["", "night"], "text": ["", "BUDGET"]},
    {
        "scenario": ["", "pond/wild"],
        "status": ["", "paused"],
        "since": [None, 1005.0],
        "until": [None, 1020.0],
    },
    {"parent": ["", "r00"], "world": ["", "lake"], "tag": ["", "night"], "scenario": ["", "lake/calm"]},
]
FILTERS = [
    dict(zip(names, values, strict=True))
    for names, values in (
        (tuple(one), chosen) for one in ASKED for chosen in itertools.product(*one.values())
    )
]


@pytest.mark.parametrize("order", ["created", "updated"])
def test_pages_hold_what_the_filter_says_in_order_and_each_run_once(
    shelf: Shelf, index: Index, order: Any
) -> None:
    shelf.put(*many())
    index.refresh()
    for told in FILTERS:
        asked = Filter(**told, order=order)
        wanted = [one for one in many() if fits(one, asked)]
        wanted.sort(key=lambda one: (getattr(one, order), one.run_id), reverse=True)
        assert walk(index, asked, 7) == [one.run_id for one in wanted], asked
        assert index.page(asked, limit=3, total=True).total == len(wanted)


def fits(one: RunRow, asked: Filter) -> bool:
    """The filter in words of its own."""
    return not (
        (asked.world and one.world != asked.world)
        or (asked.scenario and one.scenario != asked.scenario)
        or (asked.status and one.status != asked.status)
        or (asked.parent and one.parent != asked.parent)
        or (asked.tag and f'"{asked.tag}"' not in one.tags)
        or (asked.text and asked.text.lower() not in f"{one.run_id} {one.scenario} {one.reason}")
        or (asked.since is not None and one.created < asked.since)
        or (asked.until is not None and one.created >= asked.until)
    )


@pytest.mark.parametrize("index", ["sqlite"], indirect=True)  # what it says of its plans
@pytest.mark.parametrize("order", ["created", "updated"])
def test_no_page_reads_the_whole_table(index: Index, order: Any) -> None:
    for told, after in itertools.product(FILTERS, [None, (1000.0, "r01", "r01.sqlite")]):
        asked = Filter(**told, order=order)
        question, values = index_sql.page(asked, PICKED, after, 10)
        plan = " | ".join(
            str(one[3]) for one in index.database.rows(f"EXPLAIN QUERY PLAN {question}", values)
        )
        for step in plan.split(" | "):
            assert not step.startswith("SCAN") or "USING INDEX listed_" in step, (asked, plan)
        led = [name for name in ("world", "scenario", "status", "tag", "parent") if told.get(name)]
        assert not led or "SEARCH" in plan, (asked, plan)
        if order == "created" and not asked.parent:  # in order as they stand
            assert "B-TREE" not in plan, (asked, plan)


@pytest.mark.parametrize("index", ["sqlite"], indirect=True)  # what it says of its plans
def test_totals_by_status_are_read_from_an_index(index: Index) -> None:
    for sql in ("", " WHERE pruned IS NOT NULL"):
        plan = index.database.rows(
            f"EXPLAIN QUERY PLAN SELECT status, count(*) FROM listed{sql} GROUP BY status"
        )
        assert all("INDEX listed_" in str(one[3]) for one in plan), plan


def test_a_cursor_stays_true_while_runs_are_added(shelf: Shelf, index: Index) -> None:
    shelf.put(*[row(f"a{number}", created=1000.0 + number) for number in range(6)])
    index.refresh()
    first = index.page(limit=3)
    shelf.put(*[row(f"b{number}", created=2000.0 + number) for number in range(4)])
    index.refresh()
    assert ids(first.items) == ["a5", "a4", "a3"]
    assert ids(index.page(after=first.next, limit=10).items) == ["a2", "a1", "a0"]


def test_cursors_that_are_not_of_this_list_are_refused(shelf: Shelf, index: Index) -> None:
    shelf.put(*many()[:5])
    index.refresh()
    after = index.page(limit=2).next
    with pytest.raises(UsageError, match="ordered by created"):
        index.page(Filter(order="updated"), after=after)
    for odd in ("x", "%%%", "W10", "é", after[:-4] if after else ""):
        with pytest.raises(UsageError, match="no cursor"):
            index.page(after=odd)
    for limit in (0, 1001):
        with pytest.raises(UsageError, match="a page of"):
            index.page(limit=limit)
    with pytest.raises(UsageError, match="no status"):
        index.page(Filter(status="odd"))


def test_text_is_looked_for_as_it_is_written(shelf: Shelf, index: Index) -> None:
    shelf.put(row("r01", reason="50% of it"), row("r02", reason="50 of it"), row("r03", reason="a_b!"))
    index.refresh()
    assert walk(index, Filter(text="50%"), 10) == ["r01"]
    assert walk(index, Filter(text="_"), 10) == ["r03"]
    assert walk(index, Filter(text="B!"), 10) == ["r03"]


def test_a_run_is_found_by_its_id_or_a_prefix_that_only_it_has(shelf: Shelf, index: Index) -> None:
    names = ["4k2", "4k2a", "4k9x", "4kz1", "zz1", "Ab-1", "Ab_1", "9"]
    shelf.put(*[row(name) for name in names])
    index.refresh()
    for name in names:
        assert index.find(name).run_id == name
    for prefix, run_id in {"4k9": "4k9x", "4kz": "4kz1", "z": "zz1", "Ab-": "Ab-1", "4k2a": "4k2a"}.items():
        assert index.find(prefix).run_id == run_id
    for unclear in ("4k", "A"):
        with pytest.raises(UsageError, match="may mean"):
            index.find(unclear)
    for unknown in ("", "q", "4K", "zzz"):
        with pytest.raises(NotFound):
            index.find(unknown)


# --- where it cannot be used ---


@pytest.mark.parametrize("ruin", ["garbage", "later", "folder"])
def test_without_an_index_every_store_is_looked_into(shelf: Shelf, tmp_path: Path, ruin: str) -> None:
    shelf.put(row("r01"))
    shelf.put(row("r02", created=900.0))
    workspace, file = Workspace(tmp_path), tmp_path / ".windtunnel" / "catalog.sqlite"
    if ruin == "garbage":
        file.write_bytes(b"no database at all" * 100)
    elif ruin == "folder":
        file.mkdir()
    else:
        database = SqliteDatabase(file)
        database.lay(index_sql.ROOM, ["CREATE TABLE other(x {int})"] * 1 + ["SELECT 1"] * 98)
        database.close()
    assert {found.row.run_id for found in all_runs(workspace)} == {"r01", "r02"}
    assert find_run(workspace, "r02").row.run_id == "r02"
    with pytest.raises(NotFound):
        find_run(workspace, "r03")


def test_looking_at_an_empty_workspace_makes_no_file(tmp_path: Path) -> None:
    assert list(all_runs(Workspace(tmp_path))) == []
    with pytest.raises(NotFound):
        find_run(Workspace(tmp_path), "r01")
    assert list(tmp_path.iterdir()) == []


def test_a_row_that_lies_is_found_by_the_doctor(shelf: Shelf, index: Index) -> None:
    shelf.put(*many()[:5])
    index.refresh()
    assert index.differing() == []
    index.database.rows("UPDATE listed SET turn=99 WHERE run_id='r03'")
    assert index.differing() == ["r03"]
