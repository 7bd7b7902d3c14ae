"""`./dev`: what it promises before an environment stands, while it is made, and after."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERBS = ("serve", "dash", "shots", "test", "lint", "bench", "soak", "lock", "help")

# Stands in for uv: notes what it is asked, and makes an environment whose `windtunnel` tells what reached it.
UV = """#!/bin/sh
echo "$1 $2" >>"$HOME/asked"
if [ "$1 $2" = "$UV_BREAKS_AT" ]; then exit 7; fi
if [ "$1" = venv ]; then
    for venv; do :; done
    mkdir -p "$venv/bin" && echo made >"$venv/pyvenv.cfg"
    printf '#!/bin/sh\nexit 0\n' >"$venv/bin/python"
    printf '#!/bin/sh\npwd\nprintf "<%%s>" "$@"\n' >"$venv/bin/windtunnel"
    cp "$HOME/npm" "$venv/bin/npm"
    chmod +x "$venv/bin/python" "$venv/bin/windtunnel"
fi
"""
# And for npm: makes what it is asked for, and notes how Node is told to trust the machine's certificates.
NPM = """#!/bin/sh
echo "npm $1 $2" >>"$HOME/asked"
if [ "npm $1" = "$UV_BREAKS_AT" ]; then echo "what npm said"; exit 7; fi
echo "noise of npm"
case $1 in
    ci) mkdir -p node_modules/some && echo packages >node_modules/some/index.js ;;
    run) if [ "$2" = build ]; then mkdir -p dist && echo "$NODE_USE_SYSTEM_CA" >dist/index.html; fi
         if [ "$3" = dev ]; then pwd && printf '<%s>' "$VITE_API_BASE" "$@"; fi ;;
