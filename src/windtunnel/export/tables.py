"""Metrics as tables, in long form: `csv` for everything that reads text, `parquet` for frames.

Both are written in a stream, so that a run of a million turns needs no more memory than a short one.
"""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import BinaryIO

from windtunnel.errors import UsageError
from windtunnel.frames import COLUMNS
from windtunnel.journal.lineage import Lineage

ROW_GROUP = 100_000


def write_csv(lineage: Lineage, file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(lineage.metrics())
    text.flush()
    text.detach()


def need_parquet() -> None:
    """Say what is missing before anything is written."""
    try:
        import pyarrow.parquet  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - heavy, and an extra
    except ImportError:
        raise UsageError(
            "parquet needs pyarrow, which is not installed",
            where="--to parquet",
            remedy="pip install 'windtunnel[frames]', or export --to csv",
        ) from None


def write_parquet(lineage: Lineage, file: BinaryIO) -> None:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and an extra
    import pyarrow.parquet as pq  # noqa: PLC0415

    row = lineage.row
    about = {"run_id": row.run_id, "world": row.world, "scenario": row.scenario, "head": row.head_hash.hex()}
    words = pa.dictionary(pa.int32(), pa.string())
    kinds = {"turn": pa.int64(), "agent": words, "name": words, "value": pa.float64()}
    schema = pa.schema(kinds.items(), metadata={f"windtunnel.{key}": value for key, value in about.items()})
    metrics = lineage.metrics()
    with pq.ParquetWriter(file, schema) as writer:
        while group := list(islice(metrics, ROW_GROUP)):
            columns = list(zip(*group, strict=True))
            columns[3] = tuple(map(float, columns[3]))
            arrays = [
                pa.array(column).cast(kind) for column, kind in zip(columns, kinds.values(), strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
