"""Roles, principals and keys."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.control.clocked import Clocked, ClockedPostgres, clocked
from tests.databases import BOTH
from windtunnel.control.access import (
    DAY,
    LOCAL,
    TOKEN,
    USED_EVERY,
    Keys,
    Principal,
    Role,
    base62,
    check_name,
    here,
    may,
)  # fmt: skip
from windtunnel.errors import Forbidden, NotFound, UsageError, WrongState

ALLOWED = {
    Role.VIEWER: {Role.VIEWER},
    Role.OPERATOR: {Role.VIEWER, Role.OPERATOR},
    Role.APPROVER: {Role.VIEWER, Role.APPROVER},
    Role.ADMIN: {Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.ADMIN},
}


@pytest.fixture(params=BOTH)
def database(request: Any, tmp_path: Path) -> Iterator[Clocked | ClockedPostgres]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with closing(clocked(request.param, tmp_path, url)) as made:
        yield made


@pytest.fixture
def keys(database: Clocked | ClockedPostgres) -> Keys:
    return Keys(database)


@pytest.mark.parametrize("held", Role)
@pytest.mark.parametrize("wanted", Role)
def test_each_role_does_what_the_table_says(held: Role, wanted: Role) -> None:
    principal = Principal("ana", frozenset({held}), "rest")
    if wanted in ALLOWED[held]:
        may(principal, wanted)
        return
    with pytest.raises(Forbidden, match=f"needs the role {wanted}, and has {held}") as caught:
        may(principal, wanted)
    assert caught.value.data == {"needs": str(wanted), "has": [str(held)], "principal": "ana"}
    assert f"--role {wanted}" in (caught.value.remedy or "")


def test_roles_add_up() -> None:
    both = Principal("ana", frozenset({Role.OPERATOR, Role.APPROVER}))
    may(both, Role.OPERATOR)
    may(both, Role.APPROVER)
    with pytest.raises(Forbidden):
        may(both, Role.ADMIN)


def test_nobody_without_a_role_may_anything() -> None:
    with pytest.raises(Forbidden, match="has none"):
        may(Principal("ana", frozenset()), Role.VIEWER)


def test_a_key_names_its_principal_and_its_roles(keys: Keys) -> None:
    made = keys.create("ana", ["operator", "approver"])
    roles = frozenset({Role.OPERATOR, Role.APPROVER})
    assert keys.check(made.secret, "stream") == Principal("ana", roles, "stream")
    assert TOKEN.fullmatch(made.secret)


def test_a_secret_is_in_no_row_and_in_no_repr(keys: Keys, database: Clocked | ClockedPostgres) -> None:
    made = keys.create("ana", ["viewer"])
    secret = made.secret.rpartition("_")[2]
    assert secret not in repr(made)
    assert secret not in repr(database.rows("SELECT * FROM api_key"))
    if isinstance(database, Clocked):
        database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        assert secret.encode() not in database.path.read_bytes()


def test_a_secret_has_all_its_bits_in_43_letters() -> None:
    assert base62(b"\xff" * 32) != base62(b"\xff" * 31 + b"\xfe")
    assert {len(base62(bytes(32))), len(base62(b"\xff" * 32)), len(base62(b"\0" * 31 + b"\1"))} == {43}


def test_a_wrong_secret_is_nobody(keys: Keys) -> None:
    made = keys.create("ana", ["viewer"])
    other = keys.create("ben", ["admin"])
    mixed = f"wt_{other.key.key_id}_{made.secret.rpartition('_')[2]}"
    for wrong in (
        "",
        "wt_",
        made.secret[:-1],
        made.secret + "\n",
        mixed,
        "x" * 10_000,
        "wt_0000000000_" + "0" * 43,
    ):
        assert keys.check(wrong) is None


def test_a_key_ends_when_it_was_to_end(keys: Keys, database: Clocked | ClockedPostgres) -> None:
    made = keys.create("ana", ["viewer"], seconds=60)
    database.moment += 59
    assert keys.check(made.secret)
    database.moment += 1
    assert keys.check(made.secret) is None
    assert keys.list()[0].state(database.now()) == "expired"


def test_a_revoked_key_is_good_for_nothing_at_once(keys: Keys, database: Clocked | ClockedPostgres) -> None:
    made = keys.create("ana", ["viewer"])
    other = keys.create("ben", ["viewer"])
    assert [key.name for key in keys.revoke("ana")] == ["ana"]
    assert keys.check(made.secret) is None
    assert keys.check(other.secret)
    with pytest.raises(NotFound, match="no key in use"):
        keys.revoke("ana")


def test_the_old_secret_is_good_for_the_time_of_grace(
    keys: Keys, database: Clocked | ClockedPostgres
) -> None:
    old = keys.create("ana", ["operator"])
    new = keys.rotate("ana", grace=100)
    assert new.key.name == "ana"
    assert new.key.roles == (Role.OPERATOR,)
    database.moment += 99
    assert keys.check(old.secret) == keys.check(new.secret) is not None
    database.moment += 1
    assert keys.check(old.secret) is None
    assert keys.check(new.secret)


def test_no_grace_ends_the_old_secret_now(keys: Keys) -> None:
    old = keys.create("ana", ["viewer"])
    keys.rotate(old.key.key_id, grace=0)
    assert keys.check(old.secret) is None


def test_grace_prolongs_no_key_that_ends_earlier(keys: Keys, database: Clocked | ClockedPostgres) -> None:
    old = keys.create("ana", ["viewer"], seconds=50)
    new = keys.rotate("ana", grace=DAY)
    assert new.key.expires == database.moment + 50
    database.moment += 50
    assert keys.check(old.secret) is None


def test_a_key_that_ended_is_not_rotated_back_to_life(
    keys: Keys, database: Clocked | ClockedPostgres
) -> None:
    keys.create("ana", ["viewer"], seconds=50)
    database.moment += 51
    with pytest.raises(NotFound):
        keys.rotate("ana")


def test_to_revoke_a_name_ends_its_old_secrets_too(keys: Keys) -> None:
    old = keys.create("ana", ["viewer"])
    new = keys.rotate("ana")
    keys.revoke("ana")
    assert keys.check(old.secret) is None
    assert keys.check(new.secret) is None


def test_one_name_is_one_person(keys: Keys) -> None:
    keys.create("ana", ["viewer"])
    with pytest.raises(WrongState, match="there is a key named 'Ana'"):
        keys.create("Ana", ["admin"])
    keys.revoke("ana")
    keys.create("Ana", ["viewer"])


@pytest.mark.parametrize(
    "name", ["", "a b", "local", "Schedule", "anyone", "github:ana", "../etc", "a\n", "é", "x" * 65]
)
def test_a_name_that_could_be_another_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        check_name(name)


def test_a_key_needs_a_role_that_there_is(keys: Keys) -> None:
    with pytest.raises(UsageError, match="no role 'root'"):
        keys.create("ana", ["viewer", "root"])
    with pytest.raises(UsageError, match="needs a role"):
        keys.create("ana", [])
    with pytest.raises(UsageError, match="lasts longer"):
        keys.create("ana", ["viewer"], seconds=0)
    assert keys.list() == []


def test_the_last_use_is_known_coarsely(keys: Keys, database: Clocked | ClockedPostgres) -> None:
    made = keys.create("ana", ["viewer"])
    assert keys.list()[0].used is None
    keys.check(made.secret)
    first = database.moment
    database.moment += USED_EVERY
    keys.check(made.secret)
    assert keys.list()[0].used == first
    database.moment += 1
    keys.check(made.secret)
    assert keys.list()[0].used == database.moment


def test_an_expired_key_still_locks_the_door(keys: Keys, database: Clocked | ClockedPostgres) -> None:
    assert not keys.any()
    keys.create("ana", ["viewer"], seconds=1)
    database.moment += 2
    assert keys.any()


def test_the_door_is_open_again_when_all_keys_were_revoked(keys: Keys) -> None:
    keys.create("ana", ["viewer"])
    keys.revoke("ana")
    assert not keys.any()


def test_whoever_sits_here_has_all_roles_but_no_name_unless_given() -> None:
    assert here().name == LOCAL
    assert not here().named
    assert here("ana").named
    for role in Role:
        may(here(), role)