esac
"""
PYTHON = '#!/bin/sh\n[ "$1" = -V ] && echo Python 3.11 || echo "$0"\n'


class Checkout:
    """A copy of the script and its inputs in a path with spaces, with a Python and the uv above."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.root = folder / "a fresh checkout"
        (self.root / "requirements").mkdir(parents=True)
        locks = [f"requirements/{name}.txt" for name in ("dev", "bench", "bench-games", "bench-litellm")]
        for name in ("dev", "pyproject.toml", *locks):
            shutil.copy(ROOT / name, self.root / name)
        (folder / "bin").mkdir()
        (folder / "bin" / "chromium").symlink_to("/bin/true")  # none is installed because of a test
        (folder / "npm").write_text(NPM, encoding="utf-8")
        (folder / "npm").chmod(0o755)
        for name, text in (("uv", UV), ("python3", PYTHON)):
            (folder / "bin" / name).write_text(text, encoding="utf-8")
            (folder / "bin" / name).chmod(0o755)

    def dev(
        self, *arguments: str, script: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it with next to no environment, from a folder that is not the checkout."""
        bare = {"PATH": f"{self.home}/bin:/usr/bin:/bin", "HOME": str(self.home)} | environment
        command = [str(script or self.root / "dev"), *arguments]
        return subprocess.run(
            command, cwd=self.home, env=bare, capture_output=True, text=True, check=False, timeout=60
        )

    def asked(self) -> list[str]:
        """What uv was asked since the last look."""
        note = self.home / "asked"
        lines = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
        note.unlink(missing_ok=True)
        return [line.split(" -")[0] for line in lines]

    def add_dashboard(self) -> Path:
        folder = self.root / "dashboard"
        (folder / "src").mkdir(parents=True)
        for name in (
            "package.json",
            "package-lock.json",
            "vite.config.ts",
            "src/main.tsx",
            "src/main.test.tsx",
        ):
            (folder / name).write_text(name, encoding="utf-8")
        return folder


MADE_ANEW = ["venv", "pip sync", "pip install"]


@pytest.fixture
def fresh(tmp_path):
    return Checkout(tmp_path.resolve())


@pytest.fixture
def ready(fresh):
    assert fresh.dev("worlds").returncode == 0
    assert fresh.asked() == MADE_ANEW
    return fresh


@pytest.mark.parametrize("ask", [(), ("help",), ("--help",), ("-h",)])
def test_help_lists_every_verb_and_makes_no_environment(fresh, ask):
    done = fresh.dev(*ask)
    assert done.returncode == 0
    assert done.stderr == ""
    assert all(f"./dev {verb}" in done.stdout for verb in VERBS)
    assert fresh.asked() == []


def test_making_the_environment_speaks_on_stderr_only(fresh):
    done = fresh.dev("worlds")
    assert "making .venv with Python 3.11" in done.stderr
    assert done.stdout == f"{fresh.home}\n<worlds>"


def test_an_environment_that_is_up_to_date_costs_not_a_word(ready):
    done = ready.dev("worlds", "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == f"{ready.home}\n<worlds><--json>"
    assert ready.asked() == []


def test_what_python_compiles_is_kept_though_the_machine_says_no(ready):
    (ready.root / ".venv" / "bin" / "windtunnel").write_text("#!/bin/sh\nenv\n", encoding="utf-8")
    said = ready.dev("worlds", PYTHONDONTWRITEBYTECODE="1", OTHER="1").stdout.splitlines()
    assert "OTHER=1" in said
    assert not [line for line in said if line.startswith("PYTHONDONTWRITEBYTECODE")]


def test_what_is_no_verb_reaches_windtunnel_unchanged(ready):
    assert ready.dev("run", "two words", "", "*").stdout.endswith("\n<run><two words><><*>")


def test_it_works_through_a_chain_of_symlinks(ready):
    (ready.home / "links").mkdir()
    (ready.home / "links" / "near").symlink_to("../a fresh checkout/dev")
    (ready.home / "far").symlink_to(ready.home / "links" / "near")
    done = ready.dev("worlds", script=ready.home / "far")
    assert done.stderr == ""
    assert done.stdout.endswith("<worlds>")


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ("requirements/dev.txt", MADE_ANEW),
        (".venv/pyvenv.cfg", MADE_ANEW),
        ("pyproject.toml", ["pip install"]),
    ],
)
def test_a_changed_input_brings_the_environment_up_to_date(ready, changed, asked):
    with (ready.root / changed).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert ready.dev("worlds").returncode == 0
    assert ready.asked() == asked


def test_an_environment_whose_python_went_away_is_made_anew(ready):
    (ready.root / ".venv" / "bin" / "python").unlink()
    ready.dev("worlds")
    assert ready.asked() == MADE_ANEW


def test_a_checkout_that_was_moved_does_not_use_its_old_environment(ready):
    ready.root = ready.root.rename(ready.home / "moved")
    ready.dev("worlds")
    assert ready.asked() == MADE_ANEW


@pytest.mark.parametrize("step", ["venv --quiet", "pip sync", "pip install"])
def test_a_set_up_that_broke_off_fails_and_starts_over(fresh, step):
    broken = fresh.dev("worlds", UV_BREAKS_AT=step)
    assert broken.returncode == 7
    assert broken.stdout == ""
    fresh.asked()
    assert fresh.dev("worlds").returncode == 0
    assert fresh.asked() == MADE_ANEW


def test_a_named_python_that_is_missing_is_refused_with_the_remedy(fresh):
    done = fresh.dev("test", WINDTUNNEL_PYTHON="/no/such/python")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "WINDTUNNEL_PYTHON=/no/such/python" in done.stderr
    assert "correct or unset it" in done.stderr


def test_a_machine_with_only_old_pythons_is_told_what_to_install(fresh):
    shutil.rmtree(fresh.home / "bin")
    (fresh.home / "bin").mkdir()
    for tool in ("bash", "env", "dirname", "readlink", "mkdir", "cksum", "rm"):
        (fresh.home / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    script = (fresh.root / "dev").read_text(encoding="utf-8")
    elsewhere = re.sub(r"/(usr/local|opt/homebrew)/bin", "/nowhere", script)
    (fresh.root / "dev").write_text(elsewhere, encoding="utf-8")
    done = fresh.dev("worlds", PATH=str(fresh.home / "bin"))
    assert done.returncode == 2
    assert "apt install python3 python3-venv" in done.stderr


# --- the dashboard ---

BUILT = ["npm ci", "npm run build"]


@pytest.fixture
def paged(ready):
    """A checkout that has a dashboard, built."""
    ready.add_dashboard()
    done = ready.dev("serve", "--port", "0")
    assert done.stdout.endswith("<serve><--port><0>")
    assert "fetching the dashboard's packages" in done.stderr
    assert "building the dashboard" in done.stderr
    assert "noise" not in done.stderr
    assert ready.asked() == BUILT
    return ready


def test_serving_builds_the_page_once(paged):
    done = paged.dev("serve")
    assert (done.returncode, done.stderr) == (0, "")
    assert paged.asked() == []


def test_node_trusts_what_the_machine_trusts(paged):
    assert (paged.root / "dashboard" / "dist" / "index.html").read_text(encoding="utf-8") == "1\n"


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ("src/main.tsx", ["npm run build"]),
        ("vite.config.ts", ["npm run build"]),
        ("package-lock.json", BUILT),
        ("src/main.test.tsx", []),
        ("node_modules/some/index.js", []),
    ],
)
def test_what_changed_in_the_dashboard_is_made_again(paged, changed, asked):
    with (paged.root / "dashboard" / changed).open("a", encoding="utf-8") as file:
        file.write("changed")
    paged.dev("serve")
    assert paged.asked() == asked


@pytest.mark.parametrize("name", ["added.tsx", "main.tsx"])
def test_a_source_that_came_or_went_is_noticed(paged, name):
    path = paged.root / "dashboard" / "src" / name
    path.unlink() if path.exists() else path.write_text("", encoding="utf-8")
    paged.dev("serve")
    assert paged.asked() == ["npm run build"]


def test_a_page_that_went_away_is_built_again(paged):
    shutil.rmtree(paged.root / "dashboard" / "dist")
    paged.dev("serve")
    assert paged.asked() == ["npm run build"]


@pytest.mark.parametrize(("step", "asked"), [("npm ci", BUILT), ("npm run", ["npm run build"])])
def test_a_page_that_cannot_be_built_is_told_and_the_api_served(ready, step, asked):
    ready.add_dashboard()
    done = ready.dev("serve", UV_BREAKS_AT=step)
    assert "what npm said" in done.stderr
    assert "serving the API without it" in done.stderr
    assert done.stdout.endswith("<serve>")
    ready.asked()
    ready.dev("serve")
    assert ready.asked() == asked  # nothing half made is taken for whole


def test_asking_for_help_builds_nothing(ready):
    ready.add_dashboard()
    assert ready.dev("serve", "--help").stdout.endswith("<serve><--help>")
    assert ready.dev("runs").returncode == 0
    assert ready.asked() == []


def test_working_on_the_dashboard_names_the_server_that_it_stands_before(ready):
    folder = ready.add_dashboard()
    done = ready.dev("dash", "--api", "http://localhost:9000", "--port", "5000")
    assert done.returncode == 0, done.stderr
    assert f"{folder}\n<http://localhost:9000><run><--silent><dev><--><--port><5000>" in done.stdout
    assert ready.asked() == ["npm ci", "npm run"]
    bare = ready.dev("dash", "--api")
    assert (bare.returncode != 0, "--api takes the URL" in bare.stderr) == (True, True)


def test_the_tests_have_a_page_before_they_begin_and_stop_without_one(ready):
    ready.add_dashboard()
    (ready.root / ".venv" / "bin" / "pytest").write_text(
        "#!/bin/sh\nprintf '<%s>' \"$@\"\n", encoding="utf-8"
    )
    (ready.root / ".venv" / "bin" / "pytest").chmod(0o755)
    broken = ready.dev("test", "tests/some", UV_BREAKS_AT="npm run")
    assert (broken.returncode != 0, broken.stdout) == (True, "")
    ready.asked()
    assert ready.dev("test", "--quick", "--no-page", "tests/some").stdout.endswith("<tests/some>")
    assert ready.asked() == []
    done = ready.dev("test", "--quick", "tests/some")
    assert done.stdout.endswith("<-m><not slow and not soak><tests/some>")
    assert ready.asked() == ["npm run build"]


def test_what_tests_write_lies_where_they_say_or_in_memory_and_goes_when_they_held(ready, tmp_path):
    fake = ready.root / ".venv" / "bin" / "pytest"
    script = '#!/bin/sh\necho "$TMPDIR" && touch "${TMPDIR:-.}/left" && exit $ENDS\n'
    fake.write_text(script, encoding="utf-8")
    fake.chmod(0o755)
    chosen = ready.dev("test", "--no-page", TMPDIR=str(tmp_path), ENDS="0")
    assert (chosen.returncode, chosen.stdout) == (0, f"{tmp_path}\n")
    for ends in (0, 1, 2):
        done = ready.dev("test", "--no-page", TMPDIR="", ENDS=str(ends))
        assert done.returncode == ends
        if folder := done.stdout.strip():  # a machine with little memory has none
            assert folder.startswith("/dev/shm/windtunnel-tests-")
            assert Path(folder).exists() == (ends == 1) == (folder in done.stderr)
            shutil.rmtree(folder, ignore_errors=True)


def test_the_lock_of_the_dashboard_names_every_package_and_no_address():
    text = (ROOT / "dashboard" / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert not [name for name, one in packages.items() if "resolved" in one and "://" in one["resolved"]]
    optional = {
        f"node_modules/{name}" for one in packages.values() for name in one.get("optionalDependencies", {})
    }
    known = {name[name.rindex("node_modules/") :] for name in packages if name}
    assert optional - known == set(), "npm ci refuses this lock: it must name the packages of all platforms"


def test_lint_refuses_arguments_it_does_not_know(fresh):
    done = fresh.dev("lint", "--fx")
    assert done.returncode == 2
    assert "--fx" in done.stderr
    assert fresh.asked() == []


@pytest.mark.parametrize(
    ("ask", "made"),
    [
        (("gateway-overhead",), {"litellm"}),
        (("matches",), {"games"}),
        (("memory", "gateway-overhead", "--json"), {"litellm"}),
        (("--json",), {"litellm", "games"}),  # all of them
        ((), {"litellm", "games"}),
        (("memory", "replay"), set()),
        (("--smoke",), set()),
        (("--help",), set()),
    ],
)
def test_the_environment_of_one_peer_is_made_only_where_that_peer_is_measured(fresh, ask, made):
    fresh.add_dashboard()
    done = fresh.dev("bench", *ask)
    assert done.returncode == 0, done.stderr
    assert "making .venv-bench" in done.stderr
    for peer in ("litellm", "games"):
        assert (f"making .venv-{peer}" in done.stderr) == (peer in made)
        assert (fresh.root / f".venv-{peer}").exists() == (peer in made)


@pytest.mark.parametrize("lock", ["dev", "bench", "bench-games", "bench-litellm", "uv"])
def test_the_locks_hold_hashes_and_no_addresses(lock):
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith((" ", "#"))]
    assert pins
    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert not [line for line in lines if "://" in line or "--index-url" in line]


def test_the_lock_covers_every_dependency_that_pyproject_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras, groups = project["project"]["optional-dependencies"], project["dependency-groups"]
    named = [*project["project"]["dependencies"], *extras["frames"], *extras["sign"]]
    named += [*groups["build"], *groups["test"], *groups["lint"]]
    locked = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8").lower()
    for requirement in named:
        name = re.split(r"[^\w.-]", requirement)[0].lower()
        assert f"\n{name}==" in locked, f"{name} is not locked: run ./dev lock"


def test_ci_runs_what_a_newcomer_runs():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert '/../dev" test' in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert os.access(ROOT / "dev", os.X_OK)
