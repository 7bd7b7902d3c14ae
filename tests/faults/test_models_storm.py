"""Storms of a provider over whole runs: no reply is lost, none that was durable is paid again, no budget is
passed, and the run ends or says why it does not."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.faults import ledgers
from tests.faults.bank import KEY, SECRET, bank, civil, models, scenario
from windtunnel.config.models import Retry
from windtunnel.journal import Status
from windtunnel.journal.verify import verify
from windtunnel.models.hub import Hub
from windtunnel.models.settings import OFFLINE
from windtunnel.testing.lab import Lab
from windtunnel.testing.provider import (
    Answer,
    Provider,
    Request,
    Usage,
    cut,
    drip,
    empty,
    garbage,
    hang,
    payment_required,
    rate_limited,
    refused,
    truncated,
    unavailable,
    wrong_tool,
)
from windtunnel.testing.provider.words import Huge

TIMEOUT = 1.0  # seconds that a hanging call is waited for
SITTINGS = 60
STORM = Retry(attempts=4, deadline=60, first_wait=0.01, longest_wait=0.05)


def swollen(request: Request) -> Answer:
    """Far more text than was asked for. It bills what the request allowed, as the real ones do."""
    return Answer(fault=Huge(200_000), usage=Usage(40, request.heard.max_tokens or 0))


FAULTS: tuple[tuple[float, Callable[[Request], Answer]], ...] = (
    (0.06, lambda _: rate_limited(0.02)),
    (0.01, lambda _: payment_required()),
    (0.06, lambda _: unavailable()),
    (0.01, lambda _: hang()),
    (0.005, lambda request: hang(civil(request), after=0.5)),
    (0.03, lambda request: drip(civil(request), pause=0.001, size=64)),
    (0.04, lambda request: cut(civil(request))),
    (0.02, lambda request: cut(civil(request), after=0)),
    (0.03, lambda _: garbage()),
    (0.01, swollen),
    (0.03, lambda _: refused()),
    (0.03, lambda request: wrong_tool() if request.tools else refused()),
    (0.02, lambda _: truncated()),
    (0.02, lambda _: empty()),
)


def weather(seed: int) -> Callable[[Request], Answer | str]:
    """Civil, but for a share of faults: drawn from the call's key and its attempt, never by its arrival."""

    def answer(request: Request) -> Answer | str:
        drawn = blake2b(f"{seed} {request.key} {request.attempt}".encode(), digest_size=8).digest()
        at = int.from_bytes(drawn, "big") / 2**64
        for share, fault in FAULTS:
            if at < share:
                return fault(request)
            at -= share
        return civil(request)

    return answer


def storm(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, agents: int, turns: int, seed: int, purse: float
) -> int:
    """Play a whole run through the storm; how many calls it took. It may spend `purse` dollars, and as much
    again each time that is gone."""
    allowed = purse
    with Provider(weather(seed)) as provider:
        words = models(
            provider.openai,
            money=purse,
            timeout=TIMEOUT,
            retry=STORM,
            names=("first", "second"),
            concurrency=agents,
        )
        hub = Hub(words, environ={KEY: SECRET})
        with Lab(bank(), folder=folder, hub=hub) as lab:
            lab.begin(
                scenario(agents // 2, agents - agents // 2, turns=turns, model="chain", concurrency=agents)
            )
            row = lab.go()
            for _ in range(SITTINGS):
                log = list(provider.log)
                ledgers.agree(lab, log)
                assert sum(map(ledgers.bill, log)) <= allowed * 1_000_000, "more was billed than allowed"
                if row.status is Status.COMPLETED:
                    break
                assert row.status is Status.PAUSED, row
                assert row.reason
                before = ledgers.durable(lab)
                heard = {key: len(ledgers.by_key(log)[key]) for key in before}
                more = "budget" in row.reason
                allowed += purse * more
                row = lab.go(budget=allowed if more else None)
                after, again = ledgers.durable(lab), ledgers.by_key(provider.log)
                assert {key: after[key] for key in before} == before, "a durable reply changed"
                assert {key: len(again[key]) for key in before} == heard, (
                    "a durable reply was asked for again"
                )
            assert row.status is Status.COMPLETED, row
            asked = len(ledgers.calls(lab))
            assert ledgers.account(lab, hub).spent.money == ledgers.told(lab)[0]
            provider.close()
            monkeypatch.setenv(OFFLINE, "1")
            replayed = lab.replay()
            assert replayed.identical, replayed.first_difference
            found = verify(lab.store, "run")
            assert found.intact, found
            assert found.complete, found
            return asked


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_over_a_run_loses_no_reply_and_pays_none_again(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = storm(tmp_path, monkeypatch, agents=10, turns=8, seed=seed, purse=0.02)
    assert asked > 80


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 16))
def test_a_storm_over_500_calls_loses_no_reply_and_pays_none_again(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = storm(tmp_path, monkeypatch, agents=20, turns=26, seed=seed, purse=0.05)
    assert asked > 500


@pytest.mark.slow
def test_refusals_stand_in_the_order_of_the_seats_and_not_of_their_arrival(tmp_path: Path) -> None:
    def script(request: Request) -> Answer:
        if request.messages[-1].role == "user" and "not taken" not in request.last:
            return Answer("no", delay=0.5 if "`t1`" in request.system else 0.0)
        return Answer(civil(request))

    with Provider(script) as provider:
        hub = Hub(models(provider.openai), environ={KEY: SECRET})
        with Lab(bank(), folder=tmp_path, hub=hub) as lab:
            assert lab.play(scenario(2, 1, turns=1)).status is Status.COMPLETED
            first = lab.bodies("decided", turn=1)[0]
            assert list(first["refused"]) == ["t1", "t2", "g1"]
            assert lab.replay().identical
