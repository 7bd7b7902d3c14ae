"""Worlds by path: listed without being imported here, however they are laid out or broken."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from windtunnel.config import Workspace
from windtunnel.discovery import (
    WorldInfo,
    WorldSource,
    find_scenario,
    find_source,
    list_scenarios,
    list_worlds,
    sources,
    world_beside,
)
from windtunnel.errors import NotFound, UsageError, WorldError


@pytest.fixture(autouse=True)
def _nothing_is_installed(monkeypatch):
    """These tests are about paths; what happens to be installed here is none of their business."""
    monkeypatch.setattr(sources, "entry_points", lambda group: ())


@pytest.fixture
def workspace(makes):
    return Workspace(makes.root)


def only(workspace: Workspace) -> WorldInfo:
    (info,) = list_worlds(workspace)
    return info


@pytest.mark.parametrize("layout", ["proj/src/tiny", "proj/tiny", "proj"])
def test_a_world_is_found_in_every_layout(makes, workspace, layout):
    makes.package(layout, "tiny")
    makes.listed(("tiny", "proj"))
    info = only(workspace)
    assert (info.error, info.version, info.description, info.roles) == (None, "1.2", "Small.", ("player",))
    assert info.source == "path"
    assert [(item.name, item.title, item.turns, item.agents) for item in info.scenarios] == [
        ("tiny/first", "First", 3, 2)
    ]
    assert Path(info.scenarios[0].path).is_file()
    assert not {"tiny", "proj"} & sys.modules.keys()
    assert not any(str(makes.root) in path for path in sys.path)


def test_the_project_says_which_attribute_is_the_world(makes, workspace):
    makes.package("proj/src/tiny", "other")
    (makes.root / "proj/src/tiny/__init__.py").rename(makes.root / "proj/src/tiny/rules.py")
    (makes.root / "proj/src/tiny/__init__.py").touch()
    makes.pyproject("proj", other="tiny.rules:world")
    makes.listed(("other", "proj"))
    info = only(workspace)
    assert info.error is None
    assert [item.name for item in info.scenarios] == ["other/first"]


def test_a_name_the_project_does_not_have_gets_the_nearest(makes, workspace):
    makes.package("proj/tiny", "tiny")
    makes.pyproject("proj", tiny="tiny:world")
    makes.listed(("tinny", "proj"))
    info = only(workspace)
    assert "names no world 'tinny'" in str(info.error)
    assert info.remedy == "did you mean 'tiny'?"


@pytest.mark.slow
def test_python_path_brings_what_the_world_needs(makes, workspace):
    makes.package("proj/tiny", "tiny", extra="import helping_hand\n")
    makes.listed(("tiny", "proj"))
    assert "No module named 'helping_hand'" in str(only(workspace).error)
    assert "python_path" in str(only(workspace).remedy)
    (makes.root / "proj/lib").mkdir()
    (makes.root / "proj/lib/helping_hand.py").touch()
    makes.listed(("tiny", "proj"), more='python_path = ["lib"]')
    assert only(Workspace(makes.root)).error is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "inside", "words"),
    [
        ("import no_such_library", "", "No module named 'no_such_library'"),
        ("1 / 0", "", "ZeroDivisionError"),
        ("raise SystemExit(3)", "", "ends the process while it is imported (exit 3)"),
        ("import os; os._exit(7)", "", "ended with exit code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "", "ended by signal 9"),
        ("", "world = 7", "tiny:world is a int, not a windtunnel.world.World"),
        ("", "del world", "tiny:world does not exist"),
        ("", "world = World('tony', Rules(), State, {})", "calls itself 'tony'"),
    ],
)
def test_a_broken_world_is_listed_with_its_error_and_spoils_no_other(makes, workspace, extra, inside, words):
    makes.package("a/tiny", "tiny", extra=f"{extra}\n", inside=inside)
    makes.package("b/well", "well")
    makes.listed(("tiny", "a"), ("well", "b"))
    broken, well = list_worlds(workspace)
    assert words in str(broken.error)
    assert broken.remedy
    assert well.error is None


def test_a_file_that_is_not_python_is_listed_with_its_error(makes, workspace):
    makes.package("proj/tiny", "tiny", inside="def (:\n")
    makes.pyproject("proj", tiny="tiny:world")
    makes.listed(("tiny", "proj"))
    assert "SyntaxError" in str(only(workspace).error)


def test_what_a_world_prints_is_not_taken_for_its_answer(makes, workspace):
    noise = """
    import os, sys
    print('{"description": null}')
    os.write(1, b"noise")
    sys.stdout.flush()
    """
    makes.package("proj/tiny", "tiny", extra=noise)
    makes.listed(("tiny", "proj"))
    assert only(workspace).error is None


@pytest.mark.slow
def test_a_world_that_never_ends_importing_is_stopped_with_what_it_started(makes, workspace):
    hang = """
    import pathlib, subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pathlib.Path(__file__).with_name("pid").write_text(str(child.pid))
    time.sleep(60)
    """
    home = makes.package("proj/tiny", "tiny", extra=hang)
    makes.listed(("tiny", "proj"))
    (info,) = list_worlds(workspace, limit=2)
    assert "is not imported after 2 seconds" in str(info.error)
    pid = int((home / "pid").read_text())
    for _ in range(100):
        if not _alive(pid):
            break
        time.sleep(0.05)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        if sys.platform == "linux":
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return state != "Z"


def test_a_thread_that_the_world_leaves_running_does_not_hold_the_answer(makes, workspace):
    lingering = """
    import threading, time
    threading.Thread(target=time.sleep, args=(60,)).start()
    """
    makes.package("proj/tiny", "tiny", extra=lingering)
    makes.listed(("tiny", "proj"))
    (info,) = list_worlds(workspace, limit=10)
    assert info.error is None


def test_a_broken_scenario_is_listed_with_its_error(makes, workspace):
    home = makes.package("proj/tiny", "tiny", scenarios="first third")
    (home / "scenarios/second.yaml").write_text("world: tiny\nturnes: 3\n")
    makes.listed(("tiny", "proj"))
    first, second, third = only(workspace).scenarios
    assert first.error is third.error is None
    assert "second.yaml:2:1" in str(second.error)
    assert "did you mean 'turns'?" in str(second.error)


@pytest.mark.parametrize(
    ("path", "more", "words"),
    [
        ("gone", "", "the folder of the world 'tiny' is not there"),
        ("empty", "", "no package here binds a 'world'"),
        ("both", "", "several packages have a world: one, two"),
        ("proj", 'python_path = ["gone"]', "python_path of the world 'tiny' names no folder"),
        ("bad", "", "pyproject.toml cannot be read"),
        ("lost", "", "there is no package 'elsewhere'"),
        ("odd", "", "pyproject.toml names 'tiny'"),
    ],
)
def test_a_path_that_holds_no_world_is_told_apart(makes, workspace, path, more, words):
    (makes.root / "empty").mkdir()
    makes.package("both/one", "one")
    makes.package("both/two", "two")
    makes.package("proj/tiny", "tiny")
    (makes.root / "bad").mkdir()
    (makes.root / "bad/pyproject.toml").write_text("= 3")
    makes.pyproject("lost", tiny="elsewhere:world")
    makes.pyproject("odd", tiny="tiny")
    makes.listed(("tiny", path), more=more)
    info = only(workspace)
    assert words in str(info.error)
    assert info.remedy
    with pytest.raises(WorldError):
        find_source("tiny", workspace)


def test_two_sources_of_one_name_are_both_named(makes, workspace):
    makes.package("a/tiny", "tiny")
    makes.package("b/tiny", "tiny")
    makes.listed(("tiny", "a"), ("tiny", "b"))
    infos = list_worlds(workspace)
    assert len(infos) == 2
    for info in infos:
        assert "(a)" in str(info.error)
        assert "(b)" in str(info.error)
    with pytest.raises(WorldError, match="two sources give a world 'tiny'"):
        find_source("tiny", workspace)


def test_a_world_that_is_not_there_gets_the_nearest_name(makes, workspace):
    makes.package("a/tiny", "tiny")
    makes.listed(("tiny", "a"))
    with pytest.raises(NotFound) as caught:
        find_source("tinny", workspace)
    assert caught.value.remedy == "did you mean 'tiny'?"


# --- scenarios ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("text", ["tiny/first", "tiny/first.yaml", "tiny/scenarios/first.yaml"])
def test_a_scenario_is_found_by_its_name(makes, workspace, text):
    home = makes.package("proj/src/tiny", "tiny")
    makes.listed(("tiny", "proj"))
    found = find_scenario(text, workspace)
    assert (found.name, found.path) == ("tiny/first", str(home / "scenarios/first.yaml"))
    assert found.source == find_source("tiny", workspace)
    assert find_scenario("tiny", workspace, "scenarios/first.yaml") == found


@pytest.mark.parametrize(
    ("text", "words", "remedy"),
    [
        ("tiny/frist", "there is no scenario 'tiny/frist'", "did you mean 'tiny/first'?"),
        ("tinny/first", "no world is called 'tinny'", "did you mean 'tiny'?"),
        ("tiny", "'tiny' is a world", "one of: tiny/first"),
        ("tiny/../../secret", "there is no scenario", "tiny/first"),
        ("nowhere.yaml", "there is no such scenario file", "windtunnel scenarios"),
    ],
)
def test_a_scenario_that_is_not_there_gets_the_nearest(makes, workspace, text, words, remedy):
    makes.package("proj/tiny", "tiny")
    makes.listed(("tiny", "proj"))
    with pytest.raises(NotFound) as caught:
        find_scenario(text, workspace)
    assert words in caught.value.message
    assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("package", "file"),
    [
        ("some/src/tiny", "some/src/tiny/scenarios/x.yaml"),
        ("some/tiny", "some/tiny/scenarios/x.yaml"),
        ("some/tiny", "some/scenarios/x.yaml"),
        ("some/src/tiny", "some/scenarios/x.yaml"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_a_path_to_a_scenario_finds_the_package_beside_it(makes, workspace, package, file, declared):
    makes.package(package, "tiny")
    if declared:
        makes.pyproject("some", tiny="tiny:world")
    path = makes.scenario(file, "tiny")
    found = find_scenario(str(path), workspace)
    assert (found.name, found.path) == ("tiny/x", str(path))
    assert (found.source.kind, found.source.target) == ("path", "tiny:world")
    assert found.source.paths == (str((makes.root / package).parent),)


def test_a_package_inside_a_package_keeps_its_whole_name(makes, workspace):
    makes.package("some/outer/tiny", "tiny")
    (makes.root / "some/outer/__init__.py").touch()
    found = find_scenario(str(makes.root / "some/outer/tiny/scenarios/first.yaml"), workspace)
    assert found.source.target == "outer.tiny:world"


def test_the_world_of_the_file_must_be_the_one_beside_it(makes, workspace):
    makes.package("some/tiny", "tiny")
    path = makes.scenario("some/tiny/scenarios/x.yaml", "tinny")
    with pytest.raises(WorldError) as caught:
        find_scenario(str(path), workspace)
    assert "beside it is 'tiny'" in caught.value.message
    assert caught.value.remedy == "did you mean 'tiny'?"


def test_a_file_away_from_its_world_plays_in_the_listed_one(makes, workspace):
    makes.package("proj/tiny", "tiny")
    makes.listed(("tiny", "proj"))
    path = makes.scenario("mine/x.yaml", "tiny")
    assert find_scenario(str(path), workspace).source == find_source("tiny", workspace)
    with pytest.raises(NotFound, match="neither installed, listed, nor beside it"):
        find_scenario(str(makes.scenario("mine/y.yaml", "unknown")), workspace)


def test_no_script_that_lies_about_is_run(makes, workspace):
    """Beside a file of one's own, only packages and what stands beside `scenarios` is imported."""
    trap = makes.root / "mine/trap.py"
    path = makes.scenario("mine/x.yaml", "tiny")
    trap.write_text("import pathlib\npathlib.Path(__file__).with_name('sprung').touch()\nworld = 1\n")
    assert world_beside(path, "tiny") is None
    assert not trap.with_name("sprung").exists()


