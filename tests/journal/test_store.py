# ruff: noqa: E501 - rows written out read best with few breaks
"""What every store must do, whichever database is behind it. Another store joins in stores.py."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.journal.stores import BOTH, opening, place_of
from windtunnel.codec import Segment
from windtunnel.errors import LeaseHeld, LeaseLost, NotFound, UsageError, WrongState
from windtunnel.journal import (
    GENESIS,
    Arrival,
    Batch,
    Checkpoint,
    Effect,
    Entry,
    Operation,
    Owner,
    RunRow,
    Status,
    Store,
    entry_hash,
    operation_hash,
)
from windtunnel.journal.lease import lives, this_process


@pytest.fixture(params=BOTH)
def place(request):
    return place_of(request.param, request)


@pytest.fixture
def open_store(place, tmp_path):
    """Opens the same store as often as it is called, each time by a connection of its own."""
    with opening(place, tmp_path / "heads") as opens:
        yield opens


@pytest.fixture
def store(open_store):
    return open_store()


def row(run_id: str = "r", **more: Any) -> RunRow:
    plain = RunRow(
        run_id=run_id, world="w", scenario="s", mode="simulated", seed=1, status=Status.QUEUED, turn=0, turns=5,
        head_seq=-1, head_hash=b"", op_seq=-1, op_hash=b"", parent=None, parent_seq=None, parent_turn=None,
        branch=0, created=1.0, updated=1.0, tags="[]", reason=None, pruned=None,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **more)


def chained(count: int, seq: int = 0, prev: bytes = GENESIS) -> list[Entry]:
    made = []
    for number in range(seq, seq + count):
        body = b'{"text":"\xc3\xa9 %d"}' % number
        hash = entry_hash(prev, number, number, "plan", "decided", "zo\u00eb", body)
        made.append(Entry(number, number, "plan", "decided", "zo\u00eb", body, prev, hash))
        prev = hash
    return made


def operation(seq: int = 0, prev: bytes = GENESIS) -> Operation:
    return Operation(seq, 2.5, "paused", b"{}", prev, operation_hash(prev, seq, 2.5, "paused", b"{}"))


def held(store: Store, run_id: str = "r") -> int:
    store.add_run(row(run_id))
    return store.acquire(run_id, this_process())


def test_what_is_committed_is_read_back_as_it_was(store):
    fence = held(store)
    entries, op = chained(3), operation()
    effect = Effect(2, "plan", "zo\u00eb", 0, "quote", "key", b'{"q":1}', None, asked=3.0)
    point = Checkpoint(1, 1, b"\x00\xffstate", b'{"a":1}', b"[]")
    part = Segment(b"h" * 32, GENESIS, 2, b"1\n2")
    store.commit(
        [
            Batch(
                "r", fence, entries=entries, operations=[op], effects=[effect], checkpoints=[point], segments=[part],
                turn=2, status=Status.RUNNING, at=9.0,
            )
        ]
    )  # fmt: skip
    assert list(store.entries("r")) == entries
    assert list(store.entries("r", 0, 1)) == entries[1:2]
    assert list(store.operations("r")) == [op]
    assert store.effects("r") == store.effects("r", 2) == store.waiting("r") == [effect]
    assert list(store.effects_by_place("r")) == [effect]
    assert store.checkpoint("r", 5) == point
    assert store.checkpoint("r", 0) is None
    assert list(store.checkpoints("r")) == [point]
    assert store.segment("r", b"h" * 32) == part
    assert list(store.segments("r")) == [part]
    found = store.run("r")
    assert (found.head_seq, found.head_hash) == (2, entries[2].hash)
    assert (found.op_seq, found.op_hash, found.turn, found.status) == (0, op.hash, 2, Status.RUNNING)


def test_effects_arrive_in_the_order_in_which_they_became_durable(store):
    fence = held(store)
    other = store.acquire(store.add_run(row("s")) or "s", this_process())
    one, two = (Effect(2, "plan", who, 0, "quote", "k", b"{}", None, asked=3.0) for who in "ba")
    store.commit([Batch("r", fence, effects=[one, two])])
    store.commit([Batch("s", other, effects=[one])])
    two.result = b'{"ok":1}'
    store.commit([Batch("r", fence, effects=[two])])
    store.commit([Batch("r", fence, entries=chained(1))])
    assert store.arrivals("r") == [
        Arrival(1, *one.place, False), Arrival(2, *two.place, False), Arrival(3, *two.place, True),
    ]  # fmt: skip
    assert store.arrivals("s") == [Arrival(1, *one.place, False)]
    assert (store.last_arrival("r"), store.last_arrival("s"), store.last_arrival("t")) == (3, 1, 0)
    assert store.arrivals("r", 1, 1) == [Arrival(2, *two.place, False)]
    assert store.effect("r", two.place) == two
    assert store.effect("r", (2, "plan", "a", 1)) is None
    store.release("r", fence)
    store.erase("r", 9.0)
    assert store.arrivals("r") == []


def test_the_result_of_an_effect_replaces_nothing_but_itself(store):
    fence = held(store)
    asked = Effect(1, "plan", "a", 0, "quote", "key", b"{}", None, asked=3.0)
    store.commit([Batch("r", fence, effects=[asked])])
    answered = Effect(1, "plan", "a", 0, "quote", "key", b"{}", b'{"ok":1}', 3.0, 4.0, 2)
    store.commit([Batch("r", fence, effects=[answered])])
    assert store.effects("r") == [answered]
    assert store.waiting("r") == []


SAID = "a prompt, with é in it".encode()
HASH = sha256(SAID).digest()


def naming(turn: int) -> Effect:
    folded = b' {"said":{"$text":"%b"}}' % HASH.hex().encode()
    return Effect(turn, "plan", "a", 0, "quote", f"key {turn}", folded, folded, 3.0, 4.0)


def test_a_text_is_stored_once_and_read_back_as_it_was(store):
    fence = held(store)
    assert store.text(HASH) is None
    for turn in (1, 2):
        store.commit([Batch("r", fence, effects=[naming(turn)], texts={HASH: SAID})])
    assert store.text(HASH) == SAID
    assert store.effects("r") == [naming(1), naming(2)]
    assert store.text(b"x" * 32) is None


def test_a_commit_that_is_refused_leaves_no_text(store):
    fence = held(store)
    with pytest.raises(LeaseLost):
        store.commit([Batch("r", fence + 1, effects=[naming(1)], texts={HASH: SAID})])
    assert store.text(HASH) is None


def test_texts_go_when_the_last_effect_that_names_them_is_gone(store):
    for run_id in ("r", "s"):
        store.commit([Batch(run_id, held(store, run_id), effects=[naming(1)], texts={HASH: SAID})])
    assert store.sweep() == 0
    store.erase("r", 5.0)
    assert store.sweep() == 0
    assert store.text(HASH) == SAID
    store.erase("s", 5.0)
    assert store.sweep() == 1
    assert store.text(HASH) is None


def test_a_text_comes_along_with_a_run(store):
    store.bring_in(row(), [Batch("r", 0, effects=[naming(1)], texts={HASH: SAID})])
    assert store.text(HASH) == SAID
    assert store.weigh("r") >= len(SAID)


def test_a_commit_is_all_or_nothing_across_runs(store):
    fence = held(store, "a")
    held(store, "b")
    with pytest.raises(LeaseLost):
        store.commit([Batch("a", fence, entries=chained(2)), Batch("b", 77, entries=chained(2))])
    assert list(store.entries("a")) == []
    assert store.run("a").head_seq == -1


def test_a_stale_fence_writes_nothing(store):
    old = held(store)
    new = store.acquire("r", this_process(), force=True)
    assert new > old
    with pytest.raises(LeaseLost):
        store.commit([Batch("r", old, entries=chained(1))])
    store.commit([Batch("r", new, entries=chained(1))])
    store.release("r", new)
    with pytest.raises(LeaseLost):
        store.commit([Batch("r", new, operations=[operation()])])


def test_releasing_with_a_stale_fence_frees_nothing(store):
    old = held(store)
    store.acquire("r", this_process(), force=True)
    store.release("r", old)
    with pytest.raises(LeaseHeld):
        store.acquire("r", this_process())


def test_a_second_player_is_told_who_plays(open_store):
    held(open_store())
    with pytest.raises(LeaseHeld, match=f"process {os.getpid()}"):
        open_store().acquire("r", this_process())


def test_an_entry_written_twice_is_refused(store):
    fence = held(store)
    store.commit([Batch("r", fence, entries=chained(2))])
    with pytest.raises(LeaseLost):
        store.commit([Batch("r", fence, entries=chained(1, 1))])
    assert len(list(store.entries("r"))) == 2


def test_only_a_run_that_is_there_can_be_played(store):
    with pytest.raises(NotFound):
        store.acquire("nobody", this_process())
    with pytest.raises(NotFound):
        store.run("nobody")


def test_a_run_id_is_taken_once_and_holds_no_blanks(store):
    store.add_run(row())
    with pytest.raises(WrongState, match="a run r already"):
        store.add_run(row())
    for bad in ("", "a b", "a\nb"):
        with pytest.raises(UsageError):
            store.add_run(row(bad))


def test_one_store_holds_one_mode(store):
    store.add_run(row())
    with pytest.raises(WrongState, match="one mode"):
        store.add_run(row("p", mode="paper"))


def test_mail_is_read_until_it_is_taken_and_again_by_the_turn_that_took_it(store):
    fence = held(store)
    first = store.post("r", "event", '{"é":1}'.encode(), "me", 1.0)
    second = store.post("r", "pause", b"{}", "me", 2.0)
    assert [mail.id for mail in store.mail("r")] == [first, second]
    store.commit([Batch("r", fence, taken=[(4, first)])])
    assert [mail.id for mail in store.mail("r")] == [second]
    assert [mail.id for mail in store.mail("r", taken_in=4)] == [first, second]
    assert [mail.taken for mail in store.letters("r")] == [4, None]
    assert store.mail("r", taken_in=4)[0].body == '{"é":1}'.encode()


def test_mail_is_noticed_whoever_posted_it(open_store):
    mine, other = open_store(), open_store()
    mine.add_run(row())
    mine.changed()
    assert mine.changed() is False
    other.post("r", "pause", b"{}", "me", 1.0)
    assert mine.changed() is True
    assert mine.changed() is False
    mine.post("r", "pause", b"{}", "me", 1.0)
    assert mine.changed() is True


def test_a_snapshot_is_of_one_moment(open_store):
    reader, writer = open_store(), open_store()
    writer.add_run(row("a"))
    with reader.snapshot():
        writer.add_run(row("b"))
        assert [one.run_id for one in reader.runs()] == ["a"]
    assert [one.run_id for one in reader.runs()] == ["a", "b"]


def test_a_new_store_is_as_it_was_made(store):
    assert store.altered() == []


# --- who holds a lease: on this machine that is a question to the system ---

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from tests.journal.stores import open_at
from windtunnel.journal.lease import this_process
store = open_at(sys.argv[1])
store.acquire("r", this_process())
print("held", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_killed_holder_frees_the_run_at_once(store, place):
    store.add_run(row())
    child = subprocess.Popen([sys.executable, "-c", HOLD, place], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LeaseHeld, match=f"process {child.pid}"):
            store.acquire("r", this_process())
        child.send_signal(signal.SIGKILL)
    assert store.acquire("r", this_process()) == 2


@pytest.mark.slow
def test_of_many_processes_one_gets_the_run(store, place):
    store.add_run(row())
    script = HOLD.replace("time.sleep(60)", "sys.stdin.read()").replace(
        "store.acquire", "from windtunnel.errors import LeaseHeld\ntry:\n    store.acquire"
    ).replace('print("held", flush=True)', '    print("held", flush=True)\nexcept LeaseHeld:\n    print("refused", flush=True)')  # fmt: skip
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, place],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(4)
    ]
    said = [child.stdout.readline().strip() for child in children if child.stdout]
    for child in children:
        child.communicate("")
    assert sorted(said) == ["held", "refused", "refused", "refused"]


def test_a_reused_process_id_does_not_pass_for_the_holder(store):
    store.add_run(row())
    mine = this_process()
    store.acquire("r", mine._replace(started=str(int(mine.started) - 1)))
    assert store.acquire("r", mine) == 2


def test_a_holder_from_before_a_reboot_is_gone_and_one_elsewhere_is_believed(store):
    mine = this_process()
    assert lives(mine)
    assert not lives(mine._replace(boot="another"))
    assert lives(Owner("another-machine", "another", 1, "1"))


def test_the_owner_is_kept_as_json(store):
    held(store)
    lease = store.lease("r")
    assert lease is not None
    assert lease.owner == this_process()
    assert json.loads(json.dumps(lease.owner)) == list(this_process())
