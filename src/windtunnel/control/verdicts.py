"""What the journal says of a run that stands in the queue: whether its ticket still means something, whether
somebody wishes to end it, and what becomes of it when it cannot be played."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from windtunnel.config import Workspace
from windtunnel.control.carrying import error_to_plain
from windtunnel.control.catalog import open_store
from windtunnel.control.queue import Left, Standing
from windtunnel.errors import LeaseHeld, WindtunnelError
from windtunnel.journal import RunRow, Status, Store
from windtunnel.run.feedback import KIND as FEEDBACK
from windtunnel.run.session import fail_run

SENDER = "worker"


@contextmanager
def opened_store(workspace: Workspace, standing: Standing, *, read_only: bool = False) -> Iterator[Store]:
    store = open_store(standing.ticket.location, workspace, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


def is_void(standing: Standing, row: RunRow) -> bool:
    """Whether there is nothing left to do: the run has ended, or left by itself since its ticket was put."""
    if row.status in (Status.COMPLETED, Status.CANCELLED) or row.pruned is not None:
        return True
    if row.status not in (Status.PAUSED, Status.WAITING, Status.FAILED):
        return False
    seen = standing.ticket.seen
    return row.op_seq > seen if seen is not None else standing.tries > 0


def untaken(store: Store, run_id: str) -> set[int]:
    """The mail that whoever plays the run has not taken in."""
    return {mail.id for mail in store.mail(run_id) if mail.kind != FEEDBACK}


def cancel_wish(store: Store, run_id: str) -> str | None:
    """Who wishes to cancel the run, if somebody does and was not obeyed yet."""
    return next((mail.sender for mail in store.mail(run_id) if mail.kind == "cancel"), None)


def refused(workspace: Workspace, standing: Standing, error: WindtunnelError) -> Left:
    """It cannot be taken up. One that was never played would wait in silence: it fails, with the reason."""
    status = ""
    try:
        with opened_store(workspace, standing) as store:
            row = store.run(standing.ticket.run_id)
            if row.status is Status.QUEUED:
                row = fail_run(store, row.run_id, error, SENDER)
            status = str(row.status)
    except LeaseHeld:
        pass  # another process plays it
    except WindtunnelError as worse:
        return Left(standing, status, error_to_plain(worse))
    return Left(standing, status, error_to_plain(error))
