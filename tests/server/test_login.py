"""Logging in with an account elsewhere, against a provider that speaks the protocol, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from tests.sampling import sampled
from tests.server.house import House, serving
from tests.server.oauth import CLIENT, SECRET, Provider
from windtunnel.config.serve import OAuth, Serve
from windtunnel.control.audit import DENIED, DONE, Filters
from windtunnel.errors import UsageError
from windtunnel.server.login import ATTEMPT_SECONDS, MOST_ATTEMPTS, Login, safe_path
from windtunnel.server.sessions import Sessions

START, ME = "/api/simulations", "/api/who"
ALLOW: dict[str, dict[str, tuple[str, ...]]] = {
    "github": {"ana": ("operator",), "org:acme": ("viewer", "approver"), "id:7": ("admin",)},
    "google": {"ana@example.com": ("operator",), "domain:acme.com": ("viewer",), "id:g-7": ("admin",)},
}
ENVIRON = {"WIND_SECRET": SECRET}


class Town:
    """A provider, a house whose people come through it, and a browser."""

    def __init__(self, folder: Path, stack: ExitStack, name: str) -> None:
        self.name, self.provider = name, Provider()
        at = f"http://127.0.0.1:{stack.enter_context(serving(self.provider.app()))}"
        self.oauth = {
            name: OAuth(
                CLIENT, "WIND_SECRET", ALLOW[name],
                authorize_url=f"{at}/authorize", token_url=f"{at}/token", api_url=at,
            )
        }  # fmt: skip
        self.house = House(folder, Serve(), oauth=self.oauth)
        stack.callback(self.house.close)
        self.sessions = self.house.sessions
        self.login = Login(self.house.database, self.oauth, self.sessions, self.house.audit, environ=ENVIRON)
        self.house.routes = [*self.login.routes()]
        self.home = f"http://127.0.0.1:{stack.enter_context(serving(self.house.app()))}"
        self.provider.callbacks = (f"{self.home}/auth/callback/{name}",)
        self.browser = stack.enter_context(httpx.Client(base_url=self.home, timeout=20))

    def begin(self, onward: str = "/") -> httpx.Response:
        return self.browser.get(f"/auth/login/{self.name}", params={"next": onward})

    def at_provider(self, begun: httpx.Response) -> str:
        """Where the provider sends the browser back to."""
        return str(httpx.get(begun.headers["location"], timeout=20).headers["location"])

    def log_in(self, onward: str = "/") -> httpx.Response:
        return self.browser.get(self.at_provider(self.begin(onward)))

    def me(self) -> Any:
        return self.browser.get("/auth/me").json()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


@pytest.fixture
def town(tmp_path: Path, stack: ExitStack) -> Town:
    return Town(tmp_path, stack, "github")


@pytest.fixture
def google(tmp_path: Path, stack: ExitStack) -> Town:
    made = Town(tmp_path, stack, "google")
    made.provider.user = {"sub": "g-1", "email": "Ana@example.com", "email_verified": True}
    return made


def test_a_login_goes_there_and_back_and_lasts(town: Town) -> None:
    assert town.browser.get(START).status_code == 401
    back = town.log_in("/runs?tag=a")
    assert (back.status_code, back.headers["location"]) == (303, "/runs?tag=a")
    assert town.provider.problems == []
    assert town.me() == {
        "name": "github:Ana",
        "named": True,
        "roles": ["operator"],
        "via": "rest",
        "by": "login",
    }
    page = {"origin": town.home}
    assert town.browser.post(START, headers=page).json()["who"] == "github:Ana"
    assert [
        (e.who, e.verb, e.outcome) for e in town.house.audit.page(filters=Filters(verb="login")).items
    ] == [("github:Ana", "login", DONE)]


def test_the_cookie_is_for_this_server_and_no_script(town: Town) -> None:
    (kept,) = [
        text for text in town.log_in().headers.get_list("set-cookie") if text.startswith("wt_session=")
    ]
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=3600"} <= set(kept.split("; "))
    assert "Secure" not in kept
    assert town.provider.tokens
    stored = repr(town.house.database.rows("SELECT * FROM session"))
    token = kept.partition("=")[2].partition(".")[0]
    assert token not in stored
    assert not any(token in stored for token in town.provider.tokens)


def test_over_https_the_cookie_is_bound_to_the_host(town: Town) -> None:
    from windtunnel.server.sessions import read_cookie, set_cookie

    scope: dict[str, Any] = {"type": "http", "scheme": "https", "headers": []}
    text = set_cookie(scope, "abc", 60)
    assert text.startswith("__Host-wt_session=abc;")
    assert text.endswith("; Secure")
    scope["headers"] = [(b"cookie", b"wt_session=planted; __Host-wt_session=abc")]
    assert read_cookie(scope) == "abc"
    scope["headers"] = [(b"cookie", b"__Host-wt_session=planted; __Host-wt_session=abc")]
    assert read_cookie(scope) is None


def test_a_cookie_alone_starts_nothing(town: Town) -> None:
    town.log_in()
    assert town.browser.get(START).status_code == 202
    for headers in ({}, {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert town.browser.post(START, headers=headers).status_code == 403
    assert town.house.started == 0
    assert town.browser.post(START, headers={"sec-fetch-site": "same-origin"}).status_code == 202


def test_a_state_is_good_once(town: Town) -> None:
    back = town.at_provider(town.begin())
    assert town.browser.get(back).status_code == 303
    again = town.browser.get(back)
    assert (again.status_code, again.json()["code"]) == (401, "unauthenticated")


def test_a_state_belongs_to_the_browser_that_began(town: Town) -> None:
    back = town.at_provider(town.begin())
    with httpx.Client(base_url=town.home) as victim:
        assert victim.get(back).status_code == 401
        assert "wt_session" not in victim.cookies
    assert town.browser.get(back).status_code == 401  # and is spent


def test_a_state_grows_old(town: Town) -> None:
    back = town.at_provider(town.begin())
    town.house.database.moment += ATTEMPT_SECONDS
    assert town.browser.get(back).status_code == 401


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied&state=x"]
)
def test_a_callback_that_nobody_began_is_refused(town: Town, query: str) -> None:
    town.begin()
    assert town.browser.get(f"/auth/callback/github{query}").status_code == 401
    assert town.house.audit.page(filters=Filters(verb="login")).items[0].outcome == DENIED


def test_who_says_no_at_the_provider_is_not_logged_in(town: Town) -> None:
    state = parse_qs(urlsplit(town.begin().headers["location"]).query)["state"][0]
    reply = town.browser.get(f"/auth/callback/github?error=access_denied&state={state}")
    assert reply.status_code == 401
    assert "did not let you in" in reply.json()["detail"]


def test_a_code_of_somebody_else_is_worth_nothing_without_its_verifier(town: Town) -> None:
    stolen = parse_qs(urlsplit(town.at_provider(town.begin())).query)["code"][0]
    mine = parse_qs(urlsplit(town.begin().headers["location"]).query)["state"][0]
    assert town.browser.get(f"/auth/callback/github?code={stolen}&state={mine}").status_code == 401
    assert town.provider.problems == ["token"]


def test_each_attempt_has_its_own_state_and_challenge(town: Town) -> None:
    for _ in range(3):
        town.at_provider(town.begin())
    assert len({asked["state"] for asked in town.provider.asked}) == 3
    assert len({asked["code_challenge"] for asked in town.provider.asked}) == 3


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/a\\b", "evil", "",
     "javascript:alert(1)", "/a\nb", "/ a", "/" + "a" * 600],
)  # fmt: skip
def test_one_goes_on_to_no_other_place(town: Town, onward: str) -> None:
    reply = town.begin(onward)
    assert (reply.status_code, reply.json()["where"]) == (422, "next")
    with pytest.raises(UsageError):
        safe_path(onward)


def test_logging_out_ends_the_login_everywhere(town: Town) -> None:
    town.log_in()
    cookie = town.browser.cookies["wt_session"]
    assert town.browser.post("/auth/logout", headers={"origin": "https://evil.example"}).status_code == 403
    assert town.browser.get(START).status_code == 202
    assert town.browser.post("/auth/logout", headers={"origin": town.home}).status_code == 204
    assert httpx.get(f"{town.home}{START}", headers={"cookie": f"wt_session={cookie}"}).status_code == 401
    assert town.sessions.check(cookie) is None


def test_a_login_that_is_revoked_or_old_is_over(town: Town) -> None:
    town.log_in()
    assert town.sessions.revoke_all("github:Ben") == 0
    assert town.sessions.revoke_all("github:Ana") == 1
    assert town.browser.get(START).status_code == 401
    town.log_in()
    town.house.database.moment += 3599
    assert town.browser.get(START).status_code == 202
    town.house.database.moment += 1
    assert town.browser.get(START).status_code == 401


def test_logging_in_again_ends_the_login_before(town: Town) -> None:
    town.log_in()
    first = town.browser.cookies["wt_session"]
    town.log_in()
    assert town.browser.cookies["wt_session"] != first
    assert town.sessions.check(first) is None


def test_a_cookie_that_was_not_signed_here_is_nobodys(town: Town, tmp_path: Path) -> None:
    town.log_in()
    cookie = town.browser.cookies["wt_session"]
    token, _, signature = cookie.rpartition(".")
    for wrong in (
        "",
        ".",
        token,
        f"{token}.",
        f"{token}x.{signature}",
        f"{token}.{signature[:-1]}",
        "é",
        "x" * 5000,
    ):
        assert town.sessions.check(wrong) is None
    assert town.sessions.check(cookie)


def test_two_servers_on_one_database_know_each_others_logins(town: Town) -> None:
    town.log_in()
    other = Sessions(town.house.database, town.oauth, seconds=3600)
    assert other.check(town.browser.cookies["wt_session"])


def test_who_is_taken_out_of_the_settings_has_lost_their_roles(town: Town) -> None:
    town.log_in()
    cookie = town.browser.cookies["wt_session"]
    (oauth,) = town.oauth.values()
    less = {"github": OAuth(oauth.client_id, oauth.client_secret_env, {"ben": ("admin",)})}
    assert Sessions(town.house.database, less, seconds=3600).check(cookie) is None
    assert Sessions(town.house.database, {}, seconds=3600).check(cookie) is None


# --- who is let in ---


@pytest.mark.parametrize(
    ("user", "orgs", "roles"),
    sampled(
        [
            ({"id": 1, "login": "ANA"}, {}, ["operator"]),
            ({"id": 1, "login": "ben"}, {"acme": "active"}, ["approver", "viewer"]),
            ({"id": 1, "login": "ana"}, {"acme": "active"}, ["approver", "operator", "viewer"]),
            ({"id": 7, "login": "ben"}, {}, ["admin"]),
            ({"id": 1, "login": "ben"}, {"acme": "pending"}, None),
            ({"id": 1, "login": "ben"}, {"other": "active"}, None),
            ({"id": 1, "login": "ben"}, {}, None),
            ({"id": 1, "login": "org:acme"}, {}, None),
            ({"id": "7", "login": "ben"}, {}, None),
            ({"id": True, "login": "ana"}, {}, None),
            ({"login": "ana"}, {}, None),
            ({}, {}, None),
        ],
        4,
    ),
)
def test_github_accounts_get_what_the_settings_say(town: Town, user: Any, orgs: Any, roles: Any) -> None:
    town.provider.user, town.provider.orgs = user, orgs
    back = town.log_in()
    assert (back.status_code == 303) == (roles is not None)
    assert town.me().get("roles") == roles
    assert "wt_session" in town.browser.cookies or roles is None


@pytest.mark.parametrize(
    ("user", "roles"),
    sampled(
        [
            ({"sub": "g-1", "email": "Ana@Example.com", "email_verified": True}, ["operator"]),
            ({"sub": "g-1", "email": "ana@example.com", "email_verified": False}, None),
            ({"sub": "g-1", "email": "ana@example.com", "email_verified": "true"}, None),
            ({"sub": "g-1", "email": "ana@example.com"}, None),
            ({"sub": "g-1", "email": "ben@acme.com", "email_verified": True, "hd": "acme.com"}, ["viewer"]),
            ({"sub": "g-1", "email": "ben@acme.com", "email_verified": True}, None),
            ({"sub": "g-1", "email": "ben@acme.com", "email_verified": True, "hd": "evil.com"}, None),
            ({"sub": "g-7", "email": "ben@else.com", "email_verified": True}, ["admin"]),
            ({"sub": "g-1", "email_verified": True}, None),
        ],
        4,
    ),
)
def test_google_accounts_get_what_the_settings_say(google: Town, user: Any, roles: Any) -> None:
    google.provider.user = user
    google.log_in()
    assert google.me().get("roles") == roles


def test_google_is_asked_for_an_address_and_github_for_orgs_where_they_count(google: Town) -> None:
    google.at_provider(google.begin())
    assert google.provider.asked[0]["scope"] == "openid email"


def test_github_is_asked_for_orgs_only_where_they_count(town: Town) -> None:
    town.at_provider(town.begin())
    assert town.provider.asked[0]["scope"] == "read:org"
    town.oauth["github"].allow.pop("org:acme")
    try:
        town.at_provider(town.begin())
        assert "scope" not in town.provider.asked[1]
    finally:
        town.oauth["github"].allow["org:acme"] = ("viewer", "approver")


# --- a provider that misbehaves ---


@pytest.mark.parametrize(
    "twist",
    sampled(
        [
            lambda _: JSONResponse({"error": "bad_verification_code"}),
            lambda _: JSONResponse({"access_token": 5}),
            lambda said: JSONResponse({**said, "token_type": "mac"}),
            lambda _: JSONResponse([1]),
            lambda _: PlainTextResponse("x" * 300_000),
            lambda _: PlainTextResponse("[" * 100_000),
            lambda _: RedirectResponse("http://127.0.0.1:9/"),
            lambda said: JSONResponse(said, 500),
        ],
        4,
    ),
)
def test_a_provider_that_answers_nonsense_lets_nobody_in(town: Town, twist: Any) -> None:
    town.provider.twist = twist
    back = town.log_in()
    assert back.status_code == 401
    assert not any(token in back.text for token in town.provider.tokens)
    assert town.browser.get(START).status_code == 401


def test_a_provider_that_is_not_there_is_named(tmp_path: Path, stack: ExitStack) -> None:
    town = Town(tmp_path, stack, "github")
    back = town.at_provider(town.begin())
    town.login._addresses["github"] = type(town.login._addresses["github"])(
        "http://127.0.0.1:9/a", "http://127.0.0.1:9/t", "http://127.0.0.1:9"
    )
    reply = town.browser.get(back)
    assert reply.status_code == 401
    assert "127.0.0.1 does not answer" in reply.json()["detail"]


# --- settings, and bounds ---


def test_what_is_missing_in_the_settings_is_named(town: Town) -> None:
    good = town.oauth["github"]

    def make(name: str, oauth: OAuth, environ: dict[str, str] = ENVIRON) -> Login:
        return Login(town.house.database, {name: oauth}, town.sessions, town.house.audit, environ=environ)

    with pytest.raises(UsageError, match="WIND_SECRET is not set"):
        make("github", good, {})
    with pytest.raises(UsageError, match="no provider 'gitlab'"):
        make("gitlab", good)
    with pytest.raises(UsageError, match="not https"):
        make("github", OAuth(CLIENT, "WIND_SECRET", {}, token_url="http://github.example/token"))
    with pytest.raises(UsageError, match="no role 'king'"):
        Sessions(town.house.database, {"github": OAuth("a", "B", {"ana": ("king",)})}, seconds=60)


def test_an_unknown_provider_is_not_found(town: Town) -> None:
    assert town.browser.get("/auth/login/google").status_code == 404
    assert town.browser.get("/auth/callback/google?code=x&state=x").status_code == 404
    assert town.browser.get("/auth/providers").json() == {
        "items": [{"name": "github", "login": "/auth/login/github"}],
        "key": False,
    }


def test_attempts_of_strangers_are_bounded(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ATTEMPTS >= 100
    monkeypatch.setattr("windtunnel.server.login.MOST_ATTEMPTS", 5)
    for _ in range(8):
        town.house.database.moment += 1
        town.begin()
    begun = town.begin()
    assert town.house.database.rows("SELECT count(*) FROM login_attempt") == [(5,)]
    assert town.browser.get(town.at_provider(begun)).status_code == 303


@pytest.mark.slow
def test_old_logins_are_swept(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windtunnel.server.sessions.MOST", 3)
    for _ in range(5):
        town.house.database.moment += 1
        town.browser.cookies.clear()
        town.log_in()
    assert town.house.database.rows("SELECT count(*) FROM session") == [(3,)]
    assert town.browser.get(START).status_code == 202