# --- loading, each in a process of its own ------------------------------------------------------------


def play(code: str, *given: WorldSource) -> str:
    """Run code in a fresh process, with `one`, `two`, … loaded on demand."""
    import msgspec

    text = msgspec.json.encode(list(given)).decode()
    head = (
        "import sys, msgspec\nfrom windtunnel.discovery import *\nfrom windtunnel.errors import WorldError\n"
        "given = msgspec.json.decode(sys.argv[1], type=list[WorldSource])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + code, text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def source(name: str, workspace: Workspace) -> WorldSource:
    return find_source(name, workspace)


def test_a_path_world_is_imported_by_the_process_that_plays_it(makes, workspace):
    makes.package("proj/src/tiny", "tiny", extra="print('hello')\n")
    makes.listed(("tiny", "proj"))
    code = "w = load_here(given[0])\n"
    code += "print(w.name, load_here(given[0]).engine is w.engine, len(list_scenarios(w)))"
    assert play(code, source("tiny", workspace)) == "tiny True 1"


def test_worlds_that_share_no_module_share_a_process(makes, workspace):
    makes.package("a/tiny", "tiny")
    makes.package("b/small", "small")
    makes.listed(("tiny", "a"), ("small", "b"))
    made = [source("tiny", workspace), source("small", workspace)]
    assert play("print(*[load_here(one).name for one in given])", *made) == "tiny small"


REFUSED = """
load_here(given[0])
try:
    load_here(given[1])
except WorldError as error:
    print(error)
"""


def test_a_second_world_with_a_module_of_the_same_name_is_refused(makes, workspace):
    makes.package("a/tiny", "tiny", extra="import helpers\n")
    makes.package("b/small", "small", extra="import helpers\n")
    for folder in "ab":
        (makes.root / folder / "helpers.py").touch()
    makes.listed(("tiny", "a"), ("small", "b"))
    said = play(REFUSED, source("tiny", workspace), source("small", workspace))
    assert "'small' and 'tiny' both bring a module 'helpers'" in said
    assert "processes of their own" in said


def test_a_world_whose_package_is_loaded_from_elsewhere_is_refused(makes, workspace):
    makes.package("a/yaml", "mine")
    makes.pyproject("a", mine="yaml:world")
    makes.listed(("mine", "a"))
    code = "import yaml\n" + REFUSED.replace("load_here(given[0])\n", "", 1).replace("given[1]", "given[0]")
    assert "a module 'yaml' from elsewhere is loaded already" in play(code, source("mine", workspace))


def test_a_world_that_would_hide_a_module_of_python_is_refused(makes, workspace):
    makes.package("a/json", "mine")
    makes.listed(("mine", "a"))
    assert "'json' would hide a module of Python itself" in str(only(workspace).error)


def test_a_failed_import_leaves_nothing_behind(makes, workspace):
    makes.package("a/tiny", "tiny", extra="import helpers\n", inside="1 / 0\n")
    (makes.root / "a/helpers.py").touch()
    makes.listed(("tiny", "a"))
    code = REFUSED.replace("load_here(given[0])\n", "", 1).replace("given[1]", "given[0]")
    code += "left = any(given[0].root in path for path in sys.path)\n"
    code += "print(left, 'helpers' in sys.modules, 'tiny' in sys.modules)"
    assert play(code, source("tiny", workspace)).endswith("False False False")


def test_the_child_answers_one_json_object(makes, workspace):
    import msgspec

    makes.package("a/tiny", "tiny", extra="print('hello')\n")
    makes.listed(("tiny", "a"))
    text = msgspec.json.encode(source("tiny", workspace)).decode()
    done = subprocess.run(
        [sys.executable, "-m", "windtunnel.discovery", "describe", text],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["description"]["version"] == "1.2"
    assert done.stderr == b"hello\n"


def test_a_missing_folder_of_scenarios_is_an_error_that_names_it(makes):
    from tests.scenario.shop import make_world

    assert list_scenarios(make_world()) == []
    import msgspec

    world = msgspec.structs.replace(make_world(), scenarios=str(makes.root / "gone"))
    with pytest.raises(WorldError) as caught:
        list_scenarios(world)
    assert caught.value.where == str(makes.root / "gone")


def test_broken_settings_stop_the_listing_in_words(makes, workspace):
    (makes.root / "windtunnel.toml").write_text("[[world]]\nname = 'x'\n")
    with pytest.raises(UsageError, match="did you mean 'worlds'"):
        list_worlds(workspace)
