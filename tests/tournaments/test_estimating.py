"""What a tournament comes to, told before: held against what it then came to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.tournaments.field import coded, field, play, skilled
from windtunnel.config import Workspace
from windtunnel.control.estimate import Asked
from windtunnel.testing.provider import Provider
from windtunnel.tournaments.estimating import Forecast, course, forecast
from windtunnel.tournaments.model import Field

ANSWER = '{"why": "so be it", "action": {"type": "throw", "pips": 1}}'
FORMATS: dict[str, tuple[Any, Any]] = {
    "round-robin": ("round-robin", 5),
    "double round-robin": ({"kind": "round-robin", "double": True}, 4),
    "single elimination": ({"kind": "single-elimination", "third_place": True}, 5),
    "double elimination": ("double-elimination", 6),
    "swiss": ({"kind": "swiss", "rounds": 3}, 5),
    "ladder": ({"kind": "ladder", "rounds": 4}, 4),
    "free-for-all": ({"kind": "free-for-all", "table": 2, "rounds": 2}, 4),
}


def told(workspace: Workspace, made: Field) -> Forecast:
    return asyncio.run(forecast(workspace, made, processes=1))


def talker(workspace: Workspace, name: str, model: str) -> str:
    text = f"strategy: {name}\nworld: dice\nrole: player\nkind: llm\npolicy: dice\nmodel: {model}\n"
    (workspace.root / f"{name}.yaml").write_text(f"{text}instructions: Throw.\n")
    return f"{name}.yaml"


@pytest.mark.parametrize(("shape", "count"), FORMATS.values(), ids=FORMATS)
def test_each_of_its_matches_is_counted(workspace: Workspace, shape: Any, count: int) -> None:
    skills = [6 - 2.4 * place for place in range(count)]  # who is named first surely wins
    made = field(workspace, skilled(workspace.root, *skills), format=shape, turns=3, seeds=1)
    before = told(workspace, made)
    _, table, heard = play(workspace, made)
    assert (before.matches, before.rounds) == (len(heard), table.rounds)
    assert (before.models, before.calls, before.most) == ([], 0, 0)
    assert before.rehearsed == 1
    assert 0 < before.seconds < 60


def test_one_without_an_end_is_told_by_the_round(workspace: Workspace) -> None:
    made = field(workspace, skilled(workspace.root, 2, 1, 0, -1), format="ladder", seeds=3)
    before = told(workspace, made)
    assert (before.matches, before.rounds) == (2 * 3 * 2, 1)
    assert before.notes == ["it has no last round: this is one round of it"]


@pytest.mark.slow
def test_each_model_is_asked_as_often_as_was_said(workspace: Workspace) -> None:
    """A challenger meets each of the pool, and they do not meet each other: it is asked twice as often."""
    with Provider(lambda _: ANSWER) as provider:
        with (workspace.root / "windtunnel.toml").open("a") as file:
            for name, model in (("one", "m"), ("two", "n")):
                file.write(
                    f'[models.deployments.{name}]\nmodel = "openai-chat:{model}"\nurl = "{provider.openai}"\n'
                )
            file.write('[models.prices."openai-chat:m"]\ninput = 1\noutput = 1\n')
        place = Workspace(workspace.root)
        entrants = [talker(place, "a", "one")], ["dice", talker(place, "b", "two")]
        made = field(place, entrants[0], pool=entrants[1], turns=5, seeds=2)
        before = told(place, made)
        assert provider.log.totals.asked == 0
        assert not place.runs.exists()
        play(place, made)
        asked = provider.log.totals
    one, two = before.models
    assert (one.model, one.calls, two.model, two.calls) == ("one", 40, "two", 20)
    assert before.calls == asked.asked
    assert (one.input + two.input) * 0.7 < asked.input < (one.input + two.input) * 1.4
    assert (one.seen, one.most) > (0, one.seen)
    assert (two.seen, before.seen, before.most) == (None, None, None), "nobody said what it costs"


def test_who_plays_twice_as_often_is_counted_twice_whichever_match_is_rehearsed(workspace: Workspace) -> None:
    """Each of three rounds has a bye for somebody; and what each asks is told by its own rehearsal."""
    names = [talker(workspace, name, "house") for name in "abc"]
    made = field(workspace, [*names, "dice"], format={"kind": "single-elimination"}, turns=2, seeds=1)
    assert course(made).often == {"a": 4, "b": 4, "c": 2, "dice": 2}  # the first two meet in the final
    (house,) = told(workspace, made).models
    assert house == Asked("house", 2 * (4 + 4 + 2), house.input, house.output, 0, 0)


def test_code_of_ones_own_is_not_called_for_it(workspace: Workspace) -> None:
    made = field(workspace, [coded(workspace.root, "exits"), "dice", coded(workspace.root, "hangs")])
    before = told(workspace, made)
    assert before.matches == 12
    assert before.notes == ["code of their own is not called: exits, hangs"]
