"""Where two people must approve, two names must: who is nobody in particular could be either of them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from windtunnel.control.access import Principal, Role
from windtunnel.errors import VoteRefused
from windtunnel.server import types
from windtunnel.server.deciding import Deciding


class Reached(Exception):
    """The vote came as far as the run."""


def vote(name: str, *, needed: int, approve: bool = True) -> None:
    def taken(*_: Any, **__: Any) -> None:
        raise Reached

    control = SimpleNamespace(approval=lambda *_: SimpleNamespace(needed=needed), vote=taken)
    deciding = Deciding(cast(Any, SimpleNamespace(control=control, audit=None)), cast(Any, None))
    who = Principal(name, frozenset({Role.APPROVER}), "rest")
    asyncio.run(deciding._vote(who, "run0:1.validate.ann.0", approve, types.VoteRequest()))


@pytest.mark.parametrize("name", ["local", "anyone"])
def test_nobody_in_particular_is_not_one_of_two(name: str) -> None:
    with pytest.raises(VoteRefused, match="2 people must approve, each by name") as told:
        vote(name, needed=2)
    assert "X-Windtunnel-As" in str(told.value.remedy)


@pytest.mark.parametrize(
    ("name", "needed", "approve"),
    [("kim", 2, True), ("local", 1, True), ("local", 2, False)],
    ids=["a name", "one will do", "a denial"],
)
def test_other_votes_are_heard(name: str, needed: int, approve: bool) -> None:
    with pytest.raises(Reached):
        vote(name, needed=needed, approve=approve)
