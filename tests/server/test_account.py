"""Coming in with a key by a page: a cookie instead of the key, which ends with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.server.house import HOME, Client, House, serving
from windtunnel.config.serve import Serve
from windtunnel.control.access import Made
from windtunnel.control.audit import DENIED, DONE

PAGE = {"origin": HOME, "content-type": "application/json"}
ME, START = "/auth/me", "/api/simulations"
FROM = "203.0.113.7"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, Serve(hosts=("lab.example",)))
    yield made
    made.close()


@pytest.fixture
def key(house: House) -> Made:
    return house.keys.create("ana", ["operator", "approver"])


def enter(client: Client, secret: str) -> httpx.Response:
    return client("POST", "/auth/key", PAGE, content=json.dumps({"key": secret}))


@pytest.fixture
def entered(house: House, key: Made) -> Client:
    client = house.client()
    assert enter(client, key.secret).status_code == 200
    return client


def test_a_key_that_is_handed_in_becomes_a_cookie(house: House, key: Made) -> None:
    client = house.client()
    assert client("GET", ME).status_code == 401
    reply = enter(client, f"  {key.secret}\n")
    told = {"name": "ana", "named": True, "roles": ["approver", "operator"], "via": "rest", "by": "login"}
    assert reply.json() == told
    (kept,) = reply.headers.get_list("set-cookie")
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=3600"} <= set(kept.split("; "))
    assert key.secret not in kept
    assert client("GET", ME).json() == told
    assert client("POST", START, {"origin": HOME}).json()["who"] == "ana"


def test_it_is_in_the_audit_log_without_the_key(house: House, key: Made, entered: Client) -> None:
    assert enter(house.client(), f"{key.secret[:-1]}_").status_code == 401
    oldest, newest = house.audit.page().items
    assert (oldest.who, oldest.verb, oldest.target, oldest.outcome) == ("ana", "login", "key", DONE)
    assert (newest.who, newest.verb, newest.outcome) == ("nobody", "login", DENIED)
    assert key.secret[:-1] not in repr([newest, oldest])
    assert key.secret[14:] not in repr(house.database.rows("SELECT * FROM session"))


@pytest.mark.parametrize("end", ["revoked", "rotated", "expired"])
def test_the_login_ends_with_its_key(house: House, end: str) -> None:
    key, client = house.keys.create("ben", ["viewer"], seconds=600), house.client()
    house.keys.create("other", ["viewer"])
    assert "Max-Age=600" in enter(client, key.secret).headers["set-cookie"]
    assert client("GET", ME).json()["name"] == "ben"
    if end == "revoked":
        house.keys.revoke("ben")
    elif end == "rotated":
        house.keys.rotate("ben", grace=300)
    else:
        house.database.moment += 601
    assert client("GET", ME).status_code == 401
    assert client("POST", START, {"origin": HOME}).status_code == 401


def test_a_key_that_was_replaced_begins_no_login(house: House, key: Made) -> None:
    newer = house.keys.rotate("ana", grace=300)
    reply = enter(house.client(), key.secret)
    assert (reply.status_code, "replaced" in reply.json()["detail"]) == (401, True)
    assert enter(house.client(), newer.secret).status_code == 200


def test_the_login_of_a_key_lasts_no_longer_than_others(house: House, entered: Client) -> None:
    house.database.moment += 3599
    assert entered("GET", ME).status_code == 200
    house.database.moment += 1
    assert entered("GET", ME).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'"wt_"', b'{"key": 5}', b'{"key": null}', b'{"key": "a", "next": "/"}', b"{" * 900,
     b'{"key": "' + b"x" * 2000 + b'"}', b"\xff", b"NaN"],
)  # fmt: skip
def test_what_is_no_key_is_refused_with_what_to_send(house: House, key: Made, body: bytes) -> None:
    reply = house.client()("POST", "/auth/key", PAGE, content=body)
    assert (reply.status_code, reply.json()["where"]) == (422, "key")
    assert '{"key": "wt_…"}' in reply.json()["remedy"]
    assert "set-cookie" not in reply.headers


def test_a_form_of_another_site_cannot_log_anybody_in(house: House, key: Made) -> None:
    body = json.dumps({"key": key.secret})
    for headers in (
        {**PAGE, "origin": "https://evil.example"},
        {"content-type": "application/json", "sec-fetch-site": "cross-site"},
    ):
        assert house.client()("POST", "/auth/key", headers, content=body).status_code == 403
    plain = {"origin": HOME, "content-type": "text/plain"}
    assert house.client()("POST", "/auth/key", plain, content=body).status_code == 422


def test_who_tries_keys_is_slowed_down_and_nobody_else_is(house: House, key: Made) -> None:
    app, strange = house.app(), "wt_0123456789_" + "a" * 43
    thief, other = Client(app, {}, FROM), Client(app, {}, "203.0.113.99")
    seen = [enter(thief, strange).status_code for _ in range(60)]
    tried = seen.index(429)
    assert seen[:tried] == [401] * tried
    assert tried < 25  # a burst of 200, of which each costs 11
    assert enter(other, key.secret).status_code == 200


def test_a_login_that_takes_the_place_of_another_ends_it(house: House, entered: Client) -> None:
    first = entered.cookies["wt_session"]
    other = house.keys.create("ben", ["viewer"])
    assert enter(entered, other.secret).json()["name"] == "ben"
    assert entered("GET", ME).json()["name"] == "ben"
    assert house.sessions.check(first) is None


def test_leaving_ends_the_login_and_not_the_key(house: House, key: Made, entered: Client) -> None:
    cookie = entered.cookies["wt_session"]
    assert entered("POST", "/auth/logout", {"origin": HOME}).status_code == 204
    assert house.sessions.check(cookie) is None
    assert house.client(authorization=f"Bearer {key.secret}")("GET", ME).json()["by"] == "key"


def test_who_comes_with_a_login_cannot_act_as_somebody_else(entered: Client) -> None:
    assert entered("GET", ME, {"x-windtunnel-as": "ben"}).status_code == 403


def test_which_ways_in_there_are_is_told_to_strangers(house: House) -> None:
    assert house.client()("GET", "/auth/providers").json() == {"items": [], "key": False}
    house.keys.create("ana", ["viewer"])
    assert house.client()("GET", "/auth/providers").json() == {"items": [], "key": True}


def test_on_an_open_server_nobody_is_asked_and_a_name_may_be_given(tmp_path: Path) -> None:
    house = House(tmp_path)
    try:
        open_to = house.client()
        assert open_to("GET", ME).json()["by"] == ""
        assert open_to("GET", ME).json()["named"] is False
        named = open_to("GET", ME, {"x-windtunnel-as": "ana"}).json()
        assert (named["name"], named["named"], named["by"]) == ("ana", True, "")
        assert open_to("POST", START, {"origin": HOME}).status_code == 202  # sessions alone close nothing
    finally:
        house.close()


def test_a_socket_of_the_page_comes_in_with_the_cookie(tmp_path: Path) -> None:
    house = House(tmp_path)
    secret = house.keys.create("ana", ["viewer"]).secret
    try:
        with serving(house.app()) as port:
            here, at = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/api/stream"
            reply = httpx.post(f"{here}/auth/key", json={"key": secret}, headers={"origin": here})
            cookie = {"Cookie": f"wt_session={reply.cookies['wt_session']}"}
            with connect(at, additional_headers=cookie, origin=Origin(here)) as socket:
                assert socket.recv() == '{"who":"ana","via":"stream"}'
            for headers, origin, status in ((cookie, "https://evil.example", 403), ({}, here, 401)):
                with (
                    pytest.raises(InvalidStatus) as caught,
                    connect(at, additional_headers=headers, origin=Origin(origin)),
                ):
                    pass
                assert caught.value.response.status_code == status
    finally:
        house.close()
