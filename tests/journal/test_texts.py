"""Large texts are stored once: what was folded comes back as it was, what stands whole is never misread."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden.stories import HERE
from tests.journal import flights
from tests.journal.flights import BRIEF, REASON, TOOLS, edit, made_older, replayed, rows
from windtunnel.codec import decode_body, encode_body
from windtunnel.control.catalog import Found
from windtunnel.control.history import effects
from windtunnel.errors import StorageError
from windtunnel.export.story import effects_told
from windtunnel.journal import SqliteStore, Status
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.schema import FORMAT
from windtunnel.journal.texts import DEEPEST, LEAST, LEAST_BYTES, fold, named, unfold, whole
from windtunnel.journal.verify import verify
from windtunnel.models.talk import Ask, Message, Tool
from windtunnel.run import effects as room
from windtunnel.run.begin import begin

LONG = "x" * LEAST


@pytest.fixture
def store(flown):
    opened = SqliteStore(flown)
    yield opened
    opened.close()


def there_and_back(value: Any) -> tuple[bytes, dict[bytes, bytes]]:
    raw = encode_body(value)
    stored, texts = fold(raw)
    assert unfold(stored, texts.__getitem__) == raw
    assert set(named(stored)) == set(texts)
    assert all(sha256(body).digest() == hash for hash, body in texts.items())
    return stored, texts


def test_the_calls_of_an_agent_repeat_only_what_is_new():
    system, tool = "Be careful. " * 100, Tool("quote", "d" * 400, {"type": "object", "about": "y" * 200})
    schema = {"type": "object", "properties": {f"field{n}": {"type": "string"} for n in range(40)}}
    calls = [
        Ask("house", (Message("system", system), Message("user", f"Turn {turn}")), (tool,), schema)
        for turn in (1, 2)
    ]
    (first, texts), (second, more) = (there_and_back(call) for call in calls)
    assert first != second
    assert texts == more
    assert sorted(map(len, texts.values())) == sorted(
        [len(system), len(encode_body((tool,))), len(encode_body(schema))]
    )
    assert len(first) < 400


@pytest.mark.parametrize(
    "value",
    [
        {"$text": LONG * 2},
        {"$text": "a" * 64, "said": LONG * 2},
        [{"$text": "a" * 64}, LONG * 2],
        [{"$json": [LONG]}, {"$plain": {"$plain": {"$text": 5}}}, {"$plain": 5}, LONG * 2],
        {"schema": {"$text": "a" * 64, "long": LONG}, "tools": [{"$json": "b" * 64}] * 40},
        {"tools": {"schema": LONG}, "schema": LONG * 2, "more": {"tools": 5}},
        {"ok": [LONG, LONG, LONG]},
        {"deep": [[[[LONG * 3]]]], "none": None, "numbers": [1.0, -0.0, 1e300, 2**63 - 1, True]},
    ],
)
def test_what_looks_like_a_name_survives(value):
    stored, texts = there_and_back(value)
    assert stored.startswith(b" ")
    assert texts


def _nothing(hash: bytes) -> bytes:
    raise AssertionError(f"nobody named {hash.hex()}")


@pytest.mark.parametrize("mark", ['"', "\\", '\\"', "\n", "é", "\u2028"])
def test_a_text_full_of_marks_is_a_text_too(mark):
    _, texts = there_and_back({"said": mark * LEAST, "more": ["y" * 100] * 10})
    assert list(texts.values()) == [(mark * LEAST).encode()]


PIECES = st.sampled_from(["$text", "$json", "$plain", "schema", "tools", "a", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([LONG, LONG[1:], "é" * LEAST, "a" * 64, '"\\\n\u2028' * LEAST]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_whatever_is_folded_comes_back_byte_for_byte(value):
    there_and_back([value, LONG * 2])


def test_what_is_short_or_has_no_long_text_stays_as_it_is():
    for value in ({"q": 1}, {"said": LONG}, {"many": ["y" * (LEAST - 1)] * 50}, list(range(5000))):
        raw = encode_body(value)
        assert fold(raw) == (raw, {})
    assert len(encode_body({"said": LONG})) < LEAST_BYTES


def test_a_text_with_a_zero_in_it_stays_in_its_json_where_it_is_escaped():
    stored, texts = there_and_back({"a": f"{LONG}\0", "b": LONG * 2})
    assert list(texts.values()) == [(LONG * 2).encode()]
    assert b"\0" not in stored


def test_an_object_with_one_of_our_keys_is_not_taken_for_a_name_where_nothing_was_folded():
    raw = encode_body({"$text": "a" * 64})
    assert fold(raw) == (raw, {})
    assert unfold(raw, _nothing) == raw


def test_what_lies_deep_stays_where_it_is():
    value: Any = {"$text": LONG}
    for _ in range(DEEPEST + 20):
        value = [value]
    stored, texts = there_and_back([value, "z" * LEAST])
    assert list(texts.values()) == [b"z" * LEAST]
    assert LONG.encode() in stored
    for depth in range(DEEPEST - 3, DEEPEST + 3):
        value = {"schema": {"$plain": LONG}, "$text": LONG}
        for _ in range(depth):
            value = [value]
        there_and_back([value, LONG * 2])


def test_ready_made_json_does_not_pass_for_a_folded_form():
    sly = b' {"$text":"%b"}' % (b"a" * 64)
    stored, texts = fold(encode_body(msgspec.Raw(sly)))
    assert (stored, texts) == (sly.lstrip(), {})


@pytest.mark.parametrize("bad", [b" {", b' {"$text":5}', b' {"$json":"ab"}', b' {"$plain":[]}', b" \xff"])
def test_a_folded_form_that_is_broken_is_an_error_in_words(bad):
    for read in (lambda: unfold(bad, _nothing), lambda: list(named(bad))):
        with pytest.raises(StorageError):
            read()


# --- in runs ---


def test_a_run_stores_what_its_calls_repeat_once(store):
    stored = rows(store.path, "SELECT request, result FROM effect WHERE turn=2 OR turn=6")
    assert all(row[0].startswith(" ") and BRIEF not in row[0] and REASON not in row[1] for row in stored)
    bodies = [body for (body,) in rows(store.path, "SELECT body FROM text")]
    assert bodies.count(BRIEF) == bodies.count(msgspec.json.encode(TOOLS).decode()) == 1
    assert rows(store.path, "SELECT request FROM effect WHERE run_id='r1' AND turn=5") == [('{"turn":5}',)]


def test_whoever_looks_at_effects_sees_them_whole(store):
    request = {"turn": 2, "brief": BRIEF, "tools": TOOLS}
    answer = {"price": 14, "why": f"14. {REASON}", "again": REASON}
    for run_id in ("r1", "f1"):
        (told,) = [one for one in effects_told(Lineage(store, run_id)) if one.turn == 2]
        assert (told.request, told.result) == (request, answer)
    (shown,) = effects(Found(store.path, store.run("r1")), 2)
    assert (decode_body(shown.request), decode_body(shown.result or b"")) == (request, {"ok": answer})


@pytest.mark.parametrize("how", ["UPDATE text SET body=body||'!'", "DELETE FROM text"])
def test_a_changed_text_is_never_shown_or_played_as_if_it_were_the_recorded_one(store, how):
    edit(store.path, f"{how} WHERE body LIKE '28. %'")
    assert not replayed(store, "r1")
    (effect,) = store.effects("r1", 4)
    with pytest.raises(StorageError, match=r"text .* (was changed|is missing)") as refused:
        whole(store, effect)
    assert refused.value.where == "effect 4.plan.a.0"


def test_a_changed_text_of_a_call_in_the_midst_of_a_turn_is_found(store):
    begin(store, flights.WORLD, flights.scene(), "cut", players=flights.PLAYERS)
    flights.play(store, "cut", stop_after=1)
    _answered(store, "cut")
    assert verify(store, "cut").intact
    edit(store.path, "DELETE FROM text WHERE body=?", BRIEF)
    problem = verify(store, "cut").first_problem
    assert problem is not None
    assert problem["where"] == "effect 2.plan.a.0"


def _answered(store: SqliteStore, run_id: str) -> None:
    """A run that died after an answer of turn 2 was durable, before its turn was sealed."""

    class Dies(BaseException):
        pass

    def dies(*_: object) -> None:
        raise Dies

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flights.Rules, "apply", dies)
        with pytest.raises(Dies):
            flights.play(store, run_id)


def test_an_answer_that_was_durable_is_used_after_a_crash_and_not_asked_for_again(store, monkeypatch):
    begin(store, flights.WORLD, flights.scene(), "cut", players=flights.PLAYERS)
    flights.play(store, "cut", stop_after=1)
    _answered(store, "cut")
    asked = []
    quote = flights.WORLD.effects["quote"].perform

    async def counted(request: Any, call: Any) -> Any:
        asked.append(request["turn"])
        assert quote is not None
        return await quote(request, call)

    kind = msgspec.structs.replace(flights.WORLD.effects["quote"], perform=counted)
    monkeypatch.setitem(flights.WORLD.effects, "quote", kind)
    assert flights.play(store, "cut") is Status.COMPLETED
    assert asked == [3, 4, 5, 6, 7, 8]
    # `cut` had no mail, so it is held against a run that had none either, and was never stopped.
    flights.fly(store, "uncut", stops=())
    assert store.run("cut").head_hash == store.run("uncut").head_hash


# --- stores of format 1 ---


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store as format 1 had it, with a run stopped in the midst of turn 6: all effects stand whole."""
    path = tmp_path / "old.sqlite"
    store = SqliteStore(path, create=True)
    with monkeypatch.context() as patch:
        patch.setattr(room, "fold", lambda raw: (raw, {}))
        flights.fly(store, "done", stops=())
        begin(store, flights.WORLD, flights.scene(), "half", players=flights.PLAYERS)
        flights.play(store, "half", stop_after=5)
        _answered(store, "half")
    store.close()
    made_older(path, 1)
    assert BRIEF in rows(path, "SELECT request FROM effect WHERE turn=6")[0][0]
    return path


