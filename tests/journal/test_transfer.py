"""Runs move between stores and forks are made whole: the same head wherever they lie, or nothing at all."""

from __future__ import annotations

import threading

import pytest

from tests.journal import flights
from tests.journal.flights import edit, replayed, rows
from tests.journal.stores import BOTH, open_at, place_of
from windtunnel.errors import LeaseHeld, StorageError, UsageError, WrongState
from windtunnel.journal import SqliteStore, Status, Store
from windtunnel.journal.lease import this_process
from windtunnel.journal.transfer import backup, copy_run, make_whole, merge
from windtunnel.journal.verify import verify


@pytest.fixture
def source(flown_store):
    return flown_store


@pytest.fixture(params=BOTH)
def target(request, tmp_path):
    place = place_of(request.param, request).replace("x.sqlite", "there/y.sqlite")
    store = open_at(place, tmp_path / "target-heads", create=True)
    yield store
    store.close()


@pytest.fixture
def filed(flown):
    """In a file."""
    store = SqliteStore(flown)
    yield store
    store.close()


def sound(store: Store, run_id: str) -> bool:
    verdict = verify(store, run_id)
    assert verdict.intact, verdict.problems
    return verdict.complete is True and replayed(store, run_id)


@pytest.mark.slow
def test_a_copied_run_has_the_same_head_and_proves_and_replays(source, target):
    assert copy_run(source, target, "r1") is True
    assert target.run("r1") == source.run("r1")
    assert target.head_outside("r1").hash == source.run("r1").head_hash
    assert sound(target, "r1")
    for table in ("entry", "operation", "effect", "checkpoint", "segment", "inbox", "arrival"):
        there = f"SELECT count(*) FROM {table} WHERE run_id='r1'"
        assert rows(source, there) == rows(target, there) != [(0,)]
    named = "SELECT hash, body FROM text ORDER BY hash"
    assert rows(source, named) == rows(target, named) != []


def test_a_fork_that_travels_alone_takes_its_past_along(source, target):
    copy_run(source, target, "f1")
    here, there = source.run("f1"), target.run("f1")
    assert (there.head_seq, there.head_hash, there.parent) == (here.head_seq, here.head_hash, None)
    kinds = [entry.kind for entry in target.entries("f1")]
    assert kinds[0] == "started"
    assert "forked" in kinds[1:]
    assert sound(target, "f1")


def test_copying_again_changes_nothing(source, target):
    copy_run(source, target, "f1")
    before = rows(target, "SELECT count(*) FROM entry")
    assert copy_run(source, target, "f1") is False
    assert rows(target, "SELECT count(*) FROM entry") == before


def test_another_run_of_the_same_name_is_refused(source, target):
    flights.fly(target, "r1", turns=2, stops=())
    head = target.run("r1").head_hash
    with pytest.raises(WrongState, match="another run r1"):
        copy_run(source, target, "r1")
    assert target.run("r1").head_hash == head


def test_a_run_that_does_not_verify_is_not_copied(source, target):
    edit(source, "UPDATE effect SET result='{}' WHERE run_id='r1' AND turn=2")
    with pytest.raises(StorageError, match="does not verify"):
        copy_run(source, target, "r1")
    assert target.runs() == []


def test_a_cut_run_gets_no_clean_head_by_being_copied(filed, target):
    lines = filed.heads.read_text().replace("r1 60 ", "r1 61 ")
    filed.heads.write_text(lines)
    with pytest.raises(StorageError, match="tail was cut"):
        copy_run(filed, target, "r1")


def test_a_run_arrives_whole_or_not_at_all(source, target, monkeypatch):
    real = type(source).checkpoints

    def fails(self, run_id):
        if self is source and failing:
            raise StorageError("the disk is gone")
        return real(self, run_id)

    failing: list[int] = []
    monkeypatch.setattr(type(source), "checkpoints", fails)

    def unproved(*_: object) -> Sound:
        failing.append(1)
        return Sound()

    monkeypatch.setattr("windtunnel.journal.transfer.verify", unproved)
    with pytest.raises(StorageError):
        copy_run(source, target, "r1")
    assert target.runs() == []
    assert rows(target, "SELECT count(*) FROM entry") == [(0,)]
    assert target.head_outside("r1") is None


class Sound:
    intact, complete = True, True


def test_a_store_of_another_mode_takes_no_run(source, target):
    edit(source, "UPDATE run SET mode='paper'")
    import windtunnel.journal.transfer as room

    flights.fly(target, "other", turns=1, stops=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "verify", lambda *_: Sound())
        with pytest.raises(WrongState, match="one store holds one mode"):
            copy_run(source, target, "r1")


