"""Files are written whole or not at all, over files but never over a store."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.export.odd import played
from windtunnel.errors import StorageError, UsageError
from windtunnel.export import FORMATS, export_run
from windtunnel.export.atomic import writing


def half_written(target: Path, error: Exception) -> None:
    with writing(target) as file:
        file.write(b"half")
        raise error


def test_a_file_of_the_same_name_is_replaced(tmp_path):
    target = tmp_path / "x.csv"
    target.write_text("old")
    with writing(target) as file:
        file.write(b"new")
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_what_breaks_half_way_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "x.csv"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        half_written(target, ZeroDivisionError())
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_refuses_is_told_and_nothing_is_left(tmp_path, number):
    with pytest.raises(StorageError) as caught:
        half_written(tmp_path / "x.csv", OSError(number, os.strerror(number)))
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_real_limit_on_a_files_size_leaves_nothing_behind(tmp_path):
    store, run_id = played(tmp_path, 100)
    code = (
        "import resource, signal, sys\n"
        "from windtunnel.export import export_run\nfrom windtunnel.errors import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        f"try: export_run({str(store)!r}, {run_id!r}, 'jsonl', {str(tmp_path / 'out.jsonl')!r})\n"
        "except StorageError as error: print(error.message)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "full" in done.stdout
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_a_store_is_never_written_over(tmp_path):
    store, run_id = played(tmp_path)
    before = store.read_bytes()
    hidden = tmp_path / "data.csv"
    hidden.write_bytes(before)
    for target in (store, hidden, tmp_path / "odd.heads"):
        with pytest.raises(UsageError, match="store"):
            export_run(store, run_id, "csv", target)
    assert store.read_bytes() == hidden.read_bytes() == before


def test_a_folder_takes_the_file_and_a_missing_one_is_refused(tmp_path):
    store, run_id = played(tmp_path)
    (tmp_path / "out").mkdir()
    assert export_run(store, run_id, "csv", tmp_path / "out") == tmp_path / "out" / "words.csv"
    with pytest.raises(UsageError, match="no such folder"):
        export_run(store, run_id, "csv", tmp_path / "nowhere" / "x.csv")


def test_a_new_file_can_be_read_as_any_other(tmp_path):
    with writing(tmp_path / "x") as file:
        file.write(b"")
    plain = tmp_path / "y"
    plain.touch()
    assert (tmp_path / "x").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize(("to", "said"), [("xml", "no export"), ("", "no export")])
def test_a_format_that_is_not_there_is_refused_with_those_that_are(tmp_path, to, said):
    store, run_id = played(tmp_path)
    with pytest.raises(UsageError, match=said) as caught:
        export_run(store, run_id, to, tmp_path / "x")
    assert "jsonl" in str(caught.value.remedy)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
@pytest.mark.parametrize("to", [to for to in FORMATS if to != "chat"])  # chat: see test_chat
def test_the_store_is_not_touched_by_any_export(tmp_path, to):
    store, run_id = played(tmp_path)
    before = store.read_bytes()
    export_run(store, run_id, to, tmp_path / "out")
    assert Path(store).read_bytes() == before
