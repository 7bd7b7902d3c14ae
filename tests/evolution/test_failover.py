"""Who rewrites instructions is asked through the gateway: one provider's death is no end of an evolution."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.evolution.searching import Pretended, made, noise, played
from windtunnel.codec import decode_body
from windtunnel.config import Workspace
from windtunnel.control.catalog import Found, opened
from windtunnel.testing.provider import Answer, Plot, ProviderProcess, hang

pytestmark = pytest.mark.slow
ANSWERED = 2  # by the first, before it hangs and is killed


def written(who: str, count: int) -> tuple[str | Answer, ...]:
    """Other instructions each time, and whose they are."""
    return tuple(f'{{"why": "{who}", "instructions": "{who} wrote number {one}"}}' for one in range(count))


def talking(home: Path, first: ProviderProcess, second: ProviderProcess) -> Workspace:
    with (home / "windtunnel.toml").open("a") as file:
        for name, one in (("first", first), ("second", second)):
            file.write(
                f'[models.deployments.{name}]\nlocal = true\nmodel = "openai-chat:any"\n'
                f'url = "{one.openai}"\n'
            )
        file.write('[models.routes.writers]\nchain = ["first", "second"]\n')
        file.write("[models.retry]\nattempts = 1\n")
    return Workspace(home)


def kill_while_it_is_asked(provider: ProviderProcess) -> None:
    while provider.totals.asked <= ANSWERED:
        time.sleep(0.02)
    os.kill(provider.pid, signal.SIGKILL)


def test_a_provider_killed_in_the_middle_is_replaced_by_the_next_and_nothing_is_paid_twice(
    workspace: Workspace,
) -> None:
    dying = Plot(answers=(*written("first", ANSWERED), *[hang()] * 20))
    with ProviderProcess(dying) as first, ProviderProcess(Plot(answers=written("second", 40))) as second:
        place = talking(workspace.root, first, second)
        plan = made(place, start="talker.yaml", generations=3, reflection={"model": "writers"})
        hands = Pretended(noise("failover"))
        killer = threading.Thread(target=kill_while_it_is_asked, args=(first,), daemon=True)
        killer.start()
        found, story = played(place, plan, hands)
        killer.join(10)
        log = second.log
    assert story.status == "completed", story.reason
    candidates = {one.name: one for row in story.generations for one in row.candidates}
    calls = answers(found)
    assert {whose for _, whose in calls} == {"first", "second"}
    stood_in = sum(whose == "second" for _, whose in calls)
    assert len(calls) - stood_in == ANSWERED
    assert story.marks == (f"in {stood_in} reflections second stood in for first",)
    assert {"first", "second"} >= {one.why for one in candidates.values() if one.operator == "reflection"}
    assert log.paid_again() == {}
    assert log.totals.answered == stood_in, "each answer of the second was asked for once, and is used"
    keys = [key for key, _ in calls]
    assert len(set(keys)) == len(keys), "no call was answered twice"


def answers(found: Found) -> list[tuple[str, str]]:
    """Each call that was answered, and by which deployment."""
    with opened(found, read_only=True) as store:
        told: list[dict[str, Any]] = [
            decode_body(one.body) for one in store.operations(found.row.run_id) if one.kind == "model_attempt"
        ]
    return [(one["key"], one["deployment"]) for one in told if one.get("outcome") == "ok"]
