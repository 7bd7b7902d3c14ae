"""Exports of a run: `csv` and `parquet` (metrics), `jsonl` (the journal), `html` (a report), `chat` (calls).

Each is written whole or not at all, and read from the store alone: nothing is played for it. Whoever calls it
opened the store; nothing here changes one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel.errors import UsageError
from windtunnel.export.atomic import writing

if TYPE_CHECKING:
    from windtunnel.export.chat import ChatWritten
    from windtunnel.journal.lineage import Lineage
    from windtunnel.journal.verify import Verified
    from windtunnel.world import World

FORMATS = ("csv", "parquet", "jsonl", "html", "chat")
SUFFIXES = {"chat": "chat.jsonl"}

__all__ = ["FORMATS", "check_format", "export_chat", "export_lineage", "export_run"]


def check_format(to: str, *, min_score: float | None = None) -> str:
    """The format if it is one, or the error that says what there is and what it lacks."""
    if to not in FORMATS:
        raise UsageError(f"no export to {to!r}", where="--to", remedy=f"formats: {', '.join(FORMATS)}")
    if min_score is not None and to != "chat":
        raise UsageError(
            f"{to} is not chosen by score", where="--min-score", remedy="it belongs to --to chat"
        )
    if to == "parquet":
        from windtunnel.export.tables import need_parquet  # noqa: PLC0415 - only this format needs it

        need_parquet()
    return to


def export_run(
    store: str | Path,
    run_id: str,
    to: str,
    path: str | Path | None = None,
    *,
    world: World | None = None,
    effects: bool = False,
    operations: bool = False,
    public_key: str | None = None,
) -> Path:
    """Export a run of a store, named by its location; returns the file. `world` only adds which
    metrics a report shows first; `effects` and `operations` go to jsonl after history."""
    from windtunnel.control.catalog import open_store  # noqa: PLC0415 - only for a known format
    from windtunnel.journal.lineage import Lineage  # noqa: PLC0415

    check_format(to)
    opened = open_store(store, read_only=True)
    try:
        lineage = Lineage(opened, run_id)
        verified = None
        if to == "html":
            from windtunnel.journal.verify import verify  # noqa: PLC0415 - reads the whole journal

            verified = verify(opened, run_id, public_key=public_key)
        return export_lineage(
            lineage,
            str(store),
            to,
            path,
            world=world,
            effects=effects,
            operations=operations,
            verified=verified,
        )
    finally:
        opened.close()


def export_chat(
    store: str | Path, run_id: str, path: str | Path | None = None, *, min_score: float | None = None
) -> ChatWritten:
    """Chat with the counts of what was left out; `min_score` keeps only calls that have such feedback."""
    from windtunnel.control.catalog import open_store  # noqa: PLC0415
    from windtunnel.export.chat import ChatWritten, write_chat  # noqa: PLC0415 - each format loads its own
    from windtunnel.journal.lineage import Lineage  # noqa: PLC0415

    opened = open_store(store, read_only=True)
    try:
        lineage = Lineage(opened, run_id)
        written = ChatWritten(_target(lineage, str(store), "chat", path))
        with writing(written.path) as file:
            write_chat(lineage, file, written, min_score)
    finally:
        opened.close()
    return written


def export_lineage(
    lineage: Lineage,
    store: str,
    to: str,
    path: str | Path | None = None,
    *,
    world: World | None = None,
    effects: bool = False,
    operations: bool = False,
    verified: Verified | None = None,
) -> Path:
    """The same for a store that is open already. Without a path: `<run_id>.<format>`, here."""
    check_format(to)
    target = _target(lineage, store, to, path)
    if to == "html":
        document = _page(lineage, store, world, verified)
        with writing(target) as file:
            file.write(document)
        return target
    with writing(target) as file:
        if to == "csv":
            from windtunnel.export.tables import write_csv  # noqa: PLC0415 - each format loads its own

            write_csv(lineage, file)
        elif to == "parquet":
            from windtunnel.export.tables import write_parquet  # noqa: PLC0415

            write_parquet(lineage, file)
        elif to == "chat":
            from windtunnel.export.chat import ChatWritten, write_chat  # noqa: PLC0415

            write_chat(lineage, file, ChatWritten(target))
        else:
            from windtunnel.export.lines import write_jsonl  # noqa: PLC0415

            write_jsonl(lineage, file, effects=effects, operations=operations)
    return target


def _target(lineage: Lineage, store: str, to: str, path: str | Path | None) -> Path:
    row = lineage.row
    if row.pruned is not None:
        raise UsageError(f"run {row.run_id} was pruned; there is nothing left to export", where=store)
    name = f"{row.run_id}.{SUFFIXES.get(to, to)}"
    target = Path(path) if path is not None else Path(name)
    return target / name if target.is_dir() else target


def _page(lineage: Lineage, store: str, world: World | None, verified: Verified | None) -> bytes:
    from windtunnel.export.facts import gather  # noqa: PLC0415 - each format loads its own
    from windtunnel.export.report import page  # noqa: PLC0415

    return page(gather(lineage, store, world, verified)).encode()
