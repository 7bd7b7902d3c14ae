"""What a hostile model says never breaks a run, moves nothing, and costs no more than was reserved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import hostile, ledgers
from tests.faults.bank import KEY, SECRET, START, bank, civil, models, scenario
from windtunnel.journal import Status
from windtunnel.journal.verify import verify
from windtunnel.models.hub import Hub
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import Answer, Provider, Request

pytestmark = pytest.mark.slow

REPLIES = {**hostile.TEXTS, **hostile.CALLS, **hostile.BODIES}


def harmless(folder: Path, reply: Answer, *, money: float = 1.0) -> Lab:
    """A run in which the first agent's model says this all through the first turn. What must hold, holds."""

    def script(request: Request) -> Answer | str:
        return reply if "`t1`" in request.system and "Turn 1 of" in request.prompt else civil(request)

    with Provider(script) as provider:
        hub = Hub(models(provider.openai, money=money), environ={KEY: SECRET})
        with Lab(bank(), folder=folder, hub=hub) as lab:
            row = lab.play(scenario(2, 1, turns=2, attempts=2))
            assert row.status is Status.COMPLETED, row
            assert lab.at().frame.state.coins == {"t1": START, "t2": START, "g1": START}
            account = ledgers.account(lab, hub)
            assert account.spent.money >= 0
            assert account.spent.plus(account.doubtful).money <= money * 1_000_000
            (first,) = [one for one in lab.bodies("decided", turn=1) if one.get("attempt", 1) == 1]
            assert set(first["refused"]) == {"t1"}, "it was not refused, or another was"
            assert first["refused"]["t1"]["label"] in {
                "unparsable",
                "illegal",
                "empty",
                "refused",
                "truncated",
            }
            last = lab.bodies("judged", turn=1)[-1]
            assert last["verdicts"]["t1"]["kind"] == "no_op"
            assert lab.replay().identical
            assert verify(lab.store, "run").intact
            return lab


@pytest.mark.parametrize("name", REPLIES)
def test_a_hostile_reply_breaks_no_run(name: str, tmp_path: Path) -> None:
    harmless(tmp_path, REPLIES[name])
