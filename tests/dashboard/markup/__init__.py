"""A world that writes markup wherever a world or an agent may write words. A page that took any of it for
more than words would get an element with an `onerror`, and would run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

from windtunnel.world import (
    Action,
    Applied,
    Context,
    Decided,
    Engine,
    Event,
    Hold,
    Role,
    Scenario,
    Verdict,
    World,
)

NAME = "<img src=x onerror=window.pwned=1>"  # without a slash, which parts a world from its scenario
PAYLOAD = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"
HELD = 3  # in this turn the action waits for a person


class Speak(Action, frozen=True):
    words: str = ""


class Heard(Struct):
    turn: int = 0
    last: str = ""


class Rules(Engine[Heard]):
    def start(self, scenario: Scenario, context: Context) -> Heard:
        return Heard()

    def observe(self, state: Heard, actor: Any) -> dict[str, Any]:
        return {"turn": state.turn, "last": state.last, PAYLOAD: PAYLOAD}

    def apply(self, state: Heard, decided: Decided, events: Any, context: Context) -> Applied[Heard]:
        state.turn += 1
        for action in decided.values():
            state.last = action.words
        return Applied(state, [Event(PAYLOAD, {"said": state.last})])

    def score(self, state: Heard) -> dict[str, dict[str, float]]:
        return {"world": {PAYLOAD: float(state.turn)}, "ann": {"wealth": float(state.turn)}}

    def over(self, state: Heard) -> str | None:
        return PAYLOAD if state.turn == 40 else None


class Judge:
    def check(self, state: Heard, actor: Any, action: Speak, context: Context) -> Verdict:
        if state.turn + 1 == HELD and context.settings.get("held"):
            return Verdict("hold", PAYLOAD, hold=Hold(PAYLOAD, summary=PAYLOAD, amount=1.0, unit=PAYLOAD))
        return Verdict("amend", PAYLOAD, action=Speak(f"amended {PAYLOAD}"))


def speaks(seen: dict[str, Any], context: Context) -> Speak:
    return Speak(f"turn {seen['turn'] + 1}: {PAYLOAD}")


world = World(
    NAME,
    Rules(),
    Heard,
    {"speaker": Role((Speak,), Speak(), {"speaks": speaks}, instructions=PAYLOAD)},
    validator=Judge(),
    description=PAYLOAD,
    headline=(PAYLOAD,),
    scenarios=str(Path(__file__).parent / "scenarios"),
)
