"""The journal: what happened, kept so that it can be proved, resumed, forked and replayed."""

from windtunnel.journal.model import (
    GENESIS,
    Arrival,
    Batch,
    Checkpoint,
    Effect,
    Entry,
    Mail,
    Operation,
    RunRow,
    Status,
    entry_hash,
    operation_hash,
)
from windtunnel.journal.sqlite import SqliteStore
from windtunnel.journal.store import Lease, Owner, Store

__all__ = [
    "GENESIS",
    "Arrival",
    "Batch",
    "Checkpoint",
    "Effect",
    "Entry",
    "Lease",
    "Mail",
    "Operation",
    "Owner",
    "RunRow",
    "SqliteStore",
    "Status",
    "Store",
    "entry_hash",
    "operation_hash",
]
