"""A model as judge of actions, after the world's own validator. It can only be stricter, never looser.

What the validator rejects or holds is rejected or held, and no model is asked; what it amends is judged as it
was amended; what the model amends goes before the validator again. Only actions of the types named are
judged, so that what it costs is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, TypeVar

import msgspec

from windtunnel.agents.forms import (
    WHY,
    in_words,
    object_in,
    on_a_line,
    reason_in,
    schema_for,
    typed,
    union_of,
)
from windtunnel.agents.question import DATA, Asking, answered, settled
from windtunnel.agents.render import as_data, render, short
from windtunnel.errors import Undecided, WorldError
from windtunnel.models.talk import Reply
from windtunnel.world import (
    ACCEPT,
    Action,
    Actor,
    Context,
    MaybeAsync,
    Validator,
    Verdict,
    amend,
    hold,
    reject,
)

S = TypeVar("S")
Kind = Literal["accept", "amend", "reject", "hold"]
JUDGE = "judge"  # the member of the agent's context that asks
MAY: tuple[Kind, ...] = ("accept", "amend", "reject")

KINDS = {
    "accept": "it is done",
    "amend": "another action of the same type is done instead: give it as `action`",
    "reject": "it is not done; whoever wants it reads your reason and may try again",
    "hold": "people decide",
}
TOLD = """\
You judge what others want to do in a simulated world, before it is done. It is well formed and allowed.

{instructions}

# What you may say

{kinds}

# The actions

{actions}

{data}
# How to answer

Think first if you like. End your answer with one JSON object and write nothing after it:
{{"why": "your reason in a sentence or two", "verdict": "accept"}}
"""
SHOWN = """\
Turn {turn}. `{who}`, in the role `{role}`, wants to do this:

{action}
{view}
Your verdict?
"""


class ModelValidator(Generic[S]):
    """A validator, and a model after it.

    `judges` are the types of action that the model is asked about; `view(state, actor)` is what it is shown
    beside the action: nothing that the actor may not know, since the actor reads the reason. `house(state,
    actor, action, context)` is the verdict of the model `house`. `when(context)` says whether it is asked.

    `when_unsure` is what an answer leads to that stays unusable. The default is `reject`: nothing is done
    unjudged, the agent may try something plainer, and in the end its no-op is taken, with nobody to wait for.
    """

    def __init__(  # noqa: PLR0913 - what a world says of its judge, each by its name
        self,
        base: Validator[S] | None,
        *,
        judges: Sequence[type[Action]],
        instructions: str,
        house: Callable[[S, Actor, Any, Context], MaybeAsync[Verdict]] | None = None,
        view: Callable[[S, Actor], Any] | None = None,
        when: Callable[[Context], bool] | None = None,
        may: Sequence[Kind] = MAY,
        when_unsure: Literal["reject", "hold", "accept"] = "reject",
        asking: Asking | None = None,
    ) -> None:
        if not judges:
            raise WorldError("a judge needs the types of action that it judges")
        self._base, self._judges = base, frozenset(judges)
        self._house, self._view, self._when = house, view, when
        self._may, self._when_unsure = tuple(may), when_unsure
        self._asking = asking or Asking()
        self._union = union_of(judges)
        fields = {"verdict": Literal[self._may], "action": self._union}
        self._schema = schema_for(fields if "amend" in may else {"verdict": fields["verdict"]}, ["verdict"])
        self._told = TOLD.format(
            instructions=instructions.strip(),
            kinds="\n".join(f"- `{kind}`: {KINDS[kind]}" for kind in may),
            actions=in_words(judges),
            data=DATA,
        )

    def check(self, state: S, actor: Actor, action: Any, context: Context) -> MaybeAsync[Verdict]:
        """The base's own word where nobody is asked: a sync validator stays one."""
        if type(action) not in self._judges or not (self._when is None or self._when(context)):
            return self._base.check(state, actor, action, context) if self._base is not None else ACCEPT
        return self._judged(state, actor, action, context)

    async def _judged(self, state: S, actor: Actor, action: Any, context: Context) -> Verdict:
        first = await self._by_the_base(state, actor, action, context)
        if first.kind in ("reject", "hold"):
            return first
        judged = first.action if first.kind == "amend" else action
        judge = context.member(JUDGE)
        house = await self._as_house(state, actor, judged, judge)

        async def read(reply: Reply) -> Verdict:
            verdict = self._read(reply, judged)
            if verdict.kind == "amend":
                await self._stand(state, actor, verdict.action, context)
            return verdict

        shown = self._shown(state, actor, judged, context)
        try:
            verdict: Verdict = await answered(
                judge, self._asking, self._told, shown, schema=self._schema, read=read, house=house
            )
        except Undecided as error:
            verdict = self._unsure(error)
        return first if verdict.kind == "accept" else verdict

    async def _by_the_base(self, state: S, actor: Actor, action: Any, context: Context) -> Verdict:
        if self._base is None:
            return ACCEPT
        verdict: Verdict = await settled(self._base.check(state, actor, action, context))
        return verdict

    async def _stand(self, state: S, actor: Actor, action: Any, context: Context) -> None:
        """What the model would do instead must please the validator too, as it is."""
        again = await self._by_the_base(state, actor, action, context)
        if again.kind != "accept":
            raise Undecided(
                "illegal", f"what you would do instead is no better, {again.kind}: {again.reason}"
            )

    def _read(self, reply: Reply, judged: Any) -> Verdict:
        found = object_in(reply)
        kind, why = found.get("verdict"), on_a_line(reason_in(found))
        if kind not in self._may:
            raise Undecided("unparsable", f"its `verdict` is none of {', '.join(self._may)}: {short(found)}")
        if kind == "accept":
            return ACCEPT
        if not why:
            raise Undecided("illegal", f"a verdict of {kind} needs a reason, as `why`")
        if kind != "amend":
            return reject(why) if kind == "reject" else hold(why)
        other = typed(found.get("action"), self._union)
        if type(other) is not type(judged):
            raise Undecided("illegal", f"amended, it must still be a {type(judged).__name__}")
        return amend(other, why)

    def _unsure(self, error: Undecided) -> Verdict:
        if self._when_unsure == "accept":
            return ACCEPT
        why = f"nobody could judge it, {error.label}: {on_a_line(error.message)}"
        return reject(why) if self._when_unsure == "reject" else hold(why)

    def _shown(self, state: S, actor: Actor, action: Any, context: Context) -> str:
        view = ""
        if self._view is not None:
            seen = render(self._view(state, actor), self._asking.observation)
            view = f"\n# What is known\n\n{seen}\n"
        return SHOWN.format(
            turn=context.turn, who=actor.id, role=actor.role, action=as_data(action), view=view
        )

    async def _as_house(self, state: S, actor: Actor, action: Any, context: Context) -> dict[str, Any]:
        """Made each time, in a replay too, as an agent's policy is."""
        verdict = await settled(self._house(state, actor, action, context)) if self._house else ACCEPT
        said = {WHY: verdict.reason or "the house has nothing against it", "verdict": verdict.kind}
        return said | ({"action": msgspec.to_builtins(verdict.action)} if verdict.kind == "amend" else {})
