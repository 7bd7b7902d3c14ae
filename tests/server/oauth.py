"""A provider of logins that speaks the protocol: authorization code with PKCE (RFC 6749, 7636), a GitHub and
a Google behind it. It refuses what a strict one refuses, so that a client that leaves something out is
found."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "wind-client", "wind-secret"


class Provider:
    """`user` is what it says of whoever logs in; `orgs` their memberships; `twist` changes a token reply."""

    def __init__(self, callbacks: tuple[str, ...] = ()) -> None:
        self.callbacks = callbacks
        self.user: dict[str, Any] = {"id": 583231, "login": "Ana"}
        self.orgs: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.problems: list[str] = []
        self.twist: Callable[[dict[str, Any]], Response] = JSONResponse

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/user", self.said),
                Route("/v1/userinfo", self.said),
                Route("/user/memberships/orgs/{org}", self.member),
            ]
        )

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        wrong = [
            name
            for name, good in (
                ("client_id", asked.get("client_id") == CLIENT),
                ("response_type", asked.get("response_type") == "code"),
                ("redirect_uri", asked.get("redirect_uri") in self.callbacks),
                ("state", len(asked.get("state", "")) >= 32),
                ("code_challenge_method", asked.get("code_challenge_method") == "S256"),
                ("code_challenge", len(asked.get("code_challenge", "")) == 43),
            )
            if not good
        ]
        if wrong:
            self.problems += wrong
            return PlainTextResponse(f"wrong: {wrong}", 400)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return RedirectResponse(
            f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302
        )

    async def token(self, request: Request) -> Response:
        given = {name: said[0] for name, said in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(given.get("code", ""), None)  # good once
        made = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        good = (
            asked is not None
            and given.get("grant_type") == "authorization_code"
            and (given.get("client_id"), given.get("client_secret")) == (CLIENT, SECRET)
            and given.get("redirect_uri") == asked["redirect_uri"]
            and made.rstrip(b"=").decode() == asked["code_challenge"]
        )
        if not good:
            self.problems.append("token")
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return self.twist({"access_token": token, "token_type": "bearer"})

    def known(self, request: Request) -> bool:
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    async def said(self, request: Request) -> Response:
        return JSONResponse(self.user) if self.known(request) else JSONResponse({}, 401)

    async def member(self, request: Request) -> Response:
        state = self.orgs.get(request.path_params["org"])
        if state is None or not self.known(request):
            return JSONResponse({"message": "Not Found"}, 404)
        return JSONResponse({"state": state})
