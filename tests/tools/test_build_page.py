"""The wheel holds the dashboard, and where it cannot, none is made."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".dev",
    ".venv*",
    "node_modules",
    "dist",
    "tests",
    "bench",
    "__pycache__",
    ".*_cache",
    ".windtunnel",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a build is made of, without what was made before."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    return copy


def build(checkout: Path, kind: str, *more: str) -> subprocess.CompletedProcess[str]:
    """With the backend of this environment, which has the Node that a build fetches for itself."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(checkout / "out"), *more],
        cwd=checkout, capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip


def test_without_the_dashboards_sources_no_wheel_is_made_and_it_says_why(checkout: Path) -> None:
    shutil.rmtree(checkout / "dashboard" / "src")
    (checkout / "dashboard" / "package-lock.json").unlink()
    done = build(checkout, "wheel")
    assert done.returncode != 0
    assert "dashboard/ lacks package-lock.json, src" in done.stderr
    assert "hatchling build -t sdist" in done.stderr
    assert not list((checkout / "out").glob("*.whl"))


@pytest.mark.slow
def test_an_editable_install_builds_no_page(checkout: Path) -> None:
    shutil.rmtree(checkout / "dashboard")
    made = """
import sys; from hatchling.build import build_editable; print(build_editable(sys.argv[1]))"""
    done = subprocess.run(
        [sys.executable, "-c", made, str(checkout)],
        cwd=checkout, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(".whl")


def test_a_build_asks_for_the_node_that_the_tests_have_locked() -> None:
    from tools.build_page import NODE

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"{NODE}"' in project


@pytest.mark.slow
def test_the_sdist_holds_what_the_page_is_built_of_and_nothing_that_was_built(checkout: Path) -> None:
    for made in ("node_modules/some", "dist"):
        (checkout / "dashboard" / made).mkdir(parents=True)
        (checkout / "dashboard" / made / "index.html").write_text("made", encoding="utf-8")
    done = build(checkout, "sdist")
    assert done.returncode == 0, done.stderr
    (path,) = (checkout / "out").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("package.json", "package-lock.json", "index.html", "vite.config.ts", "src/main.tsx"):
        assert f"dashboard/{name}" in inside
    assert "tools/build_page.py" in inside
    assert not [name for name in inside if re.match(r"dashboard/(node_modules|dist)", name)]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_wheel_of_the_sdist_holds_the_page(checkout: Path, tmp_path: Path) -> None:
    """As a person without Node has it: fetches the page's packages from npm's registry."""
    assert build(checkout, "sdist").returncode == 0
    (path,) = (checkout / "out").glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python before 3.11.4 has none
        archive.extractall(tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    done = build(unpacked, "wheel")
    assert done.returncode == 0, done.stderr[-4000:]
    (wheel,) = (unpacked / "out").glob("*.whl")
    inside = ZipFile(wheel)
    page = inside.read("windtunnel/server/dashboard/index.html").decode()
    scripts = re.findall(r'src="\./(assets/[^"]+\.js)"', page)
    assert scripts
    for name in scripts:
        for packed in ("", ".br", ".gz"):
            assert inside.getinfo(f"windtunnel/server/dashboard/{name}{packed}").file_size > 1000
    assert not [name for name in inside.namelist() if "node_modules" in name or name.endswith(".tsx")]
    assert not (unpacked / "dashboard" / "node_modules").exists()
