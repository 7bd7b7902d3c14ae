"""One door policy: every verb, asked by every role, over REST and MCP; and nothing is reached past it."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from fastmcp import Client
from starlette.routing import compile_path

import windtunnel.server
from tests.server.assembled import Assembled, assembled
from tests.server.table import ADMIN, APPROVER, ONLY_LOOK, OPERATOR, WAYS
from windtunnel.control.access import HOLDS, NOBODY, Principal, Role
from windtunnel.server.gate import VERBS
from windtunnel.server.mcp.making import make_mcp
from windtunnel.server.verbs import Verbs

NONE: frozenset[Role] = frozenset()
WHO: dict[str, frozenset[Role]] = {"nobody": NONE, **{str(role): frozenset({role}) for role in Role}}
TOOLS = {name: way for name, way in WAYS.items() if way.tool}
# Whoever the guard lets in may ask these; the streams ask `may` for themselves, below.
OF_EVERYBODY = {"GET /api/me"}
STREAMS = {"GET /api/stream", "GET /api/simulations/{run_id}/stream"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with pytest.MonkeyPatch.context() as patch, assembled(tmp_path_factory.mktemp("doors"), patch) as made:
        made.keys.create("stays", ["viewer"])  # while there is none, whoever comes from here may do all
        yield made


class Model:
    """A server of MCP over the same verbs, and a client at its line, asked by whoever is in `who`: to make
    one takes a while, and to come in takes as long as several calls."""

    def __init__(self, house: Assembled, stack: ExitStack) -> None:
        self.who = Principal("none", NONE, "mcp")
        client = Client(make_mcp(house.assembly.verbs, lambda: self.who, "0"))
        self._portal = stack.enter_context(start_blocking_portal())
        self._client = stack.enter_context(self._portal.wrap_async_context_manager(client))

    def ask(self, tool: str, asked: Any) -> tuple[bool, str]:
        result = self._portal.call(partial(self._client.call_tool, tool, asked or {}, raise_on_error=False))
        return result.is_error, "".join(getattr(one, "text", "") for one in result.content)


@pytest.fixture(scope="module")
def model(house: Assembled) -> Iterator[Model]:
    with ExitStack() as stack:
        yield Model(house, stack)


def allowed(role: str, verb: str) -> bool:
    return any(VERBS[verb].role in HOLDS[held] for held in WHO[role])


def check_noted(house: Assembled, who: str, verb: str, may: bool) -> None:
    """What was refused is in the audit log, and what may change something, whatever came of it."""
    mine = house.noted(who)
    if not may:
        assert mine == [(verb, "denied")]
    elif VERBS[verb].writes:
        assert [name for name, _ in mine] == [verb, verb]
        assert mine[0][1] == "begun"
        assert mine[1][1] in ("done", "failed")
    else:
        assert mine == []


def test_the_table_has_every_verb() -> None:
    assert WAYS.keys() == VERBS.keys()


def test_each_verb_is_for_the_role_it_is_meant_for() -> None:
    meant = {Role.ADMIN: ADMIN, Role.APPROVER: APPROVER, Role.OPERATOR: OPERATOR}
    roles = {name: role for role, names in meant.items() for name in names}
    assert {name: one.role for name, one in VERBS.items() if one.role is not Role.VIEWER} == roles
    assert {name for name, one in VERBS.items() if one.writes} == roles.keys() - ONLY_LOOK


@pytest.mark.parametrize("role", WHO)
@pytest.mark.parametrize("verb", WAYS)
def test_over_rest_a_verb_is_done_for_its_role_alone(house: Assembled, verb: str, role: str) -> None:
    way, who = WAYS[verb], f"{role}.{verb}"
    answer = asyncio.run(house.ask(Principal(who, WHO[role], "rest"), way.method, way.path, body=way.body))
    may = allowed(role, verb)
    assert (answer.status_code != 403) == may, answer.text
    assert answer.status_code < 500, answer.text
    if not may:
        assert answer.json()["code"] == "forbidden"
        assert VERBS[verb].role in answer.json()["remedy"]
    check_noted(house, who, verb, may)


@pytest.mark.parametrize("role", WHO)
@pytest.mark.parametrize("verb", TOOLS)
def test_over_mcp_a_verb_is_done_for_its_role_alone(
    house: Assembled, model: Model, verb: str, role: str
) -> None:
    way, who = WAYS[verb], f"mcp.{role}.{verb}"
    model.who = Principal(who, WHO[role], "mcp")
    failed, said = model.ask(way.tool, way.asked)
    may = allowed(role, verb)
    assert ("may not do this" not in said) == may, said
    assert failed or may
    check_noted(house, who, verb, may)


@pytest.mark.slow
def test_every_route_is_behind_a_verb(house: Assembled) -> None:
    """A route that the table does not reach fails here, and so does one that the streams have not got."""
    there = {
        f"{method.upper()} {path}"
        for path, operations in house.app.openapi()["paths"].items()
        if path.startswith("/api")
        for method in operations
    }
    ways = [(way.method, way.path.partition("?")[0]) for way in WAYS.values()]
    reached = {
        one
        for one in there
        for method, path in ways
        if one.split(" ")[0] == method and compile_path(one.split(" ")[1])[0].fullmatch(path)
    }
    assert there - reached == OF_EVERYBODY | STREAMS


def test_nothing_is_left_out_of_the_description(house: Assembled) -> None:
    """Otherwise the test above would not see it."""
    hidden = [
        getattr(route, "path", "")
        for room in [house.app, *(getattr(one, "original_router", None) for one in house.app.routes)]
        if room is not None
        for route in room.routes
        if not getattr(route, "include_in_schema", True)
    ]
    assert sorted(hidden) == ["/docs", "/docs/start.js", "/openapi.json"]


@pytest.mark.parametrize("path", sorted(one.split(" ")[1] for one in STREAMS))
def test_a_stream_asks_for_a_role_too(house: Assembled, path: str) -> None:
    url = path.format(run_id="nobody") + ("?channel=runs" if path.endswith("api/stream") else "")
    answer = asyncio.run(house.ask(Principal("stranger", NONE, "stream"), "GET", url))
    assert answer.status_code == 403


def test_what_doors_call_asks_who_it_is() -> None:
    """Every method of a room that a route or a tool calls is a verb: none of them goes past the policy."""
    folder = Path(windtunnel.server.__file__).parent
    rooms = inspect.get_annotations(Verbs, eval_str=True)
    called = {
        (node.value.attr, node.attr)
        for file in [*(folder / "rest").glob("*.py"), *(folder / "mcp").glob("*.py")]
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
        if node.value.attr in rooms and _names(node.value.value) in ("ask", "verbs")
    }
    assert len(called) >= len(VERBS) - 2  # enable, disable and remove are called by a name of their own
    past = {f"{room}.{name}" for room, name in called if not hasattr(getattr(rooms[room], name), "verb")}
    assert past == set()


def _names(node: Any) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _ways() -> list[Any]:
    return [pytest.param(way, id=name) for name, way in WAYS.items()]


@pytest.mark.parametrize("way", _ways())
def test_a_stranger_gets_nowhere(house: Assembled, way: Any) -> None:
    """Through the guard, once there are keys: no key, a wrong one, one that was revoked."""
    made = house.keys.create(f"gone-{way.method}-{abs(hash(way.path))}", ["admin"])
    house.keys.revoke(made.key.key_id)
    for headers in ({}, {"X-API-Key": "wt_wrong"}, {"Authorization": f"Bearer {made.secret}"}):
        answer = asyncio.run(house.ask(None, way.method, way.path, body=way.body, **headers))
        assert answer.status_code == 401, answer.text
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (way.method, "denied") in house.noted(NOBODY)
