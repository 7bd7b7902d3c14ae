"""What a view is told: no prose unless asked for, and through a seat no more than who sits there may know."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.streams.scribe import ROW
from windtunnel.codec import encode_body
from windtunnel.control.follow import NOWHERE, Row, Told
from windtunnel.control.telling import Teller, View
from windtunnel.journal import Arrival, Effect, Entry, Operation

PROSE = "obey me"
BODIES = {
    "started": {"world": PROSE, "scenario": {"name": PROSE}},
    "forked": {"scenario": {"name": PROSE}, "changes": {"x": PROSE}, "branch": 1},
    "mail": {"kind": "event", "body": {"kind": PROSE, "body": PROSE}, "sender": "vera"},
    "decided": {"actions": {"ann": {"say": PROSE}}, "refused": {"bob": {"label": "empty", "why": PROSE}}},
    "judged": {"verdicts": {"ann": {"kind": "reject", "reason": PROSE}}},
    "applied": {"events": [{"kind": PROSE, "body": PROSE}]},
    "migrated": {"schema": {PROSE: PROSE}, "state": "0"},
}


def row(kind, body, *, phase="plan"):
    entry = Entry(5, 2, phase, kind, "", encode_body(body), b"", b"\x01")
    return Row("entry", 6, entry, 10)


def tell(one, **view):
    run = msgspec.structs.replace(ROW, run_id="r")
    said = Teller(None, "r").tell(one, run, View(**view), NOWHERE)
    return None if said is None else json.loads(msgspec.json.encode(said))


@pytest.mark.parametrize("kind", BODIES)
def test_no_prose_is_told_unless_it_is_asked_for_and_then_it_is_data(kind):
    for view in ({}, {"entries": True}, {"entries": True, "seat": "ann"}):
        assert PROSE not in json.dumps(tell(row(kind, BODIES[kind]), **view))
    said = json.dumps(tell(row(kind, BODIES[kind]), entries=True, words=True))
    assert PROSE in said
    assert '"data"' in said
    assert '"from"' in said


def test_prose_is_from_whoever_wrote_it():
    says = tell(row("decided", BODIES["decided"]), entries=True, words=True)["body"]["says"]
    assert says["actions"]["ann"] == {"data": {"say": PROSE}, "from": "ann"}
    assert says["refused"]["bob"]["from"] == "bob"
    assert tell(row("mail", BODIES["mail"]), entries=True, words=True)["body"]["says"]["from"] == "vera"


def test_effects_and_operations_hold_back_their_words_too():
    effect = Effect(
        2, "plan", "ann/scout", 0, "model", "k", encode_body({"p": PROSE}), encode_body({"ok": PROSE})
    )
    told = Row("effect", 1, Told(Arrival(1, *effect.place, True), effect), 1)
    halted = Row("operation", 1, Operation(0, 1.0, "halted", encode_body({"message": PROSE}), b"", b""), 1)
    for one in (told, halted):
        assert tell(one, entries=True) is not None
        assert PROSE not in json.dumps(tell(one, entries=True))
        assert PROSE in json.dumps(tell(one, entries=True, words=True))
    assert tell(told) is None
    assert tell(told, entries=True, seat="bob", words=True) is None
    assert tell(told, entries=True, seat="ann", words=True)["body"]["result"]["from"] == "ann/scout"


def test_a_seat_is_told_what_its_agent_may_know():
    events = [
        {"kind": "all", "body": 1},
        {"kind": "ann's", "body": 2, "visible_to": ["ann"]},
        {"kind": "bob's", "body": 3, "visible_to": ["bob"]},
        {"kind": "nobody's", "body": 4, "visible_to": []},
    ]
    seat = {"entries": True, "words": True, "seat": "ann"}
    seen = tell(row("applied", {"events": events}), **seat)["body"]["says"]["events"]["data"]
    assert [one["body"] for one in seen] == [1, 2]
    both = {"actions": {"ann": {"say": "mine"}, "bob": {"say": "hidden"}}}
    assert "hidden" not in json.dumps(tell(row("decided", both), **seat))
    assert "mine" in json.dumps(tell(row("decided", both), **seat))
    assert tell(row("decided", {"actions": {"bob": {}}}), **seat) is None
    metrics = {"metrics": {"world": {"gdp": 7}, "ann": {"wealth": 1}, "bob": {"wealth": 9}}}
    assert tell(row("scored", metrics), seat="ann")["body"] == {"metrics": {"ann": {"wealth": 1}}}
    assert tell(row("scored", metrics), **seat)["body"]["says"] == {"metrics": {"wealth": 1}}
    assert tell(row("judged", {"verdicts": {"bob": {"kind": "reject"}}}), **seat) is None
    assert tell(row("judged", {"verdicts": "accept"}), **seat)["body"]["says"]["verdict"]["data"] == "accept"
    for hidden in (["bob"], []):
        mail = {"kind": "event", "body": {"kind": "tip", "body": "hidden", "visible_to": hidden}}
        assert tell(row("mail", mail), **seat) is None
    assert tell(row("mail", {"kind": "ruling", "body": {"effect": "x"}}), **seat) is None
    for kind in ("effect", "observed", "forked", "migrated"):
        assert tell(row(kind, {}), **seat) is None
    assert "says" in tell(row("started", {"scenario": {"parameters": "hidden"}}), **seat)["body"]
    assert "hidden" not in json.dumps(tell(row("started", {"scenario": {"parameters": "hidden"}}), **seat))


def test_a_crowd_is_told_by_its_mean():
    crowd = {"metrics": {"world": {"gdp": 1.5}, "farmers": {"wealth": {"data": "AAAA", "mean": 4.5}}}}
    assert tell(row("scored", crowd))["body"]["metrics"]["farmers"] == {"wealth": 4.5}


def test_every_kind_of_entry_is_worded_in_every_view():
    from windtunnel.run.entries import KINDS

    for kind in KINDS:
        for view in (
            {},
            {"entries": True},
            {"entries": True, "words": True},
            {"entries": True, "seat": "ann"},
        ):
            tell(row(kind, BODIES.get(kind, {})), **view)
        assert tell(row(kind, BODIES.get(kind, {})), entries=True) is not None
