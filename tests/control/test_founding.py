"""A store that several found at once: nobody's failure takes another's run away, and none is left empty."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest

from tests.control.yard import PATIENCE, Yard
from windtunnel.control import Control
from windtunnel.control.ids import new_run_id
from windtunnel.errors import WindtunnelError, WrongState
from windtunnel.run.clock import Clock


class Meanwhile(Clock):
    """Does something else at the moment when the store is open and the run is not in it yet."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self.then = then

    def wall(self) -> float:
        self.then()
        return super().wall()


def create(yard: Yard, run_id: str, then: Callable[[], object] = lambda: None) -> None:
    control = Control(yard.workspace, lambda _: yard.world, clock=Meanwhile(then))
    control.create(yard.world, yard.scenario(), run_id=run_id)


def left(yard: Yard) -> list[str]:
    return sorted(path.name for path in yard.workspace.runs.iterdir())


def full_disk() -> None:
    raise OSError(28, "No space left on device")


def test_who_comes_second_with_the_same_id_leaves_the_run_of_the_first(yard: Yard) -> None:
    run_id = new_run_id()
    with pytest.raises(WrongState, match="already"):
        create(yard, run_id, lambda: create(yard, run_id))
    assert yard.control.find(run_id).row.run_id == run_id
    assert yard.control.verify(run_id).complete


def test_who_fails_leaves_the_store_to_another_who_is_about_to_write_to_it(yard: Yard) -> None:
    run_id, inside, failing = new_run_id(), Event(), Event()

    def wait() -> None:
        inside.set()
        failing.wait(PATIENCE)
        other_fails.join(0.3)  # as long as it may try to tidy up behind itself

    def second() -> None:
        create(yard, run_id, wait)

    def fail() -> None:
        writes.start()
        assert inside.wait(PATIENCE)
        failing.set()
        full_disk()

    def first() -> None:
        with pytest.raises(OSError, match="No space"):
            create(yard, run_id, fail)

    writes, other_fails = Thread(target=second), Thread(target=first)
    other_fails.start()
    other_fails.join(PATIENCE)
    writes.join(PATIENCE)
    assert yard.control.find(run_id).row.run_id == run_id
    assert yard.control.verify(run_id).complete


def test_a_store_that_no_run_came_into_goes_again(yard: Yard) -> None:
    yard.create()
    before = left(yard)
    with pytest.raises(OSError, match="No space"):
        create(yard, new_run_id(), full_disk)
    assert left(yard) == before


def test_a_file_that_was_there_before_stays_whatever_it_is(yard: Yard) -> None:
    yard.create()
    path, run_id = yard.workspace.runs / "mine.sqlite", new_run_id()
    path.write_text("my diary")
    with pytest.raises(WindtunnelError):
        yard.create(path=path)
    assert path.read_text() == "my diary"
    empty = yard.workspace.runs / f"{run_id}.sqlite"
    empty.touch()
    with pytest.raises(OSError, match="No space"):
        create(yard, run_id, full_disk)
    assert empty.exists()
