"""What a person or a dashboard looks at: a turn, its calls, searches, leaps, operations, worlds, models."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.server.live import Live, live

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("looking")) as made:
        yield made


@pytest.fixture(scope="module")
def run(server: Live) -> str:
    """One nation thinks through the whole path of a model, the other follows a rule."""
    run_id = server.start_run(scenario="economy/quick", seed=3, agents={"aldland": "house"})
    server.ended(run_id)
    return f"/api/simulations/{run_id}"


def test_a_turn_tells_each_decision_with_what_led_to_it(server: Live, run: str) -> None:
    turn = server.get(f"{run}/turns/3")
    assert (turn["turn"], turn["turns"]) == (3, 12)
    assert [phase["name"] for phase in turn["phases"]] == [
        "analyze", "plan", "validate", "execute", "evaluate", "consolidate",
    ]  # fmt: skip
    entries = server.get(f"{run}/entries?turn=3")["entries"]
    assert (turn["phases"][0]["first"], turn["phases"][-1]["last"]) == (entries[0]["seq"], entries[-1]["seq"])
    by_agent = {one["agent"]: one for one in turn["decisions"]}
    assert by_agent.keys() == {"aldland", "borland"}
    decided = next(one["body"] for one in entries if one["kind"] == "decided")
    assert by_agent["borland"]["action"] == decided["actions"]["borland"]
    assert (by_agent["aldland"]["label"], by_agent["aldland"]["verdict"]) == ("ok", "accept")
    (call,) = turn["calls"]
    assert by_agent["aldland"]["calls"] == [call["id"]] == ["3.plan.aldland.0"]
    assert by_agent["borland"]["calls"] == []
    assert (call["model"], call["status"], call["label"]) == ("house", "answered", "ok")
    assert call["input"] > 0
    assert turn["metrics"] == server.get(f"{run}?turn=3")["metrics"]


def test_what_was_seen_is_computed_again(server: Live, run: str) -> None:
    seen = server.get(f"{run}/turns/3")["observations"]
    later = server.get(f"{run}/turns/4")["observations"]
    assert {name: one["turn"] for name, one in seen.items()} == {"aldland": 2, "borland": 2}
    assert {name: one["turn"] for name, one in later.items()} == {"aldland": 3, "borland": 3}
    assert later["borland"]["statistics"][:-1] == seen["borland"]["statistics"]


def test_texts_of_agents_come_only_when_they_are_asked_for(server: Live, run: str) -> None:
    (quiet,) = server.get(f"{run}/turns/3")["calls"]
    assert (quiet["request"], quiet["reply"]) == (None, None)
    (told,) = server.get(f"{run}/turns/3?texts=true")["calls"]
    assert "You govern a nation" in told["request"]["messages"][0]["text"]
    assert told["reply"]["text"]


def test_a_turn_may_be_asked_of_one_agent(server: Live, run: str) -> None:
    turn = server.get(f"{run}/turns/3?agent=borland")
    assert [one["agent"] for one in turn["decisions"]] == ["borland"]
    assert (turn["calls"], set(turn["observations"]), set(turn["metrics"])) == ([], {"borland"}, {"borland"})
    assert "nobody in turn 3" in server.get(f"{run}/turns/3?agent=carland", 404)["detail"]


def test_the_beginning_is_turn_nought_and_what_was_not_played_is_not_there(server: Live, run: str) -> None:
    start = server.get(f"{run}/turns/0")
    assert ([phase["name"] for phase in start["phases"]], start["decisions"]) == (["start"], [])
    assert "has played 12 turns" in server.get(f"{run}/turns/13", 404)["detail"]


def test_a_turn_is_told_although_its_world_is_gone(server: Live, run: str) -> None:
    """The journal has it all but for what was seen."""
    run_id = run.rpartition("/")[2]
    runs = server.home / ".windtunnel" / "runs"
    shutil.copy(runs / f"{run_id}.sqlite", runs / "orphan.sqlite")
    with sqlite3.connect(runs / "orphan.sqlite") as store:
        for table in [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type='table'")]:
            columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
            if "run_id" in columns:
                store.execute(f"UPDATE {table} SET run_id='orphan'")
        store.execute("UPDATE run SET world='atlantis'")
    turn = server.get("/api/simulations/orphan/turns/3")
    assert turn["observations"] is None
    assert "atlantis" in turn["unseen"]
    assert len(turn["decisions"]) == 2


def test_the_journal_is_searched_by_the_server(server: Live, run: str) -> None:
    every = server.get(f"{run}/entries?limit=1000")["entries"]
    found = server.get(f"{run}/entries?limit=1000&text=keepCOURSE")["entries"]
    assert found == [one for one in every if "KeepCourse" in str(one["body"])]
    assert 0 < len(found) < len(every)
    assert server.get(f"{run}/entries?text=atlantis")["entries"] == []
    narrow = server.get(f"{run}/entries?text=keepcourse&turn=3&kind=decided")["entries"]
    assert narrow == [one for one in found if (one["turn"], one["kind"]) == (3, "decided")]
    judged = server.get(f"{run}/entries?limit=1000&phase=validate")["entries"]
    assert judged == [one for one in every if one["phase"] == "validate"]
    assert judged


def test_a_curve_is_looked_at_more_closely_between_two_turns(server: Live, run: str) -> None:
    (whole,) = server.get(f"{run}/metrics?agent=world&name=gdp")["curves"]
    (coarse,) = server.get(f"{run}/metrics?agent=world&name=gdp&points=3")["curves"]
    assert coarse["turns"] == [1, 7, 12]
    (near,) = server.get(f"{run}/metrics?agent=world&name=gdp&points=3&since=6&until=8")["curves"]
    assert (near["turns"], near["values"]) == ([6, 7, 8], whole["values"][5:8])
    (late,) = server.get(f"{run}/metrics?agent=world&name=gdp&since=11&until=99")["curves"]
    assert late["turns"] == [11, 12]
    assert server.get(f"{run}/metrics?since=9&until=8")["curves"] == []
    assert {one["agent"] for one in server.get(f"{run}/metrics?agent=aldland")["curves"]} == {"aldland"}


@pytest.mark.parametrize("search", ["", "&kind=decided", "&text=keepcourse"])
def test_a_search_goes_on_where_its_page_ended(server: Live, run: str, search: str) -> None:
    whole = server.get(f"{run}/entries?limit=1000{search}")["entries"]
    seen: list[Any] = []
    after: Any = -1
    while after is not None:
        page = server.get(f"{run}/entries?limit=5{search}&after={after}")
        seen, after = seen + page["entries"], page["next"]
    assert seen == whole


def test_a_leap_is_where_a_curve_moved_most(server: Live, run: str) -> None:
    (leap,) = server.get(f"{run}/leaps?agent=world&name=gdp")["leaps"]
    values = server.get(f"{run}/metrics?agent=world&name=gdp")["curves"][0]["values"]
    moves = [abs(later - earlier) for earlier, later in pairwise(values)]
    assert leap["turn"] == moves.index(max(moves)) + 2
    assert (leap["before"], leap["after"]) == tuple(values[leap["turn"] - 2 : leap["turn"]])
    named = {one["name"] for one in server.get(f"{run}/leaps")["leaps"]}
    assert {"gdp", "wealth"} <= named


def test_what_was_done_with_a_run_is_a_chain_of_its_own(server: Live, run: str) -> None:
    page = server.get(f"{run}/operations")
    assert [one["seq"] for one in page["operations"]] == list(range(len(page["operations"])))
    kinds = [one["kind"] for one in page["operations"]]
    assert (kinds[0], kinds[-1], page["next"]) == ("submitted", "completed", None)
    first = server.get(f"{run}/operations?limit=1")
    assert (len(first["operations"]), first["next"]) == (1, "0")
    assert server.get(f"{run}/operations?after=0&limit=1")["operations"] == page["operations"][1:2]


def test_a_world_tells_what_a_form_needs(server: Live) -> None:
    world = server.get("/api/worlds/economy")
    (role,) = (one for one in world["roles"] if one["name"] == "government")
    assert {"balanced", "steady"} <= set(role["policies"])
    assert "Budget" in role["actions"]
    assert world["headline"] == ["gdp", "inflation", "unemployment"]
    assert "economy/quick" in world["scenarios"]
    assert "turns" in world["json_schema"]["properties"]
    assert server.get("/api/worlds/atlantis", 404)["remedy"]


def test_models_are_told_with_money_in_dollars_and_without_keys(server: Live) -> None:
    models = server.get("/api/models")
    assert {"house", "rule"} <= set(models["built_in"])
    assert models["offline"] is True
    assert all({"spent", "reserved"} <= account.keys() for account in models["accounts"])


def test_a_time_without_a_zone_is_utc(server: Live, run: str) -> None:
    made = server.get(run)["created"]
    assert made.endswith("Z")
    plain = made.removesuffix("Z")
    for written in (made, plain, plain.replace("T", "%20")):
        found = server.get(f"/api/simulations?since={written}&limit=100")["runs"]
        assert run.rpartition("/")[2] in [one["run_id"] for one in found]
    assert server.get(f"/api/simulations?until={plain}")["runs"] == []
    assert "2026-11-21T10:00:00Z" in server.get("/api/simulations?since=1700000000", 422)["detail"]
