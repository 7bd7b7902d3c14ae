"""The provider's log against the journal: what was asked, answered, billed, noted and recorded must agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import Any

from windtunnel.codec import decode_body
from windtunnel.journal import Effect
from windtunnel.journal.lineage import Lineage
from windtunnel.journal.texts import whole
from windtunnel.models.hub import Hub
from windtunnel.run.calls import ModelCalls
from windtunnel.run.clock import Clock
from windtunnel.run.tape import Tape
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import Exchange

BROUGHT = ("ok", "truncated", "empty", "refused")  # outcomes of an attempt that brought a reply


def bill(exchange: Exchange) -> int:
    """What a provider bills, in micro-dollars at one a token: all it began to answer, delivered or not."""
    return exchange.usage.input + exchange.usage.output if exchange.status == 200 else 0


def by_key(log: Iterable[Exchange]) -> dict[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in log:
        found[exchange.key].append(exchange)
    return found


def attempts(lab: Lab, run_id: str = "run") -> dict[str, list[Any]]:
    """What the operations say of each call, by its key: every attempt, in order."""
    found: dict[str, list[Any]] = defaultdict(list)
    for body in lab.operations("model_attempt", run_id):
        found[body["key"]].append(body)
    return found


def calls(lab: Lab, run_id: str = "run") -> list[Effect]:
    return [whole(lab.store, effect) for effect in lab.store.effects(run_id, kind="model")]


def durable(lab: Lab, run_id: str = "run") -> dict[str, Any]:
    """The calls whose end is in the journal, with what it is."""
    return {e.key: decode_body(e.result) for e in calls(lab, run_id) if e.result is not None}


def account(lab: Lab, hub: Hub, run_id: str = "run") -> Any:
    """The run's account, as whoever takes the run up next rebuilds it."""
    tape = Tape(Lineage(lab.store, run_id), Clock(), fence=None)
    return ModelCalls(hub, tape).accounts()[0]


def told(lab: Lab, run_id: str = "run") -> tuple[int, int]:
    """Spent and in doubt, added up from every attempt of the run, without any balance between."""
    spent = doubtful = 0
    for kind in ("model_attempt", "model_doubt"):
        for body in lab.operations(kind, run_id):
            spent += body.get("cost", 0)
            doubtful += body.get("doubt", {}).get("money", 0)
    return spent, doubtful


def _heard(noted: list[dict[str, Any]], count: int) -> Iterator[list[dict[str, Any]]]:
    """The attempts that a provider may have heard: of those that came to no connection, on a machine with too
    much to do, it may never know."""
    lines = [at for at, one in enumerate(noted) if one["outcome"] == "connection"]
    for unheard in combinations(lines, max(0, len(noted) - count)):
        found = [one for at, one in enumerate(noted) if at not in unheard]
        if len(found) == count:
            yield found


def _fits(one: dict[str, Any], exchange: Exchange) -> bool:
    if one["outcome"] in BROUGHT:
        return exchange.outcome == "answered" and bool(one["cost"] == bill(exchange))
    return bool(bill(exchange) <= one.get("doubt", {}).get("money", 0))


def agree(lab: Lab, log: Iterable[Exchange], *, killed: Iterable[str] = (), run_id: str = "run") -> None:
    """One attempt is noted for each request that the provider heard, in order, and none besides but those
    that came to no connection (`killed` names the calls of which one went unnoted). It brought a reply only
    if it was answered whole, and then cost what was billed; if it brought none and may be billed, the bill
    fits into what stays reserved. A recorded reply is the one that the last of its attempts brought, it costs
    what all of them did, and nothing was asked after it."""
    heard, noted, replies = by_key(log), attempts(lab, run_id), durable(lab, run_id)
    assert heard.keys() <= {effect.key for effect in calls(lab, run_id)}, "a call without a durable intent"
    for key, exchanges in heard.items():
        if key in killed:
            continue
        assert any(all(map(_fits, heard_of, exchanges)) for heard_of in _heard(noted[key], len(exchanges))), (
            key,
            noted[key],
            exchanges,
        )
    for key, result in replies.items():
        if "ok" not in result:
            continue
        assert noted[key][-1]["outcome"] in BROUGHT, key
        last = [one["attempt"] for one in noted[key]].count(
            1
        )  # asked so often: what came before has its own end
        begun = [n for n, one in enumerate(noted[key]) if one["attempt"] == 1][last - 1]
        assert result["ok"].get("cost", 0) == sum(one["cost"] for one in noted[key][begun:]), key
