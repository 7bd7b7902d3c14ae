"""A world's own page over REST: its panels after any turn, as its description has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.server.assembled import assembled
from tests.server.live import Live, live
from windtunnel.worlds.economy.page import PANELS

MONEY = 0.01


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("panels")) as made:
        yield made


@pytest.fixture(scope="module")
def run(server: Live) -> str:
    run_id = server.start_run(scenario="economy/trade_war", seed=3, turns=8)
    server.ended(run_id)
    return f"/api/simulations/{run_id}"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch, assembled(tmp_path_factory.mktemp("api"), patch) as house:
        yield json.loads(json.dumps(house.app.openapi()))


def parts(page: dict[str, Any], panel: str) -> list[dict[str, Any]]:
    (found,) = (one["parts"] for one in page["panels"] if one["panel"]["id"] == panel)
    for part in found:
        assert part["error"] is None, (panel, part["error"])
    return list(found)


@pytest.mark.slow
def test_the_economy_shows_nations_policies_trade_and_transactions(server: Live, run: str) -> None:
    page = server.get(f"{run}/panels")
    assert (page["turn"], len(page["panels"])) == (8, len(PANELS))
    metrics, state = server.get(run)["metrics"], server.get(f"{run}/state")["global_state"]
    (nations,) = parts(page, "nations")
    for row in nations["data"]["rows"]:
        told = dict(zip([one["label"] for one in nations["data"]["columns"]], row["cells"], strict=True))
        mine = metrics[row["names"][0]]
        assert told["GDP"] == pytest.approx(mine["gdp"])
        assert told["Unemployment"] == pytest.approx(100 * mine["unemployment"])
        assert told["Wealth"] == pytest.approx(mine["wealth"])
    (course,) = parts(page, "course")
    assert {row["names"][0]: row["cells"][1] for row in course["data"]["rows"]} == {
        name: pytest.approx(100 * nation["tax"]) for name, nation in state["nations"].items()
    }
    (trade,) = parts(page, "trade")
    sold = {(one["start"], one["end"]): one["value"] for one in trade["data"]["flows"]}
    assert sold == {
        (seller, buyer): pytest.approx(cents * MONEY)
        for seller, nation in state["nations"].items()
        for buyer, cents in nation["sold"].items()
        if cents
    }
    matrices = parts(page, "matrix")
    assert [one["agent"] for one in matrices] == ["aldland", "borland", "corland", "dorland"]
    for one in matrices:
        for cells in [*one["data"]["cells"], *zip(*one["data"]["cells"], strict=True)]:
            assert sum(cells) == pytest.approx(0, abs=0.01)
    (feed,) = parts(page, "decisions")
    assert {item["turn"] for item in feed["data"]["items"]} == set(range(1, 9))
    assert {item["from"] for item in feed["data"]["items"]} == {one["agent"] for one in matrices}


@pytest.mark.slow
def test_a_page_is_of_the_turn_that_is_asked_for_and_one_panel_may_be_had_alone(
    server: Live, run: str
) -> None:
    early = server.get(f"{run}/panels?turn=3&panel=world")
    assert (early["turn"], [one["panel"]["id"] for one in early["panels"]]) == (3, ["world"])
    gdp = parts(early, "world")[0]["data"]["figures"][0]
    curve = server.get(f"{run}/metrics?agent=world&name=gdp")["curves"][0]["values"]
    assert (gdp["value"], gdp["before"]) == (curve[2], curve[1])
    assert "has played 8 turns" in server.get(f"{run}/panels?turn=9", 404)["detail"]
    problem = server.get(f"{run}/panels?panel=atlantis", 404)
    assert "no panel 'atlantis'" in problem["detail"]
    assert "nations" in problem["remedy"]
    server.get(f"{run}/panels?panel=..%2F", 422)


@pytest.mark.slow
def test_what_is_told_fits_the_description_to_the_last_field(
    server: Live, run: str, api: dict[str, Any]
) -> None:
    page = server.get(f"{run}/panels")
    schema = {"$ref": "#/components/schemas/PanelPage", "components": api["components"]}
    check = jsonschema.Draft202012Validator(schema)
    assert not list(check.iter_errors(page))
    page["panels"][0]["parts"][0]["data"]["figures"][0]["value"] = "much"
    assert list(check.iter_errors(page)), "a wrong figure would be noticed"
    declared = server.get("/api/worlds/economy")["panels"]
    assert declared == [one["panel"] for one in server.get(f"{run}/panels?turn=0")["panels"]]


@pytest.mark.slow
def test_kinds_and_data_are_told_apart_in_the_description(api: dict[str, Any]) -> None:
    schemas = api["components"]["schemas"]
    kinds = schemas["Panel"]["discriminator"]["mapping"]
    assert kinds.keys() == schemas["PanelData"]["discriminator"]["mapping"].keys()
    assert {"curves", "figures", "table", "matrix", "flows", "board", "chat", "book"} <= kinds.keys()
    for place in [*kinds.values(), *schemas["PanelData"]["discriminator"]["mapping"].values()]:
        schema = schemas[place.rpartition("/")[2]]
        assert schema["required"] == list(schema["properties"]), place
    assert schemas["WorldDetail"]["properties"]["panels"]["items"] == {"$ref": "#/components/schemas/Panel"}
    assert schemas["PanelView"]["properties"]["panel"] == {"$ref": "#/components/schemas/Panel"}