def test_an_old_store_is_read_without_being_written_to(old):
    before = old.read_bytes()
    store = SqliteStore(old, read_only=True)
    assert store.altered() == []
    assert verify(store, "done").intact
    assert replayed(store, "done")
    assert store.text(b"x" * 32) is None
    store.close()
    assert old.read_bytes() == before


def test_an_old_store_gets_its_table_when_it_is_opened_to_be_written_to(old):
    (other, store) = SqliteStore(old, read_only=True), SqliteStore(old)
    assert store.altered() == other.altered() == []
    assert rows(old, "PRAGMA user_version") == [(FORMAT,)]
    assert flights.play(store, "half") is Status.COMPLETED
    assert store.run("half").head_seq == store.run("done").head_seq
    folded = rows(
        old, "SELECT turn, request LIKE ' %' FROM effect WHERE run_id='half' AND turn%2=0 ORDER BY turn"
    )
    assert folded == [(2, 0), (4, 0), (6, 0), (8, 1)]
    for run_id in ("done", "half"):
        assert verify(store, run_id).intact
        assert replayed(store, run_id)
    assert {one.request["brief"] for one in effects_told(Lineage(other, "half")) if one.turn % 2 == 0} == {
        BRIEF
    }
    other.close()
    store.close()


def test_an_old_run_moves_to_a_new_store_as_it_is(old, tmp_path):
    from windtunnel.journal.transfer import merge

    source, target = SqliteStore(old, read_only=True), SqliteStore(tmp_path / "new.sqlite", create=True)
    assert merge(source, target).copied == ["done", "half"]
    assert verify(target, "done").intact
    assert replayed(target, "done")
    assert rows(target.path, "SELECT count(*) FROM text") == [(0,)]
    source.close()
    target.close()


@pytest.mark.parametrize("name", ["held", "talk"])  # those of format 1
def test_a_golden_journal_is_given_its_table(tmp_path, name):
    path = tmp_path / f"{name}.sqlite"
    path.write_bytes((HERE / path.name).read_bytes())
    assert rows(path, "PRAGMA user_version") == [(1,)]
    store = SqliteStore(path)
    assert (store.altered(), verify(store, "run").intact) == ([], True)
    assert rows(path, "PRAGMA user_version") == [(FORMAT,)]
    store.close()


def test_a_recorded_call_that_was_another_is_told_in_full(store, monkeypatch):
    monkeypatch.setattr(flights, "BRIEF", BRIEF.replace("today", "tomorrow"))
    import asyncio

    from windtunnel.run.replay import replay

    told = asyncio.run(replay(store, flights.WORLD, "r1", players=flights.PLAYERS)).first_difference
    assert told is not None
    assert "today" in told["recorded"]
    assert "tomorrow" in told["played"]
    assert "$text" not in told["recorded"]
