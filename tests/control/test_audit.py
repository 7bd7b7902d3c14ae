"""The audit log: what it keeps, what it strikes out, and what it notices."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.control.clocked import Clocked, ClockedPostgres, again, clocked
from tests.databases import BOTH
from windtunnel.control.access import Keys, Principal, Role
from windtunnel.control.audit import (
    DENIED,
    DETAIL,
    DONE,
    HIDDEN,
    REQUEST,
    STRANGERS_A_MINUTE,
    Audit,
    Filters,
    Head,
)  # fmt: skip
from windtunnel.errors import UsageError

ANA = Principal("ana", frozenset({Role.OPERATOR}), "rest")
BEN = Principal("ben", frozenset({Role.VIEWER}), "mcp")


@pytest.fixture(params=BOTH)
def database(request: Any, tmp_path: Path) -> Iterator[Clocked | ClockedPostgres]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with closing(clocked(request.param, tmp_path, url)) as made:
        yield made


@pytest.fixture
def audit(database: Clocked | ClockedPostgres) -> Audit:
    return Audit(database)


def some(audit: Audit, count: int = 5) -> None:
    for number in range(1, count + 1):
        audit.append(ANA if number % 2 else BEN, "start", f"run{number}")


def test_an_entry_says_who_what_when_and_how_it_ended(
    audit: Audit, database: Clocked | ClockedPostgres
) -> None:
    audit.append(ANA, "cancel", "4k2", DENIED, {"why": "no role"}, request="r1")
    (entry,) = audit.page().items
    assert (entry.seq, entry.at, entry.who, entry.via) == (1, database.moment, "ana", "rest")
    assert (entry.verb, entry.target, entry.outcome) == ("cancel", "4k2", DENIED)
    assert (entry.request, entry.detail) == ("r1", {"why": "no role"})


def test_an_entry_carries_the_request_that_is_served(audit: Audit) -> None:
    token = REQUEST.set("req-7")
    try:
        audit.append(ANA, "start")
    finally:
        REQUEST.reset(token)
    assert audit.page().items[0].request == "req-7"


def test_an_outcome_that_nobody_knows_is_refused(audit: Audit) -> None:
    with pytest.raises(UsageError, match="no outcome"):
        audit.append(ANA, "start", "", "perhaps")


def test_pages_go_on_where_they_ended_both_ways(audit: Audit) -> None:
    some(audit)
    first = audit.page(limit=2)
    assert ([entry.seq for entry in first.items], first.next) == ([1, 2], 2)
    last = audit.page(after=4, limit=2)
    assert ([entry.seq for entry in last.items], last.next) == ([5], None)
    newest = audit.page(limit=2, filters=Filters(newest=True))
    assert ([entry.seq for entry in newest.items], newest.next) == ([5, 4], 4)
    rest = audit.page(after=newest.next, filters=Filters(newest=True))
    assert [entry.seq for entry in rest.items] == [3, 2, 1]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(who="ben"), [2, 4]),
        (Filters(verb="start"), [1, 2, 3, 4, 5]),
        (Filters(verb="stop"), []),
        (Filters(target="run3"), [3]),
        (Filters(outcome=DENIED), []),
        (Filters(who="ana", target="run2"), []),
    ],
)
def test_filters_choose(audit: Audit, filters: Filters, found: list[int]) -> None:
    some(audit)
    assert [entry.seq for entry in audit.page(filters=filters).items] == found


def test_filters_choose_by_time(audit: Audit, database: Clocked | ClockedPostgres) -> None:
    for _ in range(3):
        audit.append(ANA, "start")
        database.moment += 10
    first = database.moment - 30
    assert [e.seq for e in audit.page(filters=Filters(since=first + 10, until=first + 20)).items] == [2]


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_page_has_bounds(audit: Audit, limit: int) -> None:
    with pytest.raises(UsageError, match="1 to 1000"):
        audit.page(limit=limit)


def test_an_untouched_log_is_intact(audit: Audit) -> None:
    assert audit.verify().intact
    some(audit)
    assert (audit.verify().entries, audit.verify().problem) == (5, None)


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        ("UPDATE audit SET body=replace(body,'run3','run4') WHERE seq=3", "entry 3 was changed"),
        ("UPDATE audit SET who='ben' WHERE seq=3", "entry 3: its columns"),
        ("UPDATE audit SET outcome='denied' WHERE seq=1", "entry 1: its columns"),
        ("UPDATE audit SET at=at+1 WHERE seq=2", "entry 2: its columns"),
        ("UPDATE audit SET hash=prev WHERE seq=2", "entry 2 was changed"),
        ("DELETE FROM audit WHERE seq=2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE seq=1", "entry 1 is missing"),
        ("DELETE FROM audit WHERE seq>3", "ends at entry 3, its head says 5"),
        ("DELETE FROM audit", "ends at entry 0, its head says 5"),
        ("UPDATE audit_head SET hash=(SELECT prev FROM audit WHERE seq=1)", "ends at entry 5"),
    ],
)
def test_what_was_done_behind_its_back_is_found(
    audit: Audit, database: Clocked | ClockedPostgres, harm: str, problem: str
) -> None:
    some(audit)
    database.rows(harm)
    assert problem in (audit.verify().problem or "")


def test_a_chain_written_anew_is_found_by_a_head_kept_elsewhere(
    audit: Audit, database: Clocked | ClockedPostgres
) -> None:
    some(audit)
    kept = audit.head()
    assert audit.verify(kept).intact
    database.rows("DELETE FROM audit")
    database.rows("DELETE FROM audit_head")
    some(audit, 4)
    assert audit.verify().intact
    assert "kept elsewhere says 5" in (audit.verify(kept).problem or "")
    some(audit, 1)
    database.moment += 1
    assert audit.verify(Head(5, bytes(32))).problem == "entry 5 is not the one whose head was kept elsewhere"


def test_an_entry_that_was_changed_with_its_hash_is_found_by_the_next(
    audit: Audit, database: Clocked | ClockedPostgres
) -> None:
    some(audit)
    ((body, prev),) = database.rows("SELECT body, prev FROM audit WHERE seq=3")
    changed = body.replace("run3", "run9")
    made = hashlib.sha256(bytes(prev) + changed.encode()).digest()
    database.rows("UPDATE audit SET body=?, target='run9', hash=? WHERE seq=3", [changed, made])
    assert audit.verify().problem == "entry 4 does not follow the one before it"
    database.rows("UPDATE audit SET prev=? WHERE seq=4", [made])
    assert audit.verify().problem == "entry 4 was changed"


def test_a_long_log_is_verified_in_pieces(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.control.audit._BATCH", 2)
    some(audit, 7)
    assert audit.verify().entries == 7


def test_two_servers_write_one_chain(audit: Audit, database: Clocked | ClockedPostgres) -> None:
    def write() -> None:
        mine = again(database)
        log = Audit(mine)
        for _ in range(10):
            log.append(ANA, "start")
        mine.close()

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (audit.verify().entries, audit.verify().problem) == (30, None)


SECRETS: list[tuple[dict[str, Any], str]] = [
    ({"password": "tulip"}, "tulip"),
    ({"Authorization": "tulip"}, "tulip"),
    ({"client_secret": "tulip"}, "tulip"),
    ({"api_key": ["tulip"]}, "tulip"),
    ({"inner": {"deep": {"refresh_token": "tulip"}}}, "tulip"),
    ({"note": "sent Bearer tulip.123 along"}, "tulip"),
    ({"note": ["ghp_abcdefghijklmnopqrstuvwx"]}, "abcdefghijkl"),
    ({"header": "eyJhbGciOi.eyJzdWIiOi.tulip"}, "tulip"),
]


@pytest.mark.parametrize(("detail", "secret"), SECRETS)
def test_no_secret_is_kept(audit: Audit, detail: dict[str, Any], secret: str) -> None:
    audit.append(ANA, "set", "x", DONE, detail)
    (entry,) = audit.page().items
    assert secret not in json.dumps(entry.detail)
    assert HIDDEN in json.dumps(entry.detail)


def test_a_key_that_stands_in_a_target_or_a_text_is_struck_out(
    audit: Audit, database: Clocked | ClockedPostgres
) -> None:
    made = Keys(database).create("ana", ["viewer"])
    audit.append(ANA, "get", f"/x/{made.secret}/y", DONE, {"said": f"key={made.secret}!"})
    (entry,) = audit.page().items
    assert (entry.target, entry.detail) == (f"/x/{HIDDEN}/y", {"said": f"key={HIDDEN}!"})


def test_numbers_of_tokens_are_no_secret(audit: Audit) -> None:
    audit.append(ANA, "set", "x", DONE, {"max_tokens": 500})
    assert audit.page().items[0].detail == {"max_tokens": 500}


@pytest.mark.parametrize(
    "detail",
    [
        {"text": "x" * 1_000_000},
        {f"name{number}": "y" * 500 for number in range(1_000)},
        {f"{'n' * 60}{number:04}": 1 for number in range(1_000)},
        {"list": [["z" * 100] * 100] * 100},
        {"deep": {"a": {"b": {"c": {"d": {"e": "x" * 10_000}}}}}},
    ],
)
def test_an_entry_has_a_bounded_size(
    audit: Audit, database: Clocked | ClockedPostgres, detail: dict[str, Any]
) -> None:
    name = "n" * 10_000
    audit.append(Principal(name, frozenset(), name), name, name, DONE, detail, request=name)
    ((body,),) = database.rows("SELECT body FROM audit")
    assert len(body) < DETAIL + 2_000
    assert audit.verify().intact


def test_odd_texts_and_numbers_are_kept_as_text(audit: Audit) -> None:
    audit.append(ANA, "a\x00b\nc", "\ud800", DONE, {"nan": float("nan"), "big": 1 << 80, "set": {2, 1}})
    (entry,) = audit.page().items
    assert (entry.verb, entry.target) == ("a�b�c", "�")
    assert entry.detail == {"nan": "nan", "big": str(1 << 80), "set": ["1", "2"]}


def test_a_flood_of_strangers_is_counted_and_not_written(
    audit: Audit, database: Clocked | ClockedPostgres
) -> None:
    nobody = Principal("nobody", frozenset(), "rest")
    for _ in range(STRANGERS_A_MINUTE + 40):
        audit.denied_stranger(nobody, "GET", "/api/simulations", "no key")
    assert audit.head().seq == STRANGERS_A_MINUTE
    database.moment += 61
    audit.denied_stranger(nobody, "GET", "/api/simulations", "no key")
    last = audit.page(filters=Filters(newest=True)).items[0]
    assert (last.outcome, last.detail) == (DENIED, {"why": "no key", "more": 40})