def test_merge_keeps_a_fork_beside_its_parent(source, target):
    result = merge(source, target)
    assert (result.copied, result.refused) == (["r1", "f1"], {})
    assert target.run("f1").parent == "r1"
    assert rows(target, "SELECT min(seq) FROM entry WHERE run_id='f1'")[0][0] > 0
    assert sound(target, "r1")
    assert sound(target, "f1")
    assert merge(source, target).same == ["r1", "f1"]


def test_merge_makes_a_fork_whole_where_its_parent_is_another(source, target):
    flights.fly(target, "r1", turns=2, stops=())
    result = merge(source, target)
    assert list(result.refused) == ["r1"]
    assert result.copied == ["f1"]
    assert target.run("f1").parent is None
    assert sound(target, "f1")


def test_mail_whose_number_is_taken_in_the_target_does_no_harm(source, target):
    flights.fly(target, "other", turns=6, stops=(2,))
    source.post("r1", "event", b'{"kind":"late"}', "someone", 2.0)
    copy_run(source, target, "r1")
    assert sound(target, "r1")
    assert sound(target, "other")
    assert [mail.kind for mail in target.mail("r1")] == ["event"], "what nobody took yet comes along"


def test_a_run_copied_while_it_is_played_can_be_taken_up_there(tmp_path, target):
    store = SqliteStore(tmp_path / "x.sqlite", create=True)
    flights.fly(store, stops=())
    flights.forked(store, "r1", "8", "f1")
    from windtunnel.run.fork import fork, read_point

    fork(store, flights.WORLD, "r1", read_point("5"), "f2", players=flights.PLAYERS)
    flights.play(store, "f2", stop_after=6)
    store.set_status("f2", Status.RUNNING, 1.0)
    copy_run(store, target, "f2")
    assert target.run("f2").status is Status.CRASHED
    flights.play(target, "f2")
    flights.play(store, "f2")
    assert target.run("f2").head_hash == store.run("f2").head_hash
    assert sound(target, "f2")
    store.close()


def test_a_fork_made_whole_has_the_same_head_and_needs_no_parent(source):
    before = source.run("f1")
    assert make_whole(source, "f1") is True
    after = source.run("f1")
    assert (after.head_seq, after.head_hash, after.parent) == (before.head_seq, before.head_hash, None)
    edit(source, "DELETE FROM entry WHERE run_id='r1'")
    edit(source, "DELETE FROM segment WHERE run_id='r1'")
    edit(source, "DELETE FROM effect WHERE run_id='r1'")
    edit(source, "DELETE FROM checkpoint WHERE run_id='r1'")
    assert sound(source, "f1")
    assert source.checkpoint("f1", 3) is not None, "the past's checkpoints came too"
    assert make_whole(source, "f1") is False


def test_a_whole_fork_can_be_forked_in_what_was_its_parents_past(source):
    make_whole(source, "f1")
    flights.forked(source, "f1", "2", "g1")
    assert sound(source, "g1")


def test_a_fork_of_a_fork_from_before_the_first_fork_shares_only_the_shorter_past(source):
    flights.forked(source, "f1", "2", "g1")
    assert sound(source, "g1")
    make_whole(source, "g1")
    assert sound(source, "g1")


def test_a_fork_at_the_last_turn_of_an_ended_run_starts_before_its_end(source):
    flights.forked(source, "r1", "8", "g1")
    assert next(source.entries("g1")).kind == "forked"
    assert sound(source, "g1")


def test_a_fork_that_is_played_is_not_made_whole(source):
    source.acquire("f1", this_process())
    with pytest.raises(LeaseHeld):
        make_whole(source, "f1")
    assert source.run("f1").parent == "r1"


def test_a_backup_is_whole_with_its_heads_and_overwrites_nothing(filed, tmp_path):
    backup(filed.path, tmp_path / "b" / "copy.sqlite")
    copy = SqliteStore(tmp_path / "b" / "copy.sqlite")
    assert sound(copy, "f1")
    copy.close()
    with pytest.raises(UsageError, match="a file here already"):
        backup(filed.path, tmp_path / "b" / "copy.sqlite")
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["copy.heads", "copy.sqlite"]


def test_a_backup_works_while_a_writer_writes(filed, tmp_path):
    stop = threading.Event()

    def write() -> None:
        store = SqliteStore(filed.path)
        for number in range(200):
            if stop.is_set():
                break
            flights.fly(store, f"w{number}", turns=3, stops=())
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy = SqliteStore(backup(filed.path, tmp_path / f"copy{number}.sqlite"))
            for row in copy.runs():
                verdict = verify(copy, row.run_id)
                assert (verdict.intact, verdict.complete) != (False, True), verdict
                assert verdict.intact, verdict
                assert verdict.complete is not False, verdict
            copy.close()
    finally:
        stop.set()
        writer.join()
