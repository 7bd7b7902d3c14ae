"""A scenario's policy around its world's judge: one wrapper, and the only place where the two meet.

What the world rejects stays rejected. What it accepts, amends or holds is shown to the policy as it would be
done, with what the world says is at stake; the policy may hold it, ask for more people, or refuse it. Doing
nothing is never held: it is what a held action comes to. A scenario without a policy has no wrapper at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from windtunnel.codec import encode_body
from windtunnel.errors import WindtunnelError, WorldError
from windtunnel.run.deciding import one_typed
from windtunnel.safety import Policy
from windtunnel.safety.policy import RISKS
from windtunnel.world import ACCEPT, Actor, Context, Stakes, Verdict

if TYPE_CHECKING:
    from windtunnel.run.player import Player

Check = Callable[[Any, Actor, Any, Context], Any]
UNKNOWN = Stakes()  # a world that does not say


def checker(player: Player) -> Check | None:
    """Who judges actions in this run, from here on."""
    validator = player.world.validator
    own: Check | None = validator.check if validator is not None else None
    plain = player.scenario.approvals
    return Approving(player, Policy(plain), own).check if plain else own


class Approving:
    def __init__(self, player: Player, policy: Policy, own: Check | None) -> None:
        self._player, self._policy, self._own = player, policy, own
        roles = player.world.roles
        self._nothing = {name: (type(role.no_op), encode_body(role.no_op)) for name, role in roles.items()}

    def check(self, state: Any, actor: Actor, action: Any, context: Context) -> Any:
        word = ACCEPT if self._own is None else self._own(state, actor, action, context)
        if type(word) is CoroutineType:
            return self._later(word, state, actor, action)
        return self._ruled(word, state, actor, action)

    async def _later(self, word: Any, state: Any, actor: Actor, action: Any) -> Any:
        return self._ruled(await word, state, actor, action)

    def _ruled(self, verdict: Any, state: Any, actor: Actor, action: Any) -> Any:
        if type(verdict) is not Verdict or verdict.kind == "reject":
            return verdict  # what is no verdict is refused by the loop
        if verdict.action is not None:
            action = one_typed(self._player.cast.seats[actor.id], verdict.action, self._player)
        kind, nothing = self._nothing[actor.role]
        if type(action) is kind and encode_body(action) == nothing:
            return verdict
        return self._policy.judge(verdict, action, self._stakes(state, actor, action))

    def _stakes(self, state: Any, actor: Actor, action: Any) -> Stakes:
        ask = self._player.world.stakes
        if ask is None:
            return UNKNOWN
        what = type(action).__name__
        try:
            stakes = ask(state, actor, action)
        except WindtunnelError:
            raise
        except Exception as error:
            raise WorldError(
                f"stakes of {what}: {type(error).__name__}: {error}", remedy="mend the world's stakes"
            ) from error
        return checked(stakes, what)


def checked(stakes: Any, what: str) -> Stakes:
    """What a world says is at stake, or the error that says why it cannot be."""
    remedy = "return Stakes(amount, risk, summary, unit); an amount is 0 or more, or None"
    if type(stakes) is not Stakes:
        raise WorldError(f"stakes of {what} returned {stakes!r}"[:120], remedy=remedy)
    if stakes.risk not in RISKS:
        raise WorldError(
            f"stakes of {what}: {stakes.risk!r} is no risk", remedy=f"one of: {', '.join(RISKS)}"
        )
    amount: Any = stakes.amount  # nobody has held it against its type yet
    if amount is not None:
        good = isinstance(amount, (int, float)) and not isinstance(amount, bool)
        if not good or not math.isfinite(amount) or amount < 0:
            raise WorldError(f"stakes of {what}: {amount!r} is no amount", remedy=remedy)
    return stakes
