"""Runs that should be played and stand in no queue: whoever made them, or took mail for them, was killed
before
it put them there.

The journals say so: a run that was made for the queue and never left `queued`, or one that waits and to which
since came what it waits for. To put one again that another server is about to put does no harm: the queue
takes each run once. A run that somebody made to play it himself is left to him.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from windtunnel.config import Workspace
from windtunnel.control.approvals import approvals_of
from windtunnel.control.burying import ticket_of
from windtunnel.control.catalog import Found, opened
from windtunnel.control.index import Filter, Index
from windtunnel.control.queue import Queue, Ticket
from windtunnel.errors import WindtunnelError
from windtunnel.journal import Status, Store
from windtunnel.run.feedback import KIND as FEEDBACK
from windtunnel.run.voting import KIND as VOTE

GRACE_SECONDS = 5.0  # for whoever is about to put it
AT_ONCE = 400  # runs that are asked for in one question


def stranded(workspace: Workspace, index: Index, queue: Queue) -> Iterator[Ticket]:
    """A ticket for each."""
    now = queue.database.now()
    for status in (Status.QUEUED, Status.WAITING):
        listed = index.each(Filter(status=str(status)))
        old = [one for one in listed if now - one.updated > GRACE_SECONDS or status is Status.WAITING]
        for start in range(0, len(old), AT_ONCE):
            part = old[start : start + AT_ONCE]
            there = queue.known([one.run_id for one in part])
            for one in part:
                found = Found(one.location, one.row)
                if one.run_id not in there and (ticket := _ticket(workspace, found, now)) is not None:
                    yield ticket


def _ticket(workspace: Workspace, found: Found, now: float) -> Ticket | None:
    if found.row.status is Status.QUEUED:
        ticket = ticket_of(workspace, found)
        return ticket and replace(ticket, seen=found.row.op_seq)
    try:
        with opened(found, workspace, read_only=True) as store:
            row = store.run(found.row.run_id)
            if row.status is not Status.WAITING or not _is_called(store, found, row.updated, now):
                return None
    except WindtunnelError:
        return None
    return Ticket(row.run_id, str(found.path), row.world, seen=row.op_seq)


def _is_called(store: Store, found: Found, since: float, now: float) -> bool:
    """Whether what it waits for may have come since it was parked."""
    mail = [one for one in store.mail(found.row.run_id) if since < one.at < now - GRACE_SECONDS]
    if any(one.kind not in (FEEDBACK, VOTE) for one in mail):
        return True
    if not any(one.kind == VOTE for one in mail):
        return False
    return not any(one.status == "waiting" and one.mode == "park" for one in approvals_of(store, found, now))
