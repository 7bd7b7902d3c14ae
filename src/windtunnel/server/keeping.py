"""The verbs over keys. A secret is told once, in the answer that made it."""

from __future__ import annotations

from windtunnel.control.access import DAY, Key, Made, Principal, Role
from windtunnel.server import types
from windtunnel.server.gate import verb
from windtunnel.server.ground import Ground, aside


class Keeping:
    def __init__(self, ground: Ground) -> None:
        self.ground, self.audit, self._keys = ground, ground.audit, ground.keys

    @verb("list_keys", Role.ADMIN)
    async def list(self, who: Principal) -> types.KeyList:
        """Names, roles and expiry; never a secret."""
        now = self.ground.database.now()
        return types.KeyList(keys=[_told(key, now) for key in await aside(self._keys.list)])

    @verb("create_key", Role.ADMIN, writes=True)
    async def create(self, who: Principal, name: str, request: types.KeyRequest) -> types.NewKey:
        """Make a key."""
        seconds = None if request.days is None else request.days * DAY
        return self._new(await aside(self._keys.create, name, request.roles, seconds=seconds))

    @verb("rotate_key", Role.ADMIN, writes=True)
    async def rotate(self, who: Principal, name: str) -> types.NewKey:
        """A new secret; the old one is good for a little longer."""
        return self._new(await aside(self._keys.rotate, name))

    @verb("revoke_key", Role.ADMIN, writes=True)
    async def revoke(self, who: Principal, name: str) -> None:
        """Nobody comes in with it any more."""
        await aside(self._keys.revoke, name)

    def _new(self, made: Made) -> types.NewKey:
        told = _told(made.key, self.ground.database.now())
        return types.NewKey(**told.model_dump(), secret=made.secret)


def _told(key: Key, now: float) -> types.Key:
    return types.Key(
        id=key.key_id, name=key.name, roles=[str(role) for role in key.roles], status=key.state(now),
        created=types.moment(key.created), expires=types.moment(key.expires), used=types.moment(key.used),
    )  # fmt: skip
