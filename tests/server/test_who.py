"""From a connection to a principal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from tests.server.house import HOME, Client, House, serving
from windtunnel.config.serve import Serve
from windtunnel.control.access import Keys, Role
from windtunnel.control.audit import DENIED
from windtunnel.errors import UsageError
from windtunnel.server.who import FLAG, check_bind

START, ME = "/api/simulations", "/api/who"
ALL = sorted(Role)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture
def key(house: House) -> str:
    return house.keys.create("ana", ["operator"]).secret


def test_loopback_without_keys_is_open_to_whoever_sits_there(house: House) -> None:
    assert house.client()("GET", ME).json() == {
        "name": "local",
        "named": False,
        "roles": ALL,
        "via": "rest",
        "by": "",
    }


def test_who_sits_there_may_give_a_name(house: House) -> None:
    found = house.client()("GET", ME, {"x-windtunnel-as": "ana"}).json()
    assert (found["name"], found["named"], found["roles"]) == ("ana", True, ALL)


@pytest.mark.parametrize("name", ["schedule", "github:ana", "a b", ""])
def test_a_name_that_is_somebody_elses_is_refused(house: House, name: str) -> None:
    reply = house.client()("GET", ME, {"x-windtunnel-as": name})
    assert (reply.status_code, reply.json()["where"]) == (422, "name")


def test_a_key_has_its_own_name_and_no_other(house: House, key: str) -> None:
    client = house.client(authorization=f"Bearer {key}")
    assert client("GET", ME, {"x-windtunnel-as": "ana"}).json()["name"] == "ana"
    reply = client("GET", ME, {"x-windtunnel-as": "ben"})
    assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "Bearer   {}"])
def test_a_bearer_key_says_who_asks(house: House, key: str, form: str) -> None:
    found = house.client(authorization=form.format(key))("GET", ME).json()
    assert found == {
        "name": "ana",
        "named": True,
        "roles": [
            "operator",
        ],
        "via": "rest",
        "by": "key",
    }


def test_an_api_key_header_says_who_asks(house: House, key: str) -> None:
    assert house.client(**{"x-api-key": key})("GET", ME).json()["name"] == "ana"


def test_a_mounted_app_knows_who_asks_and_through_which_door(house: House, key: str) -> None:
    assert house.client(authorization=f"Bearer {key}")("GET", "/mcp/").text == "mcp"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wt_0000000000_" + "0" * 43},
        {"authorization": "Bearer"},
        {"authorization": "Basic YTpi"},
        {"authorization": ""},
        {"x-api-key": "wrong"},
        {"x-api-key": ""},
    ],
)
def test_a_wrong_key_is_refused_also_where_none_is_needed(house: House, headers: dict[str, str]) -> None:
    reply = house.client()("GET", ME, headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Bearer realm="windtunnel"'


def test_two_authorizations_are_refused(house: House, key: str) -> None:
    headers = [("host", "localhost"), ("authorization", f"Bearer {key}"), ("authorization", "Bearer x")]
    assert house.client()("GET", ME, headers).status_code == 401


def test_with_keys_nobody_is_local(house: House, key: str) -> None:
    reply = house.client()("GET", ME)
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    assert "Authorization: Bearer" in reply.json()["remedy"]
    assert house.client()("GET", "/health").status_code == 200


def test_the_first_key_closes_a_server_that_runs_and_its_end_opens_none(house: House) -> None:
    client = house.client()
    assert client("GET", ME).status_code == 200
    house.keys.create("ana", ["viewer"])
    house.seconds += 2
    assert client("GET", ME).status_code == 401
    house.keys.revoke("ana")
    house.seconds += 2
    assert client("GET", ME).status_code == 401
    assert house.client()("GET", ME).status_code == 200


def test_a_revoked_key_is_refused_by_a_server_that_runs(house: House, key: str) -> None:
    client = house.client(authorization=f"Bearer {key}")
    assert client("GET", ME).status_code == 200
    house.keys.revoke("ana")
    assert client("GET", ME).status_code == 401


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-proto", "via"])
def test_what_a_proxy_passed_on_is_not_local(house: House, header: str) -> None:
    assert house.client()("GET", ME, {header: "127.0.0.1"}).status_code == 401


def test_another_machine_is_not_local(house: House) -> None:
    assert Client(house.app(), {}, "192.168.1.7")("GET", ME).status_code == 401


def test_a_server_open_to_everyone_says_so_in_the_name(tmp_path: Path) -> None:
    house = House(tmp_path, host="0.0.0.0", everyone=True)
    found = Client(house.app(), {"host": "10.0.0.5"}, "192.168.1.7")("GET", ME).json()
    assert (found["name"], found["named"]) == ("anyone", False)
    house.close()


def test_a_key_in_an_address_is_taken_over_loopback_only(house: House, key: str) -> None:
    assert house.client()("GET", f"{ME}?key={key}").json()["name"] == "ana"
    reply = Client(house.app(), {}, "192.168.1.7")("GET", f"{ME}?key={key}")
    assert reply.status_code == 401
    assert "over loopback only" in reply.json()["detail"]
    assert key not in reply.text


def test_denials_are_in_the_audit_log_without_the_key(house: House, key: str) -> None:
    house.client(authorization=f"Bearer {key}x")("POST", START)
    (entry,) = house.audit.page().items
    assert (entry.who, entry.verb, entry.target, entry.outcome) == ("nobody", "POST", START, DENIED)
    assert entry.request
    assert key not in repr(entry)


def test_a_database_that_fails_lets_nobody_in(house: House, key: str) -> None:
    client = house.client(authorization=f"Bearer {key}")
    house.database.rows("DROP TABLE api_key")
    assert client("POST", START).status_code == 503
    assert house.started == 0


# --- WebSockets, with a real server ---


def test_a_socket_says_who_it_is_by_header_protocol_or_address(house: House, key: str) -> None:
    with serving(house.app()) as port:
        at = f"ws://127.0.0.1:{port}/api/stream"
        with connect(at, additional_headers={"Authorization": f"Bearer {key}"}) as socket:
            assert socket.recv() == '{"who":"ana","via":"stream"}'
        offered = [Subprotocol("windtunnel"), Subprotocol(f"windtunnel.key.{key}")]
        with connect(at, subprotocols=offered) as socket:
            assert socket.subprotocol == "windtunnel"
            assert socket.recv() == '{"who":"ana","via":"stream"}'
        with connect(f"{at}?key={key}") as socket:
            assert socket.recv() == '{"who":"ana","via":"stream"}'
        with pytest.raises(InvalidStatus) as caught, connect(at):
            pass
        assert caught.value.response.status_code == 401
        assert b"unauthenticated" in caught.value.response.body


def test_a_socket_of_another_page_is_not_opened(house: House) -> None:
    with serving(house.app()) as port:
        at = f"ws://127.0.0.1:{port}/api/stream"
        with connect(at, origin=Origin(f"http://127.0.0.1:{port}")) as socket:
            assert '"local"' in str(socket.recv())
        for origin in ("https://evil.example", "null", f"http://localhost:{port}"):
            with pytest.raises(InvalidStatus) as caught, connect(at, origin=Origin(origin)):
                pass
            assert caught.value.response.status_code == 403


def test_a_socket_by_another_name_is_not_opened(house: House) -> None:
    with serving(house.app()) as port:
        reply = httpx.get(
            f"http://127.0.0.1:{port}/api/stream",
            headers={
                "host": f"evil.example:{port}", "connection": "upgrade", "upgrade": "websocket",
                "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
            },
        )  # fmt: skip
        assert reply.status_code == 421


# --- where a server may listen ---


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.7", "[::1]"])
def test_loopback_needs_no_keys(house: House, host: str) -> None:
    check_bind(host, house.keys, False)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "lab.example", "localhost.evil.example", ""]
)
def test_another_address_is_refused_without_keys(house: House, host: str) -> None:
    with pytest.raises(UsageError, match="no keys") as caught:
        check_bind(host, house.keys, False)
    assert FLAG in (caught.value.remedy or "")
    check_bind(host, house.keys, True)
    check_bind(host, house.keys, False, logins=True)
    house.keys.create("ana", ["admin"])
    check_bind(host, house.keys, False)


def test_loopback_that_others_reach_needs_keys(house: House) -> None:
    for serve in (Serve(proxy=("127.0.0.1",)), Serve(hosts=("lab.example",))):
        with pytest.raises(UsageError, match="behind a proxy or under another name"):
            check_bind("127.0.0.1", house.keys, False, serve=serve)
    check_bind("127.0.0.1", house.keys, False, serve=Serve(hosts=("localhost",), origins=(HOME,)))


def test_keys_that_are_all_revoked_bind_nothing(house: House) -> None:
    house.keys.create("ana", ["admin"])
    house.keys.revoke("ana")
    assert isinstance(house.keys, Keys)
    with pytest.raises(UsageError):
        check_bind("0.0.0.0", house.keys, False)
