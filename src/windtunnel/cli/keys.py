"""`keys`: who may use a server of this workspace, and the key that signs the heads of runs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from windtunnel.cli import door, render, say
from windtunnel.config import Workspace, find_workspace
from windtunnel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windtunnel.control.access import Key, Keys, Made
    from windtunnel.control.audit import Audit

ACTIONS = ("create", "list", "rotate", "revoke", "sign")
STATES = {"valid": "green", "replaced": "yellow", "expired": "dim", "revoked": "dim"}


def keys(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="create, list, rotate, revoke or sign.")],
    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]", help="Whose key: a name, or the id of one key. sign: the file to make."
        ),
    ] = "",
    role: Annotated[
        list[str],
        typer.Option(
            "--role", metavar="ROLE", help="create: viewer, operator, approver or admin; may be given again."
        ),
    ] = [],  # noqa: B006
    expires: Annotated[str, typer.Option(metavar="AGE", help="create: when it ends, such as 90d.")] = "",
    grace: Annotated[
        str, typer.Option(metavar="AGE", help="rotate: how long the old secret is good for; 0d ends it now.")
    ] = "1d",
) -> int:
    """Make, list, renew and end the keys with which people and programs come to a server.

    A secret is shown once, when it is made; what is kept of it is a hash. rotate gives a new secret to the
    same name. revoke ends a key at once. sign makes another kind of key: one that signs the heads of runs,
    so that nobody who can write here can invent one.

    \b
    Examples:
      windtunnel keys create ana --role operator --expires 90d
      windtunnel keys list
      windtunnel keys rotate ana --grace 12h
      windtunnel keys revoke ana
      windtunnel keys sign ~/.windtunnel/heads.key
    """
    door.one_of(action, ACTIONS, "keys")
    if action != "list" and not name:
        what = "the file to make" if action == "sign" else "whose key"
        raise UsageError(f"{action} needs a name: {what}", where="keys", remedy="windtunnel keys --help")
    if action == "list" and name:
        raise UsageError("list takes no name", where="keys", remedy="windtunnel keys list")
    if action == "sign":
        return _sign(Path(name))
    with _opened(find_workspace()) as (kept, audit):
        if action == "create":
            return _create(kept, audit, name, role, expires)
        if action == "rotate":
            return _rotate(kept, audit, name, grace)
        return _revoke(kept, audit, name) if action == "revoke" else _list(kept)


@contextmanager
def _opened(workspace: Workspace) -> Iterator[tuple[Keys, Audit]]:
    from windtunnel.control.access import Keys  # noqa: PLC0415 - the rooms behind this command, not --help's
    from windtunnel.control.audit import Audit  # noqa: PLC0415
    from windtunnel.control.database import open_database  # noqa: PLC0415

    database = open_database(workspace)
    try:
        yield Keys(database), Audit(database)
    finally:
        database.close()


def _create(kept: Keys, audit: Audit, name: str, roles: list[str], expires: str) -> int:
    from windtunnel.config.retention import seconds_of  # noqa: PLC0415

    made = kept.create(name, roles, seconds=seconds_of(expires, "--expires") if expires else None)
    _note(audit, "keys.create", made.key)
    return _made(made, "")


def _rotate(kept: Keys, audit: Audit, name: str, grace: str) -> int:
    from windtunnel.config.retention import seconds_of  # noqa: PLC0415

    seconds = seconds_of(grace, "--grace")
    made = kept.rotate(name, grace=seconds)
    _note(audit, "keys.rotate", made.key)
    return _made(made, f"the old secret is good for {grace} more" if seconds else "the old secret has ended")


def _made(made: Made, note: str) -> int:
    if say.door.json:
        say.data({**_data(made.key), "secret": made.secret})
        return 0
    key = made.key
    ends = "never ends" if key.expires is None else f"ends in {_span(key.expires)}"
    say.line(f"{key.name}: {', '.join(key.roles)}; {ends}; id {key.key_id}\n\n  {made.secret}\n")
    say.line("This is the only time it is shown. Send it as the header  Authorization: Bearer wt_…")
    if note:
        say.line(note)
    return 0


def _list(kept: Keys) -> int:
    found = kept.list()
    if say.door.json:
        for key in found:
            say.data(_data(key))
        return 0
    if not found:
        say.show("no keys: a server of this workspace is open to this machine, and to no other", "")
        say.show(render.next_steps([("make one", "windtunnel keys create NAME --role operator")]))
        return 0
    table = render.grid("name", ("roles", "wrap"), "state", "ends", "last used", "id")
    for key in found:
        state = key.state(_now())
        used = "[dim]never[/]" if key.used is None else render.age(door.seconds_since(key.used))
        ends = "[dim]never[/]" if key.expires is None else _span(key.expires)
        table.add_row(
            escape(key.name),
            " ".join(key.roles),
            f"[{STATES[state]}]{state}[/]",
            ends if state in ("valid", "replaced") else "",
            used,
            f"[dim]{key.key_id}[/]",
        )
    say.show(table)
    return 0


def _revoke(kept: Keys, audit: Audit, name: str) -> int:
    ended = kept.revoke(name)
    for key in ended:
        _note(audit, "keys.revoke", key)
    if say.door.json:
        say.data({"revoked": [_data(key) for key in ended]})
    else:
        say.line("\n".join(f"{key.name} ({key.key_id}) is revoked" for key in ended))
    return 0


def _sign(path: Path) -> int:
    from windtunnel.journal.signing import make_key  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    public = make_key(path)
    if say.door.json:
        say.data({"key": str(path), "public_key": public})
        return 0
    settings = f'[heads]\nsigning_key = "{path.absolute()}"\npublic_key = "{public}"'
    say.line(f"{path} is readable by you alone. Put this into windtunnel.toml:\n\n{settings}")
    return 0


def _note(audit: Audit, verb: str, key: Key) -> None:
    from windtunnel.cli.taking import me  # noqa: PLC0415 - only what changes something says who
    from windtunnel.control.access import here  # noqa: PLC0415

    audit.append(here(), verb, key.name, detail={"key_id": key.key_id, "roles": key.roles, "user": me()})


def _data(key: Key) -> dict[str, Any]:
    fields = {name: getattr(key, name) for name in key.__struct_fields__}
    return {**fields, "state": key.state(_now())}


def _now() -> float:
    return time.time()  # ambient: whether a key has ended is for people


def _span(moment: float) -> str:
    left = max(0.0, moment - _now())
    return f"{left / 86_400:.0f} d" if left >= 2 * 86_400 else render.duration(left)
