"""The check of what a world says is at stake: sound for every action, the same when asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from windtunnel.chance import Chance
from windtunnel.errors import CodecError, WorldError
from windtunnel.run.approving import checked
from windtunnel.run.casting import Seat
from windtunnel.run.deciding import one_typed
from windtunnel.run.player import Player
from windtunnel.testing.making import Maker
from windtunnel.testing.report import Finding
from windtunnel.testing.secrecy import acting
from windtunnel.testing.subject import Subject

NAME = "stakes"
MADE = 5  # actions of each type, actor and turn
TODO = "stakes(state, actor, action) is a function of these three: it returns Stakes and changes nothing"


def stakes(subject: Subject) -> Iterator[Finding]:
    """Policies may ask of any action that is well typed."""
    if subject.world.stakes is None:
        yield subject.find(NAME, "skipped", "the world does not say what is at stake: all is of medium risk")
        return
    asked, risks = 0, set()
    for turn in subject.some_turns():
        player = subject.base().at(turn - 1 if turn else 0)
        for actor in acting(player):
            for action in _actions(player, player.cast.seats[actor.id], turn):
                problem, risk = _asked(player, actor, action)
                if problem:
                    yield subject.find(NAME, "lacks", f"turn {turn}, {actor.id}: {problem}", TODO)
                    return
                asked += 1
                risks.add(risk)
    yield subject.find(NAME, "ok", f"{asked} actions; risks: {', '.join(sorted(risks)) or 'none'}")


def _actions(player: Player, seat: Seat, turn: int) -> Iterator[Any]:
    """What its policies would do, doing nothing, and whatever the types allow."""
    yield seat.role.no_op
    seen = player.engine.observe(player.frame.state, seat.actor)
    decided = [policy(seen, seat.context) for policy in seat.role.policies.values()] if _plain(seen) else []
    yield from (one_typed(seat, action, player) for action in decided if _plain(action))
    names = tuple(player.cast.seats)
    for kind in seat.role.actions:
        for number in range(MADE):
            luck = Chance("stakes", turn, seat.id, kind.__name__, number)
            like = next((action for action in decided if type(action) is kind), None)
            maker = Maker(luck, extreme=number == MADE - 1, names=names, like=like)
            try:
                yield one_typed(seat, maker.action(kind), player)
            except (CodecError, ValueError):
                continue  # an array of nobody's shape: never judged, so never asked about


def _plain(value: Any) -> bool:
    if hasattr(value, "__await__"):
        value.close()
        return False
    return True


def _asked(player: Player, actor: Any, action: Any) -> tuple[str, str]:
    ask, what = player.world.stakes, type(action).__name__
    assert ask is not None
    state = player.frame.state
    before = player.codec.encode(state)
    try:
        first = checked(ask(state, actor, action), what)
        second = ask(state, actor, action)
    except WorldError as error:
        return error.message, ""
    except Exception as error:  # noqa: BLE001 - whatever a stranger's world raises is the finding
        return f"stakes of {action!r}"[:200] + f": {type(error).__name__}: {error}", ""
    if first != second:
        return f"stakes of {what} differ when asked twice: {first} and {second}", ""
    if player.codec.encode(state) != before:
        return f"stakes of {what} changed the state", ""
    return "", first.risk
