"""`import windtunnel` loads nothing; what is used is loaded then, and verbs are verbs whatever came first."""

from __future__ import annotations

import subprocess
import sys

import pytest

import windtunnel as wt


def _said(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_import_loads_nothing_that_python_has_not_loaded():
    code = (
        "import sys; before = set(sys.modules); import windtunnel; print(sorted(set(sys.modules) - before))"
    )
    assert _said(code) == "['__future__', 'windtunnel']"


def test_a_word_of_the_contract_loads_neither_the_loop_nor_the_database():
    heavy = "{'apsw', 'numpy', 'windtunnel.run', 'windtunnel.api'}"
    code = f"import sys, windtunnel as wt; wt.World; print(sorted({heavy} & set(sys.modules)))"
    assert _said(code) == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("heavy", ["numpy", "polars", "pandas", "pyarrow", "typer", "rich"])
def test_playing_loads_nothing_heavy_either(heavy):
    code = (
        "import sys, tempfile, os; os.chdir(tempfile.mkdtemp()); import windtunnel as wt; wt.run; wt.open; "
        f"from windtunnel.api import run; print({heavy!r} in sys.modules)"
    )
    assert _said(code) == "False"


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    ["wt.run", "import windtunnel.run.player", "from windtunnel.run import fork", "wt.open", "wt.worlds"],
)
def test_the_verbs_are_verbs_whichever_import_came_first(first):
    code = (
        f"import windtunnel as wt; {first}\nimport windtunnel.worlds, windtunnel.run.phases as phases\n"
        "from windtunnel import run\n"
        "print(callable(wt.run), callable(wt.worlds), callable(run), phases.__name__, wt.run.__name__)"
    )
    assert _said(code) == "True True True windtunnel.run.phases windtunnel.run"


def test_the_verb_has_the_signature_and_the_words_of_the_function():
    import inspect

    from windtunnel.api import run

    assert inspect.signature(wt.run) == inspect.signature(run)


def test_every_word_a_world_is_written_with_can_be_had_from_here():
    from windtunnel import world

    # For annotations and reports: from windtunnel.world; panels: from windtunnel.panels.
    rare = {"AgentId", "Panel", "Policy", "Reported", "Section"}
    assert set(world.__all__) - set(wt.__all__) == rare
    for name in set(world.__all__) - rare:
        assert getattr(wt, name) is getattr(world, name)


def test_every_name_it_offers_is_there():
    for name in wt.__all__:
        assert getattr(wt, name) is not None
        assert name in dir(wt)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = wt.nonsense


def test_the_version_is_the_packages():
    from importlib.metadata import version

    assert wt.__version__ == version("windtunnel")
