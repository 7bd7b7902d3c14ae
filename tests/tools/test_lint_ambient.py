"""The lint that keeps ambient chance, clocks and ids out of what must repeat."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tools import lint_ambient


@pytest.fixture
def findings(tmp_path):
    """Check a piece of source; give back (line, message) of each finding."""

    def check(source: str) -> list[tuple[int, str]]:
        file = tmp_path / "room.py"
        file.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
        return [(finding.line, finding.message) for finding in lint_ambient.check(file)]

    return check


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import random", "random"),
        ("import secrets as s", "secrets"),
        ("from random import Random", "random.Random"),
        ("import numpy.random", "numpy.random"),
        ("from numpy import random as r", "numpy.random"),
        ("from uuid import uuid4 as new_id", "uuid.uuid4"),
        ("from time import monotonic", "time.monotonic"),
        ("from time import *", "time.*"),
        ("from random import *", "random"),
        ("from os import getpid", "os.getpid"),
    ],
)
def test_an_import_of_something_ambient_is_found(findings, source, name):
    [(line, message)] = findings(source)
    assert line == 1
    assert message.startswith(f"{name} ")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import time\ntime.time()", "time.time"),
        ("import time as clock\nclock.perf_counter_ns()", "time.perf_counter_ns"),
        ("import time\ntime.sleep(1)", "time.sleep"),
        ("import os\nos.urandom(8)", "os.urandom"),
        ("import os.path\nos.getpid()", "os.getpid"),
        ("import uuid\nuuid.uuid1()", "uuid.uuid1"),
        ("import datetime\ndatetime.datetime.now()", "datetime.datetime.now"),
        ("import datetime as dt\ndt.date.today()", "datetime.date.today"),
        ("from datetime import datetime\ndatetime.utcnow()", "datetime.datetime.utcnow"),
        ("from datetime import datetime as D\nD.now(tz=None).isoformat()", "datetime.datetime.now"),
        ("import numpy as np\nnp.random.default_rng(1).normal()", "numpy.random.default_rng"),
        ("key = 'a'\nhash(key)", "hash"),
        ("key = 'a'\nsorted([key], key=id)", "id"),
    ],
)
def test_a_use_of_something_ambient_is_found_under_any_alias(findings, source, name):
    [(line, message)] = findings(source)
    assert line == 2
    assert message.startswith(f"{name} ")


def test_a_use_is_found_wherever_the_import_stands(findings):
    source = """
    def now():
        return time.time()

    async def later():
        import time as t
        return (lambda: t.time())()

    import time
    """
    assert [line for line, _ in findings(source)] == [2, 6]


def test_a_default_argument_and_a_decorator_are_read_too(findings):
    source = """
    import time
    def f(at=time.time()): ...
    @g(hash("x"))
    def h(): ...
    """
    assert [line for line, _ in findings(source)] == [2, 3]


@pytest.mark.parametrize(
    "source",
    [
        "import uuid\nuuid.uuid5(uuid.NAMESPACE_URL, 'a')",
        "import os\nos.path.join('a', 'b')",
        "from datetime import datetime, timedelta\ndatetime(2020, 1, 1) + timedelta(days=1)",
        "import numpy as np\nnp.zeros(3)",
        "class Entry:\n    id: str\n    hash: bytes\n    def __hash__(self): return 1",
        "def verify(entry, hash):\n    return entry.hash == hash",
        "def first(rows):\n    for id in rows:\n        return id",
        "from windtunnel.codec import hash\nhash(b'')",
        "from .chance import random\nrandom()",
        "def hash(data): return data\nhash(b'')",
        "def draw(context):\n    return context.random.random()",
        "time = context.time\ntime.time()",
    ],
)
def test_what_only_looks_ambient_is_left_alone(findings, source):
    assert findings(source) == []


def test_a_parameter_hides_the_builtin_in_its_own_function_only(findings):
    source = """
    def verify(hash):
        return hash(1)
    def broken(key):
        return hash(key)
    """
    assert [line for line, _ in findings(source)] == [4]


def test_a_reason_on_the_line_excuses_it_and_no_other(findings):
    source = """
    import time
    shown = time.time()  # ambient: for the screen only
    kept = time.time()
    """
    assert [line for line, _ in findings(source)] == [3]


def test_a_reason_may_stand_on_any_line_of_what_it_excuses(findings):
    source = """
    from time import (
        monotonic,  # ambient: for the screen only
        time,
    )
    """
    assert [(line, message.split()[0]) for line, message in findings(source)] == [(3, "time.time")]


@pytest.mark.parametrize("comment", ["# ambient:", "# ambient", "# noqa", "# not ambient: never"])
def test_a_marker_without_a_reason_excuses_nothing(findings, comment):
    [(line, message)] = findings(f"import random  {comment}")
    assert line == 1
    assert "differs at every execution" in message


def test_a_marker_inside_a_string_excuses_nothing(findings):
    assert len(findings("import time\nx = time.time(), '# ambient: no'")) == 1


def test_a_marker_that_excuses_nothing_is_found(findings):
    [(line, message)] = findings("x = 1\ny = 2  # ambient: was a clock once")
    assert line == 2
    assert "remove it" in message


def test_a_file_that_is_not_python_is_a_finding_not_a_pass(findings):
    [(line, message)] = findings("x = 1\ndef broken(:\n")
    assert line == 2
    assert "cannot be read" in message


def test_a_room_is_read_as_a_module_and_as_a_package(tmp_path):
    (tmp_path / "chance.py").touch()
    (tmp_path / "worlds" / "deep").mkdir(parents=True)
    (tmp_path / "worlds" / "deep" / "engine.py").touch()
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "clock.py").touch()
    found = lint_ambient.files(lint_ambient.rooms(tmp_path))
    assert [file.relative_to(tmp_path).as_posix() for file in found] == ["chance.py", "worlds/deep/engine.py"]


def test_the_worlds_among_the_examples_are_read_and_their_tests_are_not(tmp_path):
    for package in ("sea/sea", "sea/tests", "sky/sky_world"):
        (tmp_path / "examples" / package).mkdir(parents=True)
        (tmp_path / "examples" / package / "__init__.py").touch()
    (tmp_path / "examples" / "sea" / "scenarios").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in lint_ambient.examples(tmp_path)]
    assert found == ["examples/sea/sea", "examples/sky/sky_world"]


@pytest.mark.slow
def test_without_a_path_it_reads_rooms_and_examples(tmp_path, monkeypatch, capsys):
    world = tmp_path / "examples" / "sea" / "sea"
    world.mkdir(parents=True)
    (world / "__init__.py").write_text("import random\n", encoding="utf-8")
    monkeypatch.setattr(lint_ambient, "ROOT", tmp_path)
    assert lint_ambient.main([]) == 1
    said = capsys.readouterr().out
    assert f"{world / '__init__.py'}:1: random differs" in said
    assert int(said.splitlines()[-1].split()[1]) > 50


def _run(*arguments: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, lint_ambient.__file__, *arguments], capture_output=True, text=True, check=False
    )


def test_the_command_says_file_line_why_and_remedy_and_exits_1(tmp_path):
    room = tmp_path / "room.py"
    room.write_text("import os\nos.urandom(4)\n", encoding="utf-8")
    done = _run(tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == (
        f"{room}:2: os.urandom differs at every execution: draw from a stream of context.chance, "
        "or end the line with `# ambient: <reason>`"
    )


def test_the_command_exits_0_on_clean_files(tmp_path):
    (tmp_path / "room.py").write_text("x = 1\n", encoding="utf-8")
    assert _run(tmp_path).returncode == 0


def test_the_command_refuses_to_pass_when_there_was_nothing_to_read(tmp_path):
    assert _run(tmp_path).returncode == 2
    done = _run(tmp_path / "missing.py")
    assert done.returncode == 2
    assert "missing.py" in done.stderr
